#include "pipeline/protocols.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "model/unit_rows.h"
#include "pipeline/embed_items.h"
#include "pipeline/run_inputs.h"
#include "pipeline/tag_texts.h"
#include "vmr/core/error.h"
#include "vmr/eval/tag_shortlist.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/train/matching_task.h"

namespace vmr::pipeline {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

std::shared_ptr<model::MatchingModel> weighted_model(const MatchingRun& run, double theta_weight) {
  auto config = run.model->config();
  VMR_CHECK(config.contains("theta_weight"), "a ", run.model->kind(),
            " model compares in one space; theta_weight is for models with theta and rho "
            "(ut_cmvmr)");
  config["theta_weight"] = theta_weight;
  const auto model = model::make_matching_model(config);
  train::load_weights(run.checkpoint, *model);
  model->to(run.model->parameters().front().device());
  model->eval();
  return model;
}

// A run that was not trained here has no tags of its own: what it reads is the store's sentence
// vectors. Vectors by formula would mean nothing to it.
void take_stored_tags(MatchingRun& run, const store::FeatureStore& store,
                      const store::Manifest& manifest) {
  if (!run.tags.empty() || stored_text_dim(store) == 0) return;
  run.tags = tag_vectors(store, manifest, run.model->inputs().text_dim);
}

void check_tags(const std::string& protocol, const MatchingRun& run) {
  if (!run.tags.empty()) return;
  const auto who = vmr::detail::concat("protocol ", protocol, ": the run \"", run.recipe.name,
                                       "\" knows no tags: ");
  VMR_CHECK(run.model->inputs().text_dim > 0, who, "its ", run.model->kind(),
            " model takes no text or was trained without tags; use protocol full");
  throw InvalidArgument(who +
                        "it was imported, and the store has no sentence vectors; give it those the "
                        "weights were trained with, `vmr embed --text-encoder FOLDER`");
}

bool has_features(const store::FeatureStore& store, const std::vector<model::InputSpec>& inputs,
                  const char* kind, const std::string& id) {
  return std::all_of(inputs.begin(), inputs.end(), [&](const auto& input) {
    return store.contains({input.feature, kind, id});
  });
}

// What of a vector lives in the space of the words, all of it where no slice is named.
at::Tensor words_part(const at::Tensor& vectors, const std::vector<model::ScoreSlice>& slices) {
  std::vector<at::Tensor> parts;
  for (const auto& slice : slices) {
    if (slice.words) parts.push_back(vectors.slice(2, slice.begin, slice.end));
  }
  return model::unit_rows((parts.empty() ? vectors : torch::cat(parts, 2)).flatten(1));
}

bool leaves_words(const std::vector<model::ScoreSlice>& slices) {
  return std::none_of(slices.begin(), slices.end(),
                      [](const auto& s) { return s.words && s.weight == 0; });
}

at::Tensor words_of(const MatchingRun& run, const at::Tensor& tag_vectors) {
  const auto text = run.model->embed_text(tag_vectors.to(run.model->parameters().front().device()));
  VMR_CHECK(text.has_value(), "protocol video_to_tag: the run \"", run.recipe.name, "\" is a ",
            run.model->kind(), " model that embeds no text");
  return text->cpu();
}

void check_words(const MatchingRun& run) {
  VMR_CHECK(leaves_words(run.model->score_slices()),
            "protocol video_to_tag: the run was trained with theta_weight 1, which leaves nothing "
            "of rho to compare with tags");
  words_of(run, run.tags.vectors.narrow(0, 0, 1));
}

void check_classifier(const MatchingRun& run) {
  VMR_CHECK(!run.about.at("tags").empty(), "protocol dam: the run \"", run.recipe.name,
            "\" does not say which class of its classifier is which tag");
  const auto config = run.model->config();
  const auto classes = config.value("tags", int64_t(0));
  VMR_CHECK(classes > 0 && config.at("loss").value("tag_softmax", 0.0) > 0,
            "protocol dam: the run \"", run.recipe.name,
            "\" has no trained tag classifier; train with model.tags (the number of tags) and "
            "loss.tag_softmax above 0");
  VMR_CHECK(classes >= int64_t(run.tags.tags.size()), "protocol dam: the run's classifier knows ",
            classes, " tags, its training had ", run.tags.tags.size());
}

}  // namespace

std::string name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::full:
      return "full";
    case Protocol::tag_to_tag:
      return "tag_to_tag";
    case Protocol::video_to_tag:
      return "video_to_tag";
    case Protocol::dam:
      return "dam";
  }
  return "";
}

