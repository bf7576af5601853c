// CBVMR: content-based video and music retrieval (arXiv 1704.06761, "VM-NET"), the first baseline
// of the UT-CMVMR tables. Two branches of fully connected layers on one vector an item,
//   linear, [batch norm], ReLU, dropout, ... , linear, batch norm, unit length,
// trained so that matching items rank above others and that neighbours among the vectors of one
// side keep the order they have among its inputs.
//
// The input is the mean over an item's clips: settings AE (rhythm_flow = false, features of
// unrelated extractors) and SE&R (rhythm_flow = true: mean of clip feature + class embeddings,
// which are trained along).
//
// Departures: other films of the same track are no negatives and count nowhere in the mean (the
// published mean counts a masked diagonal; loss.count_masked); items of one track enter the
// structure of the music once; the comparisons of the structure start at the batch's first item,
// which shuffling makes random. The published variants differ: the first publication has
// linear = true, margin 0.1 and 100 negatives, the musicnn adaptation first_norm = true.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vmr/loss/structure.h"
#include "vmr/model/clip_inputs.h"
#include "vmr/model/matching_model.h"

namespace vmr::model {

// Weights of the loss terms (0 leaves a term out) and their options.
struct CbvmrLoss {
  double music_to_video = 3.0, video_to_music = 1.0;    // ranking by query
  double music_structure = 0.2, video_structure = 0.2;  // neighbours keep their order
  double margin = 0.5;
  int64_t rank_top = 1024;    // hardest negatives a row
  bool count_masked = false;  // pairs that are no negatives count as zeros, as published
  int64_t structure_window = 1024;
  loss::StructureWindow structure = loss::StructureWindow::vm_net;
};

struct CbvmrOptions : ClipInputOptions {
  std::vector<int64_t> music_hidden = {2048, 1024}, video_hidden = {2048};
  int64_t embedding_dim = 512;
  bool first_norm = false;  // batch norm after the first hidden layer
  bool linear = false;      // hidden layers without norm and ReLU
  double dropout = 0.1;     // after every hidden layer
  CbvmrLoss loss;
};

// Throws: InvalidArgument naming field, value and rule.
void validate(const CbvmrOptions& options);

class Cbvmr : public MatchingModel {
 public:
  explicit Cbvmr(const CbvmrOptions& options);
  ~Cbvmr() override;

  std::string kind() const override { return "cbvmr"; }
  nlohmann::json config() const override;
  // music {music [dim] float32, rhythm [3] int64}, video {video [dim], flow [] int64}; no text, no
  // negatives.
  ModelInputs inputs() const override;
  int64_t embedding_dim() const override { return options_.embedding_dim; }

  // Requires: eval(). Throws: InvalidArgument in training mode, for missing features, wrong shapes
  // and items without clips.
  at::Tensor embed_music(const data::FeatureMap& music) override;
  at::Tensor embed_video(const data::FeatureMap& video) override;

  // Terms music_to_video, video_to_music, music_structure, video_structure. In training mode a
  // batch of at least 2 (batch statistics); in evaluation mode a batch of one gives zeros.
  loss::Terms loss(const data::PairBatch& batch) override;

  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<at::Device>& device = std::nullopt) const override;
  const CbvmrOptions& options() const { return options_; }

 private:
  struct Nets;

  const CbvmrOptions options_;
  std::unique_ptr<Nets> nets_;
};

}  // namespace vmr::model
