#include "vmr/pipeline/fit.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "pipeline/extract_film.h"
#include "pipeline/track_metadata.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"
#include "vmr/media/probe.h"

namespace vmr::pipeline {
namespace {

// A film of fewer frames a second than the clock shows a frame twice, which has not moved then: up
// to so many steps in a row take the motion of the step before.
constexpr int64_t kHeldSteps = 2;

const FeatureTrack* find(const NamedTracks& tracks, const std::string& name) {
  for (const auto& [feature, track] : tracks) {
    if (feature == name) return &track;
  }
  return nullptr;
}

std::vector<float> floats(const FeatureTrack& track) {
  const auto values = track.values.to(at::kFloat).contiguous();
  const auto* begin = values.const_data_ptr<float>();
  return {begin, begin + values.numel()};
}

std::vector<double> seconds_of(const FeatureTrack* track) {
  if (track == nullptr) return {};
  std::vector<double> seconds;
  for (const auto& row : track->times.to_list()) seconds.push_back(row.start_seconds);
  return seconds;
}

std::vector<float> without_repeats(std::vector<float> motion) {
  const auto count = int64_t(motion.size());
  for (int64_t begin = 1; begin < count; ++begin) {
    if (motion[size_t(begin)] != 0) continue;
    int64_t end = begin;
    while (end < count && motion[size_t(end)] == 0) ++end;
    if (end - begin <= kHeldSteps) {
      std::fill(motion.begin() + begin, motion.begin() + end, motion[size_t(begin - 1)]);
    }
    begin = end;
  }
  return motion;
}

FitHit fit_hit(const store::ManifestItem& item, const retrieval::TrackRhythm& track,
               const retrieval::Synchronisation& fit, double film_seconds) {
  FitHit found;
  found.fit = fit;
  found.track_has_beats = !track.beats_seconds.empty() && track.beat_confidence > 0;
  const double ends = (track.duration_seconds - fit.offset_seconds) / fit.stretch;
  if (ends < film_seconds - kUnheardSeconds) found.music_ends_seconds = ends;
  auto& hit = found.hit;
  hit.id = item.id;
  hit.score = fit.score;
  hit.parts = fit.parts;
  hit.offset_seconds = fit.offset_seconds;
  hit.metadata = detail::metadata_of(item);
  auto& told = hit.metadata["synchronisation"] = fit;
  if (!fit.cut_error_median_ms) told["beats_hit"] = nullptr;
  told["track_has_beats"] = found.track_has_beats;
  told["music_ends_seconds"] =
      found.music_ends_seconds ? nlohmann::json(*found.music_ends_seconds) : nlohmann::json();
  return found;
}

double picture_end(const std::filesystem::path& film) {
  const auto video = media::probe(film).video;
  if (!video) throw MediaError(film.string() + ": has no video stream; give a film");
  return video->start_seconds + video->duration_seconds;
}

}  // namespace

ExtractRecipe fit_recipe() {
  ExtractRecipe recipe;
  recipe.beats.emplace();
  recipe.down_beats = recipe.energy = recipe.sections = true;
  auto& flow = recipe.flow.emplace();
  flow.fps = 30;
  flow.height = 96;
  flow.width = 128;
  recipe.cuts = true;
  return recipe;
}

FilmAnalysis analyse_film_rhythm(const std::filesystem::path& film, std::stop_token stop,
                                 int threads, std::optional<double> picture_ends) {
  FilmAnalysis analysis;
  analysis.path = film;
  auto extracted = detail::extract_film(film, fit_recipe(), std::move(stop), threads);
  analysis.tracks = std::move(extracted.tracks);
  analysis.problems = std::move(extracted.problems);
  // Sound that goes on behind the picture is no film.
  analysis.duration_seconds = picture_ends ? *picture_ends : picture_end(film);
  return analysis;
}

retrieval::FilmRhythm film_rhythm(const FilmAnalysis& film) {
  const auto* flow = find(film.tracks, "flow");
  VMR_CHECK(flow != nullptr, "film_rhythm: expected an analysis with the feature \"flow\"");
  retrieval::FilmRhythm rhythm;
  rhythm.duration_seconds = film.duration_seconds;
  for (const double seconds : seconds_of(find(film.tracks, "cuts"))) {
    rhythm.cuts.push_back({seconds, 1});
  }
  // Row i is the motion from frame i - 1 to frame i, and row 0 repeats row 1.
  auto values = floats(*flow);
  if (values.size() > 1 && flow->times.hop_seconds() > 0) {
    values.erase(values.begin());
    rhythm.motion = {1 / flow->times.hop_seconds(), without_repeats(std::move(values))};
  }
  return rhythm;
}

std::optional<retrieval::TrackRhythm> track_rhythm(const NamedTracks& tracks) {
  const auto* energy = find(tracks, "energy");
  const auto* beats = find(tracks, "beats");
  if (energy == nullptr || beats == nullptr || energy->times.size() == 0) return std::nullopt;
  retrieval::TrackRhythm rhythm;
  const double hop = energy->times.hop_seconds();
  rhythm.duration_seconds = double(energy->times.size()) * hop;
  rhythm.energy = {1 / hop, floats(*energy)};
  rhythm.beats_seconds = seconds_of(beats);
  rhythm.down_beats_seconds = seconds_of(find(tracks, "down_beats"));
  if (const auto* confidence = find(tracks, "beat_confidence")) {
    rhythm.beat_confidence = std::clamp(double(floats(*confidence).at(0)), 0.0, 1.0);
  }
  if (const auto* sections = find(tracks, "sections")) {
    const auto seconds = seconds_of(sections);
    const auto strengths = floats(*sections);
    for (size_t i = 0; i < seconds.size(); ++i) {
      if (strengths[i] > 0) rhythm.sections.push_back({seconds[i], double(strengths[i])});
    }
  }
  return rhythm;
}

std::optional<retrieval::TrackRhythm> track_rhythm(const store::FeatureStore& store,
                                                   const std::string& id) {
  NamedTracks tracks;
  for (const char* name : {"beats", "down_beats", "beat_confidence", "energy", "sections"}) {
    if (auto track = store.find({name, "music", id})) tracks.emplace_back(name, std::move(*track));
  }
  return track_rhythm(tracks);
}

std::vector<FitHit> fit(const FilmAnalysis& film, const std::filesystem::path& store_folder,
                        const std::vector<store::ManifestItem>& tracks, const FitOptions& options,
                        const RunControl& control) {
  VMR_CHECK(options.top >= 1, "fit: expected top >= 1, got ", options.top);
  std::vector<std::optional<retrieval::TrackRhythm>> read(tracks.size());
  {
    const auto store = store::FeatureStore::open(store_folder);
    for_each_item(
        int64_t(tracks.size()), options.threads,
        [&](int64_t i) { read[size_t(i)] = track_rhythm(*store, tracks[size_t(i)].id); },
        control.stop);
  }
  if (control.stop.stop_requested()) return {};
  std::vector<const store::ManifestItem*> items;
  std::vector<retrieval::TrackRhythm> rhythms;
  for (size_t i = 0; i < tracks.size(); ++i) {
    const auto name = tracks[i].path.empty() ? tracks[i].id : tracks[i].path.string();
    if (!read[i]) {
      control.log(LogLevel::warning, name + ": too short, or not analysed; left out");
      continue;
    }
    if (read[i]->duration_seconds > retrieval::kLongestSeconds) {
      control.log(LogLevel::warning, name + ": longer than a day; left out");
      continue;
    }
    items.push_back(&tracks[i]);
    rhythms.push_back(std::move(*read[i]));
  }
  const auto fits = retrieval::synchronise_all(film_rhythm(film), rhythms, options.synchronise,
                                               options.threads, control.stop);
  std::vector<size_t> order(fits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (fits[a].score != fits[b].score) return fits[a].score > fits[b].score;
    return items[a]->id < items[b]->id;
  });
  order.resize(std::min(order.size(), size_t(options.top)));
  std::vector<FitHit> hits;
  for (const size_t i : order) {
    hits.push_back(fit_hit(*items[i], rhythms[i], fits[i], film.duration_seconds));
  }
  return hits;
}

