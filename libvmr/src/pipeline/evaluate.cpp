// Evaluation of a matching run: independent and joint scores beside the hidden truth's ceiling.
#include <torch/torch.h>

#include <algorithm>

#include "pipeline/protocols.h"
#include "pipeline/truth_ceiling.h"
#include "vmr/core/error.h"
#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// Scores of a run: independent ones and, where the model has them, joint ones.
struct Scores {
  eval::DirectedScores independent;
  std::optional<eval::DirectedScores> joint;
  json about_joint;
};

Scores scores_of(const Evaluated& opened, const EmbeddedItems& embedded,
                 const EvaluateOptions& options, const RunControl& control) {
  auto& model = *opened.model;
  const auto& items = opened.items;
  const auto first = train::embedding_scores(embedded.films, embedded.tracks, model.score_slices(),
                                             options.distance);
  Scores scores = {{first, first}, {}, {}};
  train::JointOptions joint;
  joint.scoring = options.joint;
  joint.distance = options.distance;
  const bool mean = options.joint == model::PairScoring::gallery_mean;
  const bool whole = mean || int64_t(items.tracks().size()) <= options.joint_limit;
  if (!whole) joint.shortlist = options.joint_shortlist;
  scores.about_joint = {{"shortlist", joint.shortlist}, {"scoring", mean ? "gallery_mean" : "own"}};
  if (!embedded.prepared_tracks) return scores;
  const auto &films = *embedded.prepared_films, &tracks = *embedded.prepared_tracks;
  const auto to_music = train::joint_scores(model, films, tracks, first, joint, control);
  if (!to_music) return scores;  // stopped
  // A film's shortlist says nothing of how films compare for a track: tracks have their own.
  auto to_video = to_music;
  if (joint.shortlist > 0) {
    to_video = train::joint_scores_of_tracks(model, films, tracks, first, asking_tracks(items),
                                             joint, control);
  }
  if (to_video) scores.joint = eval::DirectedScores{*to_music, *to_video};
  return scores;
}

// The figures of the scores, each as they are or ranked by tags.
template <typename Ranking>
json documents(const Scores& scores, const data::PairDataset& items,
               const eval::EvaluationOptions& options, const Ranking& ranking) {
  const auto& tracks = items.track_of_film();
  auto document = eval::evaluation_document(ranking(scores.independent), tracks, options);
  if (scores.joint) {
    document["joint"] = eval::evaluation_document(ranking(*scores.joint), tracks, options);
    document["joint"].update(scores.about_joint);
  }
  return document;
}

json sampled(const Scores& scores, const data::PairDataset& items,
             const eval::SampledOptions& options) {
  const auto of = [&](const eval::DirectedScores& directed) {
    return eval::sampled_document(eval::sampled_negatives(directed, items.track_of_film(), options),
                                  options);
  };
  auto document = of(scores.independent);
  if (scores.joint) document["joint"] = of(*scores.joint);
  return document;
}

std::vector<Protocol> protocols_of(const EvaluateOptions& options, const Recipe& recipe) {
  if (!options.protocols.empty()) return options.protocols;
  std::vector<Protocol> protocols;
  for (const auto protocol : kProtocols) {
    if (name_of(protocol) == recipe.evaluate.protocol) protocols.push_back(protocol);
  }
  return protocols;
}

struct Protocols {
  std::vector<Protocol> possible;
  std::vector<ItemFailure> failures;  // id: "dam"
};

// One that cannot be done does not cost the others, unless it was all that was asked for.
Protocols sort_out(const EvaluateOptions& options, const EvaluationSource& source) {
  Protocols sorted;
  const auto asked = protocols_of(options, source.run.recipe);
  if (std::all_of(asked.begin(), asked.end(), [](auto one) { return one == Protocol::full; })) {
    return sorted;
  }
  const auto films = tagged_films(source, options.split);
  for (const auto protocol : asked) {
    try {
      check_protocol(protocol, source.run, films);
      sorted.possible.push_back(protocol);
    } catch (const InvalidArgument& error) {
      sorted.failures.push_back({name_of(protocol), error.what()});
    }
  }
  std::string reasons;
  for (const auto& failure : sorted.failures) {
    reasons += (reasons.empty() ? "" : "\n") + failure.reason;
  }
  VMR_CHECK(!sorted.possible.empty(), reasons);
  return sorted;
}

json to_json(const std::vector<ItemFailure>& failures) {
  auto list = json::array();
  for (const auto& failure : failures) {
    list.push_back({{"protocol", failure.id}, {"reason", failure.reason}});
  }
  return list;
}

}  // namespace

json evaluate(const std::filesystem::path& run_folder, const std::filesystem::path& store_folder,
              const EvaluateOptions& options, const RunControl& control) {
  // Whatever is wrong with what was asked for is said before the items are loaded.
  if (options.sampled) eval::validate(*options.sampled);
  auto source = open_source(run_folder, store_folder, options);
  const bool mean = options.joint == model::PairScoring::gallery_mean;
  VMR_CHECK(!mean || has_joint_scores(source), "a ", source.model->kind(),
            " model has no joint scores; gallery_mean is for models with cross attention "
            "(ut_cmvmr)");
  const auto protocols = sort_out(options, source);
  std::optional<TruthCeiling> ceiling;
  if (!options.truth.empty()) ceiling.emplace(options.truth, options.split, source.manifest);
  const auto opened = load_items(std::move(source), options, control);
  const auto& items = opened.items;

  eval::EvaluationOptions evaluation;
  evaluation.ks = opened.run.recipe.evaluate.ks;
  evaluation.resamples = options.resamples;
  evaluation.seed = options.seed;
  evaluation.ties = options.ties;
  const auto embedded = embed_items(opened);
  const auto scores = scores_of(opened, embedded, options, control);
  auto document =
      documents(scores, items, evaluation, [](const eval::DirectedScores& all) { return all; });
  document.update(about(opened, options));
  for (const auto protocol : protocols.possible) {
    if (protocol == Protocol::full || control.stop.stop_requested()) continue;
    const TagRanking ranking(protocol, opened, embedded, control);
    auto& part = document["protocols"][name_of(protocol)];
    part = documents(scores, items, evaluation,
                     [&](const eval::DirectedScores& all) { return ranking.of(all); });
    part["oracle"] = protocol == Protocol::tag_to_tag;
  }
  if (options.sampled) document["sampled_negatives"] = sampled(scores, items, *options.sampled);
  if (!protocols.failures.empty()) document["failures"] = to_json(protocols.failures);
  if (ceiling) document["ceiling"] = ceiling->document(items, evaluation);
  return document;
}

}  // namespace vmr::pipeline
