// The modules of UtCmvmr under the names of the reference, and the paths through them that
// embedding and training share.
#pragma once

#include "model/clip_sequence.h"
#include "vmr/model/ut_cmvmr.h"
#include "vmr/nn/embedding_net.h"
#include "vmr/nn/transformer_encoder.h"

namespace vmr::model {

struct UtCmvmr::Nets {
  torch::nn::ModuleDict A_rhythm_embed{nullptr}, V_optic_embed{nullptr};
  nn::TransformerEncoder A_enc_former{nullptr}, V_enc_former{nullptr}, cross_attention{nullptr};
  nn::EmbeddingNet A_enc{nullptr}, V_enc{nullptr}, A_proj{nullptr}, V_proj{nullptr};
  nn::EmbeddingNet A_rec{nullptr}, V_rec{nullptr}, W_proj{nullptr}, D{nullptr};
  torch::nn::ModuleDict ce_match_loss{nullptr};
  at::Tensor pos_emb1D;               // [2, rho_dim]: of music, of video
  at::Tensor null_music, null_video;  // [rho_dim]: what an item without partner attends to

  Nets(UtCmvmr& owner, const UtCmvmrOptions& options);

  // Features of a batch -> [batch, clips, dim] with class embeddings, without positions.
  at::Tensor music_sequence(const data::FeatureMap& music) const;
  at::Tensor video_sequence(const data::FeatureMap& video) const;
  at::Tensor assemble(const data::MaskedTensor& clips, const at::Tensor& added,
                      ClipFill rule) const;
  // Sequences -> phi [batch, rho_dim].
  at::Tensor encode_music(const at::Tensor& sequence);
  at::Tensor encode_video(const at::Tensor& sequence);
  // Lone items: phi -> f, attended to the null partner.
  at::Tensor music_alone(const at::Tensor& phi);
  at::Tensor video_alone(const at::Tensor& phi);
  // theta (not yet unit length) -> [batch, theta_dim + rho_dim] as embed_* returns it.
  at::Tensor vector(const at::Tensor& theta, const at::Tensor& rho) const;

  const UtCmvmrOptions& options;
};

// Rows of unit length.
at::Tensor unit_rows(const at::Tensor& rows);

}  // namespace vmr::model
