#include "vmr/train/matching_task.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr::train {
namespace {

using nlohmann::json;

// Best rank (0 = first) of each query's true items among the gallery, by dot product; equal scores
// rank by position. A score that is not a number counts as last.
std::vector<int64_t> hit_ranks(const at::Tensor& queries, const at::Tensor& gallery,
                               const std::vector<std::vector<int64_t>>& truth, int64_t rows) {
  std::vector<int64_t> ranks;
  const at::Tensor transposed = gallery.t();
  const int64_t count = gallery.size(0);
  for (int64_t begin = 0; begin < queries.size(0); begin += rows) {
    const int64_t size = std::min(rows, queries.size(0) - begin);
    const at::Tensor scores = queries.narrow(0, begin, size).mm(transposed).contiguous();
    for (int64_t i = 0; i < size; ++i) {
      const float* score = scores.const_data_ptr<float>() + i * count;
      int64_t best = count;
      for (const int64_t item : truth[static_cast<size_t>(begin + i)]) {
        int64_t ahead = 0;
        for (int64_t j = 0; j < count; ++j) {
          if (j == item || score[j] < score[item]) continue;
          ahead += score[j] != score[item] || j < item;
        }
        best = std::min(best, ahead);
      }
      ranks.push_back(best);
    }
  }
  return ranks;
}

void add_recalls(const std::vector<int64_t>& ranks, const std::vector<int64_t>& ks,
                 const std::string& prefix, std::map<std::string, double>& figures) {
  for (const int64_t k : ks) {
    const auto hits =
        std::count_if(ranks.begin(), ranks.end(), [k](auto rank) { return rank < k; });
    figures[prefix + std::to_string(k)] =
        static_cast<double>(hits) / static_cast<double>(ranks.size());
  }
}

data::FeatureMap on_device(const data::FeatureMap& features, const at::Device& device) {
  data::PairBatch batch;
  batch.music = features;
  return batch.to(device).music;
}

// embed(positions begin..end) of all `count` items, [items, vectors*dim] float32 on the CPU.
template <typename Embed>
at::Tensor embed_all(int64_t count, int64_t rows, const Embed& embed) {
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < count; begin += rows) {
    std::vector<int64_t> places(static_cast<size_t>(std::min(rows, count - begin)));
    std::iota(places.begin(), places.end(), begin);
    parts.push_back(embed(places).flatten(1).to(at::kFloat).cpu());
  }
  return at::cat(parts);
}

std::vector<int64_t> positions(int64_t begin, int64_t end) {
  std::vector<int64_t> result(static_cast<size_t>(end - begin));
  std::iota(result.begin(), result.end(), begin);
  return result;
}

const char* name_of(data::SamplerKind kind) {
  switch (kind) {
    case data::SamplerKind::shuffled:
      return "shuffled";
    case data::SamplerKind::balanced_fixed:
      return "balanced_fixed";
    case data::SamplerKind::balanced_random:
      return "balanced_random";
  }
  return "";
}

// Rows of equal duration describe the same stretches of time, so there must be as many.
std::vector<data::FeatureInput> side_inputs(const std::vector<model::InputSpec>& specs) {
  std::vector<data::FeatureInput> inputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    inputs.push_back({specs[i].feature, specs[i].max_rows, ""});
    for (size_t j = 0; j < i && inputs[i].rows_like.empty(); ++j) {
      const bool same = specs[i].row_seconds > 0 && specs[i].row_seconds == specs[j].row_seconds;
      if (same) inputs[i].rows_like = specs[j].feature;
    }
  }
  return inputs;
}

}  // namespace

MatchingTask::MatchingTask(std::shared_ptr<model::MatchingModel> model,
                           const data::PairDataset& train, const data::PairDataset* valid,
                           MatchingTaskOptions options)
    : model_(std::move(model)), train_(&train), valid_(valid), options_(std::move(options)) {
  data::validate(options_.sampler);
  VMR_CHECK(options_.validation_batch >= 1,
            "MatchingTaskOptions: validation_batch must be at least 1, got ",
            options_.validation_batch);
  const auto inputs = model_->inputs();
  if (inputs.text_dim > 0) {
    for (const auto* pairs : {train_, valid_}) {
      if (pairs == nullptr) continue;
      VMR_CHECK(pairs->text_dim() == inputs.text_dim, "MatchingTask: the model reads text of ",
                inputs.text_dim, " values, the data set's tag vectors have ", pairs->text_dim());
    }
  }
  if (!inputs.negatives) return;
  negatives_.emplace(train.tag_of_film(), train.track_of_film());
  if (valid != nullptr) valid_negatives_.emplace(valid->tag_of_film(), valid->track_of_film());
}