std::vector<ItemFailure> rank_with_fit(std::vector<retrieval::Hit>& hits, const FilmAnalysis& film,
                                       const std::filesystem::path& store_folder, double weight,
                                       const ExtractOptions& options, const RunControl& control) {
  VMR_CHECK(weight >= 0, "rank_with_fit: expected a weight of 0 or more, got ", weight);
  std::vector<ItemFailure> failures;
  std::vector<std::filesystem::path> paths;
  for (const auto& hit : hits) {
    const auto path = track_path(hit);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) {
      paths.push_back(path);
    } else {
      failures.push_back({hit.id, "its file is not there: " + path.string()});
    }
  }
  if (paths.empty()) return failures;
  const auto music = analyse_music(paths, store_folder, options, control);
  std::map<std::string, std::string> hits_by_path;
  for (const auto& hit : hits) hits_by_path[track_path(hit).string()] = hit.id;
  for (auto failure : music.summary.failures) {
    if (const auto id = hits_by_path.find(failure.id); id != hits_by_path.end()) {
      failure.id = id->second;
    }
    failures.push_back(std::move(failure));
  }
  FitOptions every;
  every.top = std::max<int64_t>(1, int64_t(music.tracks.size()));
  every.threads = options.threads;
  std::map<std::string, FitHit> fits;
  for (auto& found : fit(film, store_folder, music.tracks, every, control)) {
    fits.emplace(found.hit.id, std::move(found));
  }
  for (auto& hit : hits) {
    const auto id = music.ids.find(track_path(hit).string());
    const auto found = id == music.ids.end() ? fits.end() : fits.find(id->second);
    if (found == fits.end()) {
      const auto listed = [&](const ItemFailure& failure) { return failure.id == hit.id; };
      if (std::none_of(failures.begin(), failures.end(), listed)) {
        failures.push_back({hit.id, "could not be fitted; its score stays"});
      }
      continue;
    }
    for (const auto& part : found->second.fit.parts) {
      hit.parts.push_back({part.name, part.value, part.weight * weight});
    }
    hit.score = retrieval::total_of(hit.parts);
    hit.offset_seconds = found->second.fit.offset_seconds;
    hit.metadata["synchronisation"] = found->second.hit.metadata["synchronisation"];
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return failures;
}

}  // namespace vmr::pipeline
