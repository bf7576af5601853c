#include "vmr/pipeline/variants.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "pipeline/protocols.h"
#include "vmr/core/error.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using Queries = std::vector<int64_t>;

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// What one direction's queries got and took; both empty where nobody can ask.
struct Asked {
  std::vector<double> query_ms;
  std::vector<at::Tensor> scores;  // [gallery] of each query
};

struct Variant {
  std::string name;
  bool embeds = false, joint = false;
  train::JointOptions options = {};
  Asked films = {}, tracks = {};

  bool asked_by_tracks() const { return options.scoring == model::PairScoring::own; }
};

// One kind of items as a gallery: what is kept of them, and how long that took.
struct Side {
  at::Tensor vectors;                  // [items, vectors, dim]
  std::optional<at::Tensor> prepared;  // [items, n]
  double vectors_ms = 0, prepared_ms = 0;

  double prepare_ms(const Variant& variant) const {
    return (variant.embeds ? vectors_ms : 0) + (variant.joint ? prepared_ms : 0);
  }
};

template <typename Embed, typename Prepare>
Side side_of(const Embed& embed, const Prepare& prepare) {
  Side side;
  // A first pass loads and sizes what LibTorch keeps; the second is the time of a gallery.
  for (int pass = 0; pass < 2; ++pass) {
    side.vectors_ms = milliseconds([&] { side.vectors = embed(); });
    side.prepared_ms = milliseconds([&] {
      side.prepared = prepare();
      if (side.prepared) side.prepared->select(0, 0).cpu();  // waits for the device
    });
  }
  return side;
}

// Both galleries and the way of one query through the other kind's.
class Galleries {
 public:
  Galleries(model::MatchingModel& model, const data::PairDataset& items, Distance distance)
      : model_(model),
        items_(items),
        distance_(distance),
        device_(model.parameters()[0].device()),
        tracks_(side_of([&] { return train::embed_music(model, items); },
                        [&] { return train::prepare_music(model, items); })),
        films_(side_of([&] { return train::embed_films(model, items); },
                       [&] { return train::prepare_films(model, items); })) {}

  bool joint() const { return tracks_.prepared.has_value(); }
  const Side& tracks() const { return tracks_; }
  const Side& films() const { return films_; }

  // Scores [tracks] of a film.
  at::Tensor of_film(int64_t film, const Variant& variant) const {
    const torch::NoGradGuard no_grad;
    const auto video = data::to_device(items_.collate_video({film}), device_);
    at::Tensor first;
    if (variant.embeds) {
      const auto vector = model_.embed_video(video).to(torch::kFloat).cpu();
      first = scores(vector, tracks_.vectors)[0];
    }
    if (!variant.joint) return first;
    return train::joint_row(model_, *model_.prepare_video(video), *tracks_.prepared, first,
                            variant.options);
  }

  // Scores [films] of a track.
  at::Tensor of_track(int64_t track, const Variant& variant) const {
    const torch::NoGradGuard no_grad;
    const auto music = data::to_device(items_.collate_music({track}), device_);
    at::Tensor first;
    if (variant.embeds) {
      const auto vector = model_.embed_music(music).to(torch::kFloat).cpu();
      first = scores(films_.vectors, vector).squeeze(1);
    }
    if (!variant.joint) return first;
    return train::joint_column(model_, *films_.prepared, *model_.prepare_music(music), first,
                               variant.options);
  }

 private:
  at::Tensor scores(const at::Tensor& films, const at::Tensor& tracks) const {
    return train::embedding_scores(films, tracks, model_.score_slices(), distance_);
  }

  model::MatchingModel& model_;
  const data::PairDataset& items_;
  Distance distance_;
  torch::Device device_;
  Side tracks_, films_;
};

std::vector<Variant> variants_of(const VariantsOptions& options, int64_t tracks, bool joint) {
  std::vector<Variant> variants = {{"independent", true, false}};
  if (!joint) return variants;
  train::JointOptions own;
  own.distance = options.evaluate.distance;
  auto mean = own;
  mean.scoring = model::PairScoring::gallery_mean;
  variants.push_back({"pairwise_mean", false, true, mean});
  variants.push_back({"pairwise", false, true, own});
  auto lengths = options.shortlists;
  if (lengths.empty()) {
    lengths = {10, 25, 50, 100, 200};
    std::erase_if(lengths, [&](int64_t length) { return length >= tracks; });
  }
  for (const int64_t length : lengths) {
    auto list = own;
    list.shortlist = length;
    variants.push_back({"shortlist", true, true, list});
  }
  return variants;
}

void check_shortlists(const VariantsOptions& options, const EvaluationSource& source) {
  for (const int64_t length : options.shortlists) {
    VMR_CHECK(length >= 1, "a shortlist needs at least 1 item, got ", length);
  }
  VMR_CHECK(options.shortlists.empty() || has_joint_scores(source), "a ", source.model->kind(),
            " model has no joint scores to rank a shortlist by; shortlists are for models with "
            "cross attention (ut_cmvmr)");
}

