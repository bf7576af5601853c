// CMVAE: cross-modal variational auto-encoder for background music (arXiv 2107.07268), the second
// baseline of the UT-CMVMR tables. Each view of an item (music; pictures; text) gives a normal
// distribution over a shared latent space; a film's views are fused by a product of experts, so
// that the surer one weighs more. What is drawn for one side must generate the features of the
// other (cross generation), stay near N(0, I) and score above other pairs.
//
// The input is the mean over an item's clips, as for Cbvmr: settings AE and SE&R. Embeddings are
// the posteriors' means at unit length. A film is embedded from its pictures alone, so its text is
// left out of a share of the training films (text_share).
//
// The publication states no values for some parts; they follow the visual form its group published
// later (jing-1/DecCM): mean and log variance of an expert are unit length each, there is no prior
// among the experts. Departures: the gap is a hinge by default (loss.matching "gap_max" is the
// published one); other films of the same track are no negatives; the generated features carry no
// gradient to the class embeddings, which could shrink to fit otherwise.
#pragma once

#include <cstdint>
#include <memory>

#include "vmr/loss/variational.h"
#include "vmr/model/clip_inputs.h"
#include "vmr/model/matching_model.h"

namespace vmr::model {

// What follows a decoder's last layer.
enum class DecoderActivation {
  relu,  // as published, for features that are not negative
  none,
};

// Weights of the loss terms (0 leaves a term out) and their options.
struct CmvaeLoss {
  double reconstruct = 1.0;  // mean square of each generated side
  double divergence = 1.0;   // from the prior, of each side
  double match = 1.0;        // gap of each direction
  loss::GapMatching matching = loss::GapMatching::hinge;
  double margin = 0.05;
  int64_t top = 40;  // largest gaps a row
};

struct CmvaeOptions : ClipInputOptions {
  int64_t text_dim = 0;     // of the tag's sentence vector; 0 = films have pictures only
  double text_share = 0.5;  // of the training films that show their text
  int64_t latent_dim = 128;
  double dropout = 0.2;    // of the inputs of encoders and decoders
  bool poe_prior = false;  // N(0, I) is one more expert of films
  DecoderActivation decoder_activation = DecoderActivation::relu;
  CmvaeLoss loss;
};

// Throws: InvalidArgument naming field, value and rule.
void validate(const CmvaeOptions& options);

class Cmvae : public MatchingModel {
 public:
  explicit Cmvae(const CmvaeOptions& options);
  ~Cmvae() override;

  std::string kind() const override { return "cmvae"; }
  nlohmann::json config() const override;
  // music {music [dim] float32, rhythm [3] int64}, video {video [dim], flow [] int64}; no
  // negatives.
  ModelInputs inputs() const override;
  int64_t embedding_dim() const override { return options_.latent_dim; }

  // Requires: eval(). Throws: InvalidArgument in training mode, for missing features, wrong shapes
  // and items without clips.
  at::Tensor embed_music(const data::FeatureMap& music) override;
  at::Tensor embed_video(const data::FeatureMap& video) override;
  // As a film that only has its text; nothing where text_dim is 0.
  std::optional<at::Tensor> embed_text(const at::Tensor& text) override;

  // Terms reconstruct_music, reconstruct_video, reconstruct_text, divergence_music,
  // divergence_video, match_music (gaps of each track), match_video. In training mode latents are
  // drawn from torch's default generator and a batch has at least 2 pairs (batch statistics); in
  // evaluation mode latents are means and every film with text shows it.
  loss::Terms loss(const data::PairBatch& batch) override;

  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<at::Device>& device = std::nullopt) const override;
  const CmvaeOptions& options() const { return options_; }

 private:
  struct Nets;

  const CmvaeOptions options_;
  std::unique_ptr<Nets> nets_;
};

}  // namespace vmr::model
