// The modules of UtCmvmr under the names of the reference, and the paths through them that
// embedding and training share.
#pragma once

#include <functional>

#include "model/clip_inputs.h"
#include "model/tag_head.h"
#include "model/unit_rows.h"
#include "vmr/model/ut_cmvmr.h"
#include "vmr/nn/embedding_net.h"
#include "vmr/nn/transformer_encoder.h"

namespace vmr::model {

// Whether a term of the loss compares with another item.
bool uses_negatives(const UtCmvmrOptions& options);
// Whether the triplet term has anything to compare: all its triplets of the code have a tag.
bool has_triplets(const UtCmvmrOptions& options);

struct UtCmvmr::Nets {
  ClipInputs inputs;  // A_rhythm_embed, V_optic_embed
  nn::TransformerEncoder A_enc_former{nullptr}, V_enc_former{nullptr}, cross_attention{nullptr};
  nn::EmbeddingNet A_enc{nullptr}, V_enc{nullptr}, A_proj{nullptr}, V_proj{nullptr};
  nn::EmbeddingNet A_rec{nullptr}, V_rec{nullptr}, W_proj{nullptr}, D{nullptr};
  torch::nn::ModuleDict ce_match_loss{nullptr};
  TagHead damsoftmax_loss{nullptr};         // where the options have tags
  torch::nn::ModuleDict adv_loss{nullptr};  // where its term has a weight
  at::Tensor pos_emb1D;                     // [2, rho_dim]: of music, of video
  at::Tensor null_music, null_video;        // [rho_dim]: what an item without partner attends to

  Nets(UtCmvmr& owner, const UtCmvmrOptions& options);

  // Features of a training batch -> [batch, clips, dim] with class embeddings, without positions.
  // `clips`: whose clip features to take instead of the batch's own.
  at::Tensor music_sequence(const data::FeatureMap& music,
                            const data::FeatureMap* clips = nullptr) const;
  at::Tensor video_sequence(const data::FeatureMap& video,
                            const data::FeatureMap* clips = nullptr) const;
  at::Tensor with_positions(const at::Tensor& sequence) const;
  // Features of items to retrieve -> phi [batch, rho_dim], in evaluation mode.
  at::Tensor encode_music(const data::FeatureMap& music);
  at::Tensor encode_video(const data::FeatureMap& video);
  // Lone items: phi -> f, attended to the null partner.
  at::Tensor music_alone(const at::Tensor& phi);
  at::Tensor video_alone(const at::Tensor& phi);
  // What `score` makes of theta (not yet unit length) of tracks and films, row by row [rows, n],
  // for every film with every track: [films, tracks, n]. video, music: phi [items, rho_dim].
  using PairScore = std::function<at::Tensor(const at::Tensor& music, const at::Tensor& video)>;
  at::Tensor of_all_pairs(const at::Tensor& video, const at::Tensor& music, PairScoring scoring,
                          const PairScore& score);
  // theta (not yet unit length) -> [batch, theta_dim + rho_dim] as embed_* returns it.
  at::Tensor vector(const at::Tensor& theta, const at::Tensor& rho) const;

  const UtCmvmrOptions& options;

 private:
  ClipReading reading() const;
  at::Tensor sequence(const data::MaskedTensor& clips) const;
};

}  // namespace vmr::model