int64_t MatchingTask::steps_per_epoch() const {
  return data::batches_per_epoch(train_->size(), options_.sampler);
}

void MatchingTask::begin_epoch(int64_t epoch, uint64_t seed) {
  epoch_ = epoch;
  seed_ = seed;
  batches_ = data::epoch_batches(train_->tag_of_film(), options_.sampler, seed, epoch);
}

loss::Terms MatchingTask::step(int64_t step) {
  const auto& films = batches_.at(static_cast<size_t>(step));
  std::vector<int64_t> negatives;
  if (negatives_) negatives = negatives_->draw(films, seed_, epoch_, step);
  const auto device = model_->parameters().front().device();
  return model_->loss(train_->collate(films, negatives).to(device));
}

std::map<std::string, double> MatchingTask::validate() {
  if (valid_ == nullptr) return {};
  const at::NoGradGuard no_grad;
  const bool training = model_->is_training();
  model_->eval();
  auto figures = recalls();
  const auto device = model_->parameters().front().device();
  const auto add = [&](const std::string& name, double value, int64_t films) {
    figures[name] += value * static_cast<double>(films) / static_cast<double>(valid_->size());
  };
  for (int64_t begin = 0, part = 0; begin < valid_->size(); ++part) {
    const int64_t end = std::min(begin + options_.validation_batch, valid_->size());
    const auto films = positions(begin, end);
    std::vector<int64_t> negatives;
    if (valid_negatives_) {
      // Keyed by the part of the gallery, not by the epoch: the same at every validation.
      negatives = valid_negatives_->draw(films, options_.validation_seed, part, -1);
    }
    const auto terms = model_->loss(valid_->collate(films, negatives).to(device));
    add("loss", terms.total().item<double>(), end - begin);
    for (const auto& [name, value] : terms.values) {
      add("loss_" + name, value.item<double>(), end - begin);
    }
    begin = end;
  }
  model_->train(training);
  return figures;
}

std::map<std::string, double> MatchingTask::recalls() const {
  const auto device = model_->parameters().front().device();
  const auto tracks = static_cast<int64_t>(valid_->tracks().size());
  const int64_t rows = options_.validation_batch;
  const at::Tensor video = embed_all(valid_->size(), rows, [&](const auto& films) {
    return model_->embed_video(on_device(valid_->collate_video(films), device));
  });
  const at::Tensor music = embed_all(tracks, rows, [&](const auto& items) {
    return model_->embed_music(on_device(valid_->collate_music(items), device));
  });
  std::vector<std::vector<int64_t>> track_of_film, films_of_track(static_cast<size_t>(tracks));
  for (int64_t film = 0; film < valid_->size(); ++film) {
    const int64_t track = valid_->track_of_film()[static_cast<size_t>(film)];
    track_of_film.push_back({track});
    films_of_track[static_cast<size_t>(track)].push_back(film);
  }
  std::vector<int64_t> queries;  // tracks with films
  std::vector<std::vector<int64_t>> truth;
  for (int64_t track = 0; track < tracks; ++track) {
    if (films_of_track[static_cast<size_t>(track)].empty()) continue;
    queries.push_back(track);
    truth.push_back(films_of_track[static_cast<size_t>(track)]);
  }
  std::map<std::string, double> figures;
  add_recalls(hit_ranks(video, music, track_of_film, rows), options_.recall_at, "recall_", figures);
  add_recalls(hit_ranks(music.index_select(0, at::tensor(queries, at::kLong)), video, truth, rows),
              options_.recall_at, "music_recall_", figures);
  return figures;
}

std::string MatchingTask::settings() const {
  const auto& sampler = options_.sampler;
  const std::vector<std::string> none;
  const json document = {
      {"sampler", name_of(sampler.kind)},
      {"alpha", sampler.alpha},
      {"batch", sampler.batch},
      {"remainder_round_robin", sampler.remainder == data::Remainder::round_robin},
      {"films", train_->size()},
      {"films_hash", hash_text(json(train_->films()).dump())},
      {"validation_films_hash", hash_text(json(valid_ ? valid_->films() : none).dump())},
      {"best_figure", options_.best_figure}};
  return document.dump();
}

std::string MatchingTask::describe() const { return model_->config().dump(); }

data::PairDatasetOptions dataset_options(const model::ModelInputs& inputs,
                                         const std::string& split) {
  data::PairDatasetOptions options;
  options.split = split;
  options.music = side_inputs(inputs.music);
  options.video = side_inputs(inputs.video);
  return options;
}

}  // namespace vmr::train