EvaluationSource open_source(const std::filesystem::path& run_folder,
                             const std::filesystem::path& store_folder,
                             const EvaluateOptions& options) {
  auto run = open_matching_run(run_folder, options.device);
  auto model = options.theta_weight ? weighted_model(run, *options.theta_weight) : run.model;
  auto store = store::FeatureStore::open(store_folder);
  check_inputs(run, *store, store_folder);
  auto manifest = stored_manifest(*store);
  const bool by_tags = std::any_of(options.protocols.begin(), options.protocols.end(),
                                   [](Protocol p) { return p != Protocol::full; });
  if (by_tags || run.recipe.evaluate.protocol != name_of(Protocol::full)) {
    take_stored_tags(run, *store, manifest);
  }
  return {std::move(run), std::move(model), std::move(store), std::move(manifest)};
}

Evaluated load_items(EvaluationSource source, const EvaluateOptions& options,
                     const RunControl& control) {
  auto dataset = train::dataset_options(source.model->inputs(), options.split);
  dataset.unused_tracks = true;
  // Without the tags: films of new tags are queries like others.
  data::PairDataset items(*source.store, source.manifest, dataset, {}, control);
  return {std::move(source.run), std::move(source.model), std::move(source.manifest),
          std::move(items)};
}

nlohmann::json about(const Evaluated& evaluated, const EvaluateOptions& options) {
  nlohmann::json document = {{"recipe", evaluated.run.recipe.name},
                             {"split", options.split},
                             {"weights_hash", evaluated.run.weights_hash},
                             {"left_out", evaluated.items.missing().size()},
                             {"distance", options.distance == Distance::cosine ? "cosine" : "l2"}};
  if (const auto config = evaluated.model->config(); config.contains("theta_weight")) {
    document["theta_weight"] = config.at("theta_weight");
  }
  return document;
}

std::vector<int64_t> asking_tracks(const data::PairDataset& items) {
  auto tracks = items.track_of_film();
  std::sort(tracks.begin(), tracks.end());
  tracks.erase(std::unique(tracks.begin(), tracks.end()), tracks.end());
  return tracks;
}

std::vector<TaggedFilm> tagged_films(const EvaluationSource& source, const std::string& split) {
  std::map<std::string, const store::ManifestItem*> tracks;
  for (const auto* track : source.manifest.of("music")) tracks.emplace(track->id, track);
  const auto inputs = source.model->inputs();
  std::vector<TaggedFilm> films;
  for (const auto* film : source.manifest.of("film", split)) {
    const auto track = tracks.find(film->track);
    if (track == tracks.end() || !has_features(*source.store, inputs.video, "film", film->id) ||
        !has_features(*source.store, inputs.music, "music", film->track)) {
      continue;
    }
    const auto& tags = film->tags.empty() ? track->second->tags : film->tags;
    films.push_back({film->id, tags.empty() ? "" : tags.front()});
  }
  return films;
}

std::vector<TaggedFilm> tagged_films(const data::PairDataset& items) {
  std::vector<TaggedFilm> films;
  for (size_t i = 0; i < items.films().size(); ++i) {
    films.push_back({items.films()[i], items.tags()[size_t(items.tag_of_film()[i])]});
  }
  return films;
}

void check_protocol(Protocol protocol, const MatchingRun& run,
                    const std::vector<TaggedFilm>& films) {
  if (protocol == Protocol::full) return;
  const auto name = name_of(protocol);
  check_tags(name, run);
  if (protocol == Protocol::video_to_tag) check_words(run);
  if (protocol == Protocol::dam) check_classifier(run);
  for (const auto& [film, tag] : films) {
    VMR_CHECK(
        run.tags.find(tag).has_value(), "protocol ", name, ": film ", film,
        tag.empty() ? " has no tag" : " has the tag \"" + tag + "\", which the run does not know",
        "; use protocol full");
  }
}

EmbeddedItems embed_items(const Evaluated& evaluated) {
  auto& model = *evaluated.model;
  const auto& items = evaluated.items;
  return {train::embed_films(model, items), train::embed_music(model, items),
          train::prepare_films(model, items), train::prepare_music(model, items)};
}

bool has_joint_scores(const EvaluationSource& source) {
  const auto inputs = source.model->inputs().music;
  for (const auto* track : source.manifest.of("music")) {
    if (!has_features(*source.store, inputs, "music", track->id)) continue;
    NamedTracks features;
    for (const auto& input : inputs) {
      features.emplace_back(input.feature,
                            *source.store->find({input.feature, "music", track->id}));
    }
    const auto device = source.model->parameters().front().device();
    return source.model->prepare_music(batch_of_one(features, inputs, device)).has_value();
  }
  return true;  // nobody can tell; loading says that there is nothing to rank
}