// In both directions a length that leaves nothing out compares nothing.
void warn_of_long_lists(const VariantsOptions& options, const data::PairDataset& items,
                        const RunControl& control) {
  const auto tracks = int64_t(items.tracks().size()), films = items.size();
  for (const int64_t length : options.shortlists) {
    for (const auto& [size, what] : {std::pair{tracks, " tracks"}, {films, " films"}}) {
      if (length < size) continue;
      control.log(LogLevel::warning, detail::concat("a shortlist of ", length,
                                                    " is the whole gallery of ", size, what));
    }
  }
}

template <typename Score>
void ask(Asked& asked, int64_t top, const Score& score) {
  at::Tensor row;
  asked.query_ms.push_back(milliseconds([&] {
    row = score();
    eval::ranking(row, std::min(top, row.size(0)));
  }));
  asked.scores.push_back(row);
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto place = std::ceil(share * double(values.size())) - 1;
  return values[size_t(std::max(0.0, place))];
}

// Figures of a direction with its times.
void add_times(json& direction, const Asked& asked, double prepare_ms) {
  const bool none = asked.query_ms.empty();
  direction["prepare_ms"] = none ? json() : json(prepare_ms);
  direction["query_ms"] = none ? json()
                               : json{{"median", quantile(asked.query_ms, 0.5)},
                                      {"p95", quantile(asked.query_ms, 0.95)}};
}

json document_of(const Variant& variant, const Galleries& galleries, const Queries& tracks,
                 const data::PairDataset& items, const eval::EvaluationOptions& options) {
  const auto to_music = at::stack(variant.films.scores);
  auto to_video = to_music;
  if (variant.asked_by_tracks()) {
    to_video = at::zeros_like(to_music);  // columns of tracks that ask nothing are not read
    for (size_t i = 0; i < tracks.size(); ++i) {
      to_video.select(1, tracks[i]).copy_(variant.tracks.scores[i]);
    }
  }
  auto document = eval::evaluation_document(eval::DirectedScores{to_music, to_video},
                                            items.track_of_film(), options);
  add_times(document["video_to_music"], variant.films, galleries.tracks().prepare_ms(variant));
  add_times(document["music_to_video"], variant.tracks, galleries.films().prepare_ms(variant));
  document["name"] = variant.name;
  document["shortlist"] = variant.options.shortlist;
  return document;
}

}  // namespace

json compare_variants(const std::filesystem::path& run_folder,
                      const std::filesystem::path& store_folder, const VariantsOptions& options,
                      const RunControl& control) {
  auto source = open_source(run_folder, store_folder, options.evaluate);
  check_shortlists(options, source);
  const auto opened = load_items(std::move(source), options.evaluate, control);
  const auto& items = opened.items;
  warn_of_long_lists(options, items, control);
  const Galleries galleries(*opened.model, items, options.evaluate.distance);
  auto variants = variants_of(options, int64_t(items.tracks().size()), galleries.joint());
  const auto tracks = asking_tracks(items);
  eval::EvaluationOptions evaluation;
  evaluation.ks = opened.run.recipe.evaluate.ks;
  evaluation.resamples = options.evaluate.resamples;
  evaluation.seed = options.evaluate.seed;
  evaluation.ties = options.evaluate.ties;
  const auto top = *std::max_element(evaluation.ks.begin(), evaluation.ks.end());
  for (const auto& variant : variants) {  // warm
    galleries.of_film(0, variant);
    if (variant.asked_by_tracks()) galleries.of_track(tracks.front(), variant);
  }
  const auto queries = items.size() + int64_t(tracks.size());
  for (int64_t film = 0; film < items.size() && !control.stop.stop_requested(); ++film) {
    for (auto& variant : variants) {
      ask(variant.films, top, [&] { return galleries.of_film(film, variant); });
    }
    control.progress({"variants", film + 1, queries, ""});
  }
  for (size_t i = 0; i < tracks.size() && !control.stop.stop_requested(); ++i) {
    for (auto& variant : variants) {
      if (!variant.asked_by_tracks()) continue;
      ask(variant.tracks, top, [&] { return galleries.of_track(tracks[i], variant); });
    }
    control.progress({"variants", items.size() + int64_t(i) + 1, queries, ""});
  }
  auto document = about(opened, options.evaluate);
  document["threads"] = at::get_num_threads();
  document["device"] = opened.model->parameters()[0].device().str();
  document["variants"] = json::array();
  if (control.stop.stop_requested()) return document;
  for (const auto& variant : variants) {
    document["variants"].push_back(document_of(variant, galleries, tracks, items, evaluation));
  }
  return document;
}

}  // namespace vmr::pipeline
