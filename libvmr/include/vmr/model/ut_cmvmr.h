// UT-CMVMR: video and music retrieval with a unified pre-training target, music rhythm and video
// optical flow (arXiv 2309.09421). Each item is a sequence of clip embeddings, to which embeddings
// of its rhythm or flow classes are added; a transformer and a net give phi, a projection theta
// (common space) and a shared decoder rho (the space of the tag's sentence vector).
//
// A film and a track look at each other by cross attention (score_pairs). For catalogues the item
// attends to a learned null partner instead (embed_*), trained by a ranking term of its own; then
//   vector = [sqrt(g) theta ; sqrt(1 - g) rho], theta and rho unit length, g = theta_weight,
// so that a dot product is g cos(theta, theta') + (1 - g) cos(rho, rho'), the published score.
//
// Settings of the paper: AE = mean of features of unrelated extractors: sequence = false,
// rhythm_flow = false, `music` and `video` naming those; A-SE = the same over the Conformers'
// embeddings; SE = sequence; SE&R = sequence and rhythm_flow (the default).
//
// Departures, each undone by a switch of data::ReferenceBehaviour: negatives are real and unit
// length; pair positions are trained; other films of the same track are no negatives; rhythm
// repeats as the features do; sentence vectors are made unit length everywhere; each net sees
// music, video, negatives and lone items in one batch, so that its batch statistics in training and
// its running averages in evaluation describe the same mixture. Class values beyond the last are
// clamped to it.
//
// In the published loss only matching items ever attend to each other, so that a joint score has
// never seen a wrong pair; the term `mismatched` shows it some.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vmr/data/reference_behaviour.h"
#include "vmr/model/clip_inputs.h"
#include "vmr/model/matching_model.h"
#include "vmr/nn/initialise.h"

namespace vmr::model {

// Width and regularisation of one transformer.
struct AttentionOptions {
  int64_t layers = 1;
  int64_t heads = 3;
  int64_t head_width = 1;
  int64_t feed_forward = 1024;
  double dropout = 0.8;
};

// The published code and the poster state the triplets differently.
enum class LossSet { code, paper };

// Weights of the loss terms (0 leaves a term out) and their options.
struct UtCmvmrLoss {
  LossSet set = LossSet::code;
  double triplet = 1.0;  // all three triplets, each times its own weight:
  double music_triplet = 1.0, video_triplet = 1.0;  // theta against theta of the tag; of the paper
                                                    // also rho
  double item_triplet = 1.0;    // of the paper alone, needs no tag: theta of music against video
  double regular = 1.0;         // both regularisers, each times its own weight:
  double reconstruction = 1.0;  // phi rebuilt from theta
  double tag_theta = 1.0;       // theta against theta of the tag
  double text = 1.0;            // rho against the sentence vector
  double match = 1.0;           // classifier: does this music belong to this video?
  double rank = 1.0;            // inter-modal ranking of theta
  double independent = 1.0;     // inter-modal ranking of the lone items' vectors
  double structure = 0.0;       // neighbours keep their order from phi to f to its reconstruction
  double tag_softmax = 0.0;     // margin softmax of the pair's tag ("DAM"); needs tags
  double adversarial = 0.0;     // rho does not tell music from video
  double mismatched = 0.0;      // a pair's joint score exceeds that of the music with another film
  double first_triplet = 1.0, second_triplet = 1.0;  // of the code: anchored at item, at tag
  bool tag_negative = true;  // of the paper: the tag's triplet on films has another tag as
                             // negative, as printed; false: another film, as its twin on music
  double margin = 0.0;       // of the triplets
  Distance distance = Distance::cosine;  // of rank
  double rank_margin = 0.0;
  double independent_margin = 0.1;
  double mismatched_margin = 0.2;
  double tag_margin = 0.35, tag_scale = 30.0;  // of tag_softmax
  int64_t rank_top = 1024;                     // hardest negatives a row
  int64_t structure_top = 1024;                // items compared
};

// Items of fewer than max_clips clips are filled: music cyclically, video by its last clip.
struct UtCmvmrOptions : ClipInputOptions {
  int64_t text_dim = 768;  // 0 = no tags: the tag's terms fall away
  int64_t tags = 0;        // classes of the tag classifier; 0 = the model has none
  bool sequence = true;    // false: mean of the clips
  int64_t theta_dim = 256, rho_dim = 768;
  int64_t encoder_hidden = 1024, projection_hidden = 512;
  AttentionOptions encoder;
  AttentionOptions cross{.head_width = 100};
  double embed_dropout = 0.0;  // inside the embedding nets
  double momentum = 0.55;      // of their batch norms
  double keep_prob = 0.6;      // of the matching classifier
  nn::Initialisation initialisation = nn::Initialisation::he_normal;
  double theta_weight = 0.6;  // g
  UtCmvmrLoss loss;
  data::ReferenceBehaviour reference;
};

// Throws: InvalidArgument naming field, value and rule. text needs rho_dim == text_dim.
void validate(const UtCmvmrOptions& options);

// JSON: the fields' names, enums as text; "encoder", "cross" and "loss" are objects.
// Throws: InvalidArgument for unknown keys and wrong types.
UtCmvmrOptions ut_cmvmr_options(const nlohmann::json& config);

class UtCmvmr : public MatchingModel {
 public:
  explicit UtCmvmr(const UtCmvmrOptions& options);
  ~UtCmvmr() override;

