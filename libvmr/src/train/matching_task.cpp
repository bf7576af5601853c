#include "vmr/train/matching_task.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/eval/retrieval_metrics.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::train {
namespace {

using nlohmann::json;

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
  const auto lost = data::find_film_without_negative(train.tag_of_film(), train.track_of_film());
  VMR_CHECK(!lost, "MatchingTask: the film ", train.films()[static_cast<size_t>(lost.value_or(0))],
            " has no negative: all films of other tags have its track; give the training split "
            "more tracks or use a model without negatives");
  if (valid == nullptr) return;
  // A held-out split where a film has no negative: its loss is left out, its recall is not.
  if (!data::find_film_without_negative(valid->tag_of_film(), valid->track_of_film())) {
    valid_negatives_.emplace(valid->tag_of_film(), valid->track_of_film());
  }
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
  model_->train(options_.validate_in_training);
  add_losses(figures);
  model_->train(training);
  return figures;
}

void MatchingTask::add_losses(std::map<std::string, double>& figures) {
  if (valid_->size() < 2 || (negatives_ && !valid_negatives_)) return;
  const auto device = model_->parameters().front().device();
  const auto add = [&](const std::string& name, double value, int64_t films) {
    figures[name] += value * static_cast<double>(films) / static_cast<double>(valid_->size());
  };
  for (int64_t begin = 0, part = 0; begin < valid_->size(); ++part) {
    int64_t end = std::min(begin + std::max<int64_t>(2, options_.validation_batch), valid_->size());
    if (valid_->size() - end == 1) ++end;  // batches of one have no in-batch negatives
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
}

std::map<std::string, double> MatchingTask::recalls() const {
  const auto video = embed_films(*model_, *valid_, options_.validation_batch);
  const auto music = embed_music(*model_, *valid_, options_.validation_batch);
  const auto scores = embedding_scores(video, music);
  const auto ranks = eval::rank_both_ways(scores, valid_->track_of_film());
  std::map<std::string, double> figures;
  for (const int64_t k : options_.recall_at) {
    figures["recall_" + std::to_string(k)] = eval::hit_rate(ranks.video_to_music, k);
    figures["music_recall_" + std::to_string(k)] = eval::hit_rate(ranks.music_to_video, k);
  }
  figures["log_rank"] =
      (eval::mean_log_rank(ranks.video_to_music) + eval::mean_log_rank(ranks.music_to_video)) / 2;
  return figures;
}

bool MatchingTask::larger_is_better() const {
  return options_.best_figure != "log_rank" && !options_.best_figure.starts_with("loss");
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
      {"data", json::parse(options_.data)},
      {"validate_in_training", options_.validate_in_training},
      {"films_hash", hash_text(json(train_->films()).dump())},
      {"tags_hash", hash_text(json({train_->tags(), train_->tag_of_film()}).dump())},
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
