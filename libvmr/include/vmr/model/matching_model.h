// MatchingModel: the one interface behind which every retrieval system stands. Each item becomes a
// few vectors in a common space; the score of a film and a track is the mean over vectors of their
// dot products, so any model can be put in a catalogue. A model that also scores pairs jointly
// overrides prepare_music, prepare_video and score_prepared. Modules are in evaluation mode for
// embeddings: results do not depend on the other rows of the batch, on padding or on the number of
// threads.
// Embedding, preparing and scoring are thread-safe on one model in eval(), as long as nobody trains
// it, loads into it or moves it; loss() is not.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "vmr/core/distance.h"
#include "vmr/data/batch.h"
#include "vmr/loss/terms.h"

namespace vmr::model {

// One feature a model reads.
struct InputSpec {
  std::string feature;       // name in the feature store and in FeatureMap
  std::vector<int64_t> row;  // shape of one row without time: {512} for [batch, time, 512]
  double row_seconds = 0;    // duration of a row; 0 = one row for the whole item
  int64_t max_rows = 0;      // rows used at most; 0 = all
  std::string dim_key;       // option that states row's last entry: "music_dim"; "" = it is fixed
};

struct ModelInputs {
  std::vector<InputSpec> music, video;
  int64_t text_dim = 0;    // 0 = the model takes no text
  bool negatives = false;  // loss() needs negative_music and negative_video
};

// A named part of the score: vector entries [begin, end) contribute weight * value to it.
struct ScoreSlice {
  std::string name;  // for people: "content", "mood"
  int64_t begin = 0, end = 0;
  double weight = 1;
  bool words = false;  // these entries live in the space of the tags' sentence vectors
};

// What a joint score compares.
enum class PairScoring {
  own,           // each pair its own two vectors
  gallery_mean,  // the film's vector is first averaged over all tracks it is scored with, as the
                 // published UT-CMVMR does: the music must be the whole gallery
};

class MatchingModel : public torch::nn::Module {
 public:
  virtual std::string kind() const = 0;       // "ut_cmvmr", the recipe's model.kind
  virtual nlohmann::json config() const = 0;  // all options: make_matching_model(config()) is equal
  virtual ModelInputs inputs() const = 0;
  virtual int64_t embedding_dim() const = 0;  // dim of the vectors below
  virtual int64_t vectors_per_item() const { return 1; }

  // Which entries of a vector make which part of the score; together they are the whole vector.
  virtual std::vector<ScoreSlice> score_slices() const {
    return {{"embedding", 0, embedding_dim(), 1.0}};
  }

  // -> [batch, vectors, dim] float32, unit length in the metric of the score.
  virtual at::Tensor embed_music(const data::FeatureMap& music) = 0;
  virtual at::Tensor embed_video(const data::FeatureMap& video) = 0;
  // text [batch, text_dim] -> [batch, 1, dim] comparable with both; nothing where the model has
  // none.
  virtual std::optional<at::Tensor> embed_text(const at::Tensor& text) { return std::nullopt; }

  // Joint scoring in two steps: what it needs of an item, [items, n] float32, computed once however
  // many partners the item meets; nothing where the model only has independent embeddings.
  virtual std::optional<at::Tensor> prepare_music(const data::FeatureMap& music) {
    return std::nullopt;
  }
  virtual std::optional<at::Tensor> prepare_video(const data::FeatureMap& video) {
    return std::nullopt;
  }
  // Joint scores of every prepared film with every prepared track, [films, tracks], higher =
  // better: the weighted sum over the slices of their unit vectors' cosines, or of their Euclidean
  // distances, negative. One slice ranks the same by both. Throws: InvalidArgument for a model
  // without joint scores.
  virtual at::Tensor score_prepared(const at::Tensor& video, const at::Tensor& music,
                                    PairScoring scoring, Distance distance);
  // A tag classifier's scores of every prepared film with every prepared track, [films, tracks,
  // tags], tags in the order of the training's. Throws: InvalidArgument for a model without one.
  virtual at::Tensor tag_scores(const at::Tensor& video, const at::Tensor& music);
  // Both steps; nothing where the model only has independent embeddings.
  std::optional<at::Tensor> score_pairs(const data::FeatureMap& video,
                                        const data::FeatureMap& music,
                                        PairScoring scoring = PairScoring::own,
                                        Distance distance = Distance::cosine);

  // Named, weighted terms of one batch in training mode.
  virtual loss::Terms loss(const data::PairBatch& batch) = 0;
};

// Builds the model a config names, weights at their initial values drawn from torch's generator.
// Throws: InvalidArgument naming an unknown kind, its nearest known one, or a wrong option.
std::shared_ptr<MatchingModel> make_matching_model(const nlohmann::json& config);

// inputs() of that model without building it. Dims the config leaves out have their defaults, and
// whether options fit each other is not checked yet: a caller can look up the dims of the features
// named here and write them under InputSpec::dim_key, and "text_dim": 0 where there is no text.
// Throws: InvalidArgument for unknown kinds, unknown keys and wrong types.
ModelInputs matching_model_inputs(const nlohmann::json& config);

}  // namespace vmr::model