  std::string kind() const override { return "ut_cmvmr"; }
  nlohmann::json config() const override;
  // music {music [dim] float32, rhythm [3] int64}, video {video [dim], flow [] int64}; flow may
  // also come as [batch, time, 1]. Both features of an item have the same number of real rows.
  ModelInputs inputs() const override;
  int64_t embedding_dim() const override { return options_.theta_dim + options_.rho_dim; }
  // "content": g cos(theta, theta'); "mood": (1 - g) cos(rho, rho'), rho living in the tags' space.
  std::vector<ScoreSlice> score_slices() const override {
    const int64_t theta = options_.theta_dim;
    return {{"content", 0, theta, options_.theta_weight},
            {"mood", theta, theta + options_.rho_dim, 1 - options_.theta_weight, /*words=*/true}};
  }

  // Requires: eval(). Throws: InvalidArgument in training mode, for missing features, wrong shapes
  // and items without clips.
  at::Tensor embed_music(const data::FeatureMap& music) override;
  at::Tensor embed_video(const data::FeatureMap& video) override;
  std::optional<at::Tensor> embed_text(const at::Tensor& text) override;
  // phi [items, rho_dim]; a pair then costs 18 MFLOP of cross attention at the published dims.
  std::optional<at::Tensor> prepare_music(const data::FeatureMap& music) override;
  std::optional<at::Tensor> prepare_video(const data::FeatureMap& video) override;
  at::Tensor score_prepared(const at::Tensor& video, const at::Tensor& music, PairScoring scoring,
                            Distance distance) override;
  // The tag classifier is the published "DAM".
  at::Tensor tag_scores(const at::Tensor& video, const at::Tensor& music) override;

  // Terms, those of weight above 0 in this order: triplet, regular, text, match, rank, structure,
  // tag_softmax, adversarial, mismatched, independent; monitors match_accuracy, tag_accuracy,
  // adversarial_accuracy. Requires: a batch of at least 2 (batch statistics).
  loss::Terms loss(const data::PairBatch& batch) override;

  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<at::Device>& device = std::nullopt) const override;
  const UtCmvmrOptions& options() const { return options_; }

  struct Nets;  // the registered modules, under the reference's names; internal

 private:
  const UtCmvmrOptions options_;
  std::unique_ptr<Nets> nets_;
};

}  // namespace vmr::model