TagRanking::TagRanking(Protocol protocol, const Evaluated& evaluated, const EmbeddedItems& embedded,
                       const RunControl& control) {
  const auto& run = evaluated.run;
  const auto& items = evaluated.items;
  const auto tagged = tagged_films(items);
  check_protocol(protocol, run, tagged);
  VMR_CHECK(protocol != Protocol::full, "TagRanking: the full gallery is not ranked by tags");
  for (const auto& film : tagged) tags_.push_back(*run.tags.find(film.tag));
  const auto tag_of_film = tags_;
  std::sort(tags_.begin(), tags_.end());
  tags_.erase(std::unique(tags_.begin(), tags_.end()), tags_.end());
  const auto candidates = int64_t(tags_.size());
  film_carries_ = torch::zeros({items.size(), candidates}, torch::kBool);
  track_carries_ = torch::zeros({int64_t(items.tracks().size()), candidates}, torch::kBool);
  for (size_t film = 0; film < tag_of_film.size(); ++film) {
    const auto tag = std::lower_bound(tags_.begin(), tags_.end(), tag_of_film[film]);
    film_carries_[int64_t(film)][tag - tags_.begin()] = true;
    track_carries_[items.track_of_film()[film]][tag - tags_.begin()] = true;
  }
  if (protocol == Protocol::tag_to_tag) by_own_tags(run);
  if (protocol == Protocol::video_to_tag) by_vectors(evaluated, embedded);
  if (protocol == Protocol::dam) by_classifier(run, embedded, control);
}

void TagRanking::by_own_tags(const MatchingRun& run) {
  auto vectors = run.tags.vectors.index_select(0, torch::tensor(tags_, torch::kLong));
  if (!run.recipe.reference.raw_tag_products) vectors = model::unit_rows(vectors);
  const auto closeness = vectors.mm(vectors.t());
  // A track of several tags is as close to a tag as the closest of them; one of none asks nothing.
  const auto of = [&](const at::Tensor& carries) {
    std::vector<at::Tensor> rows;
    for (int64_t item = 0; item < carries.size(0); ++item) {
      const auto own = closeness.index_select(0, carries[item].nonzero().squeeze(1));
      rows.push_back(own.size(0) > 0 ? own.amax(0) : torch::zeros({closeness.size(1)}));
    }
    return torch::stack(rows);
  };
  film_closeness_ = of(film_carries_);
  track_closeness_ = of(track_carries_);
}

void TagRanking::by_vectors(const Evaluated& evaluated, const EmbeddedItems& embedded) {
  const auto& run = evaluated.run;
  const auto slices = run.model->score_slices();
  const auto tags = run.tags.vectors.index_select(0, torch::tensor(tags_, torch::kLong));
  const auto words = words_part(words_of(run, tags), slices).t();
  // The weight of theta in the score changes the length of rho alone, unless nothing is left of it.
  const bool left = leaves_words(evaluated.model->score_slices());
  const auto films = left ? embedded.films : train::embed_films(*run.model, evaluated.items);
  const auto tracks = left ? embedded.tracks : train::embed_music(*run.model, evaluated.items);
  film_closeness_ = words_part(films, slices).mm(words);
  track_closeness_ = words_part(tracks, slices).mm(words);
}

void TagRanking::by_classifier(const MatchingRun& run, const EmbeddedItems& embedded,
                               const RunControl& control) {
  auto& model = *run.model;
  const auto &films = *embedded.prepared_films, &music = *embedded.prepared_tracks;
  const auto classes = torch::tensor(tags_, torch::kLong);
  auto surest = torch::full({music.size(0)}, kNone, torch::kFloat);
  track_closeness_ = torch::zeros({music.size(0), int64_t(tags_.size())});
  std::vector<at::Tensor> rows;
  for (int64_t film = 0; film < films.size(0) && !control.stop.stop_requested(); ++film) {
    const auto scores =
        model.tag_scores(films.narrow(0, film, 1), music)[0].cpu().index_select(1, classes);
    const auto best = scores.amax(1);
    rows.push_back(scores[best.argmax()]);
    const auto surer = best > surest;
    surest = torch::where(surer, best, surest);
    track_closeness_ = torch::where(surer.unsqueeze(1), scores, track_closeness_);
    control.progress({"tag classifier", film + 1, films.size(0), ""});
  }
  while (int64_t(rows.size()) < films.size(0))
    rows.push_back(torch::zeros({int64_t(tags_.size())}));
  film_closeness_ = torch::stack(rows);
}

eval::DirectedScores TagRanking::of(const eval::DirectedScores& scores) const {
  return {eval::tag_shortlist(scores.video_to_music, film_closeness_, track_carries_),
          eval::tag_shortlist(scores.music_to_video.t(), track_closeness_, film_carries_).t()};
}

}  // namespace vmr::pipeline
