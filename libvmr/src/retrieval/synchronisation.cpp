#include "vmr/retrieval/synchronisation.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "retrieval/null_level.h"
#include "retrieval/pairing.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"

namespace vmr::retrieval {
namespace {

constexpr size_t kMostSpeeds = 2000;  // tried of one film; each costs memory and time
constexpr double kHitSeconds = 0.04;
constexpr double kSectionHitSeconds = 0.5;
constexpr double kStretchDriftSeconds = 0.05;

// What people read beside the score. Times outside the film or the track count nowhere.
void describe(const FilmRhythm& film, const TrackRhythm& track, Synchronisation& result) {
  std::vector<double> errors, beats;
  double cuts = 0;
  const auto within = [](double seconds, double end) { return seconds >= 0 && seconds <= end; };
  std::copy_if(track.beats_seconds.begin(), track.beats_seconds.end(), std::back_inserter(beats),
               [&](double beat) { return within(beat, track.duration_seconds); });
  for (const auto& cut : film.cuts) {
    const double heard = result.offset_seconds + result.stretch * cut.seconds;
    if (beats.empty() || !within(cut.seconds, film.duration_seconds) ||
        !within(heard, track.duration_seconds)) {
      continue;
    }
    const auto after = std::lower_bound(beats.begin(), beats.end(), heard);
    double error = after == beats.end() ? heard - beats.back() : *after - heard;
    if (after != beats.begin()) error = std::min(error, heard - *(after - 1));
    errors.push_back(1000 * error / result.stretch);
    cuts += 1;
  }
  if (!errors.empty()) {
    double sum = 0, hits = 0;
    for (const double error : errors) {
      sum += error;
      hits += error <= 1000 * kHitSeconds;
    }
    result.cut_error_mean_ms = sum / cuts;
    result.beats_hit = hits / cuts;
    std::sort(errors.begin(), errors.end());
    const size_t half = errors.size() / 2;
    result.cut_error_median_ms =
        errors.size() % 2 == 1 ? errors[half] : 0.5 * (errors[half - 1] + errors[half]);
  }
  double total = 0, met = 0;
  for (const auto& section : track.sections) {
    const double seen = (section.seconds - result.offset_seconds) / result.stretch;
    if (seen <= 0 || seen >= film.duration_seconds ||
        !within(section.seconds, track.duration_seconds)) {
      continue;
    }
    total += section.strength;
    const bool near = std::any_of(film.cuts.begin(), film.cuts.end(), [&](const auto& cut) {
      return within(cut.seconds, film.duration_seconds) &&
             std::abs(cut.seconds - seen) <= kSectionHitSeconds;
    });
    if (near) met += section.strength;
  }
  result.section_agreement = total > 0 ? met / total : 0;
}

// Finds the best offset, or takes the one given.
Synchronisation best_of(const FilmRhythm& film, const std::vector<detail::FilmView>& views,
                        const TrackRhythm& track, const SynchroniseOptions& options,
                        std::optional<double> offset, const std::stop_token& stop) {
  Synchronisation result;
  double crossings = 0, best = 0;
  bool found = false;
  for (const auto& view : views) {
    if (stop.stop_requested()) return {};
    const detail::Pairing pairing(view, track, options);
    if (!pairing.has_parts()) continue;
    const auto curve = pairing.curve();
    crossings += double(detail::count_crossings(curve));
    const auto top = std::max_element(curve.begin(), curve.end());
    if (found && double(*top) <= best) continue;
    found = true;
    best = double(*top);
    const double grid =
        std::min(pairing.last_offset(),  // which rounding may pass
                 pairing.first_offset() + double(top - curve.begin()) * detail::kOffsetStepSeconds);
    result.offset_seconds = offset ? *offset : pairing.refined(grid);
    result.stretch = view.stretch;
    result.parts = pairing.parts(result.offset_seconds);
    result.energy_correlation = pairing.correlation(result.offset_seconds);
  }
  if (found) {
    result.null_level = detail::null_of_largest(crossings);
    result.parts.push_back({"chance", result.null_level.mean, -1});
    result.score = total_of(result.parts);
  } else {
    result.offset_seconds = offset.value_or(0);
    result.stretch = views.front().stretch;
  }
  describe(film, track, result);
  return result;
}

// 1, and steps of one size to both sides of it, so that wider bounds only add speeds. 1 comes
// first: of equals the track as it is.
std::vector<double> stretches(const SynchroniseOptions& options, double film_seconds) {
  // The film's ends move against its middle, which an offset can hold in place.
  const double step = 2 * kStretchDriftSeconds / film_seconds;
  const auto count = [&](double span) { return int64_t(std::floor(span / step * (1 + 1e-9))); };
  std::vector<double> list = {1};
  for (int64_t i = 1; i <= count(1 - options.min_stretch); ++i)
    list.push_back(1 - double(i) * step);
  for (int64_t i = 1; i <= count(options.max_stretch - 1); ++i)
    list.push_back(1 + double(i) * step);
  return list;
}

void check_times(const char* what, double& before, double seconds, double strength) {
  VMR_CHECK(std::isfinite(seconds) && seconds >= before, "synchronise: ", what,
            " must be finite and rising, got ", seconds, " s after ", before, " s");
  VMR_CHECK(std::isfinite(strength) && strength > 0, "synchronise: strengths of ", what,
            " must be positive, got ", strength);
  before = seconds;
}

void check_events(const char* what, const std::vector<TimedEvent>& events) {
  double before = -1e9;
  for (const auto& event : events) check_times(what, before, event.seconds, event.strength);
}

void check_curve(const char* what, const SampledCurve& curve) {
  VMR_CHECK(curve.values.empty() || (std::isfinite(curve.rate_hz) && curve.rate_hz > 0),
            "synchronise: the rate of ", what, " must be positive, got ", curve.rate_hz);
  for (const float value : curve.values) {
    VMR_CHECK(std::isfinite(value), "synchronise: values of ", what, " must be finite");
  }
}

void check_duration(const char* what, double seconds) {
  VMR_CHECK(seconds > 0 && seconds <= kLongestSeconds, "synchronise: expected a ", what,
            " longer than 0 s and of at most a day, got ", seconds, " s");
}

void check(const FilmRhythm& film) {
  check_duration("film", film.duration_seconds);
  check_events("cuts", film.cuts);
  check_curve("motion", film.motion);
}

void check(const TrackRhythm& track) {
  check_duration("track", track.duration_seconds);
  double before = -1e9;
  for (const double beat : track.beats_seconds) check_times("beats", before, beat, 1);
  before = -1e9;
  for (const double beat : track.down_beats_seconds) check_times("down-beats", before, beat, 1);
  check_events("sections", track.sections);
  check_curve("energy", track.energy);
  VMR_CHECK(track.beat_confidence >= 0 && track.beat_confidence <= 1,
            "synchronise: beat_confidence must be in 0..1, got ", track.beat_confidence);
}

}  // namespace

void to_json(nlohmann::json& json, const Synchronisation& fit) {
  json = {{"offset_seconds", fit.offset_seconds},
          {"stretch", fit.stretch},
          {"score", fit.score},
          {"null_level", {{"mean", fit.null_level.mean}, {"sd", fit.null_level.sd}}},
          {"cut_error_ms", nullptr},
          {"beats_hit", fit.beats_hit},
          {"energy_correlation", fit.energy_correlation},
          {"section_agreement", fit.section_agreement}};
  if (fit.cut_error_mean_ms) {
    json["cut_error_ms"] = {{"mean", *fit.cut_error_mean_ms}, {"median", *fit.cut_error_median_ms}};
  }
}

void validate(const SynchroniseOptions& options) {
  const auto check = [](bool good, const char* field, double value, const char* rule) {
    VMR_CHECK(good, "SynchroniseOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(options.min_stretch >= 0.5 && options.min_stretch <= 1, "min_stretch", options.min_stretch,
        "0.5 to 1");
  check(options.max_stretch >= 1 && options.max_stretch <= 2, "max_stretch", options.max_stretch,
        "1 to 2");
  for (const auto& [field, value] : {std::pair{"beats_on_cuts", options.beats_on_cuts},
                                     {"beats_on_motion", options.beats_on_motion},
                                     {"energy", options.energy},
                                     {"sections", options.sections}}) {
    check(std::isfinite(value) && value >= 0, field, value, "zero or more");
  }
  check(options.beat_width_seconds >= 0.005 && options.beat_width_seconds <= 0.2,
        "beat_width_seconds", options.beat_width_seconds, "0.005 to 0.2");
}

std::vector<Synchronisation> synchronise_all(const FilmRhythm& film,
                                             const std::vector<TrackRhythm>& tracks,
                                             const SynchroniseOptions& options, int threads,
                                             std::stop_token stop) {
  validate(options);
  check(film);
  for (const auto& track : tracks) check(track);
  const auto speeds = stretches(options, film.duration_seconds);
  VMR_CHECK(speeds.size() <= kMostSpeeds, "synchronise: a film of ", film.duration_seconds,
            " s has ", speeds.size(), " speeds between ", options.min_stretch, " and ",
            options.max_stretch, ", more than ", kMostSpeeds, "; allow less stretch");
  const auto material = detail::material_of(film);
  std::vector<detail::FilmView> views;
  for (const double stretch : speeds) {
    if (stop.stop_requested()) return {};
    views.push_back(detail::view_of(material, stretch));
  }
  std::vector<Synchronisation> results(tracks.size());
  for_each_item(
      int64_t(tracks.size()), threads,
      [&](int64_t i) {
        results[size_t(i)] = best_of(film, views, tracks[size_t(i)], options, std::nullopt, stop);
      },
      stop);
  if (stop.stop_requested()) return {};
  return results;
}

Synchronisation synchronise(const FilmRhythm& film, const TrackRhythm& track,
                            const SynchroniseOptions& options) {
  return synchronise_all(film, {track}, options, 1).front();
}

Synchronisation synchronise_at(const FilmRhythm& film, const TrackRhythm& track,
                               double offset_seconds, double stretch,
                               const SynchroniseOptions& options) {
  validate(options);
  check(film);
  check(track);
  VMR_CHECK(stretch >= 0.5 && stretch <= 2, "synchronise_at: stretch must be 0.5 to 2, got ",
            stretch);
  const double room = track.duration_seconds - stretch * film.duration_seconds;
  const double low = std::min(room, 0.0), high = std::max(room, 0.0);
  VMR_CHECK(offset_seconds >= low && offset_seconds <= high, "synchronise_at: the offset must be ",
            low, " to ", high, " s, got ", offset_seconds);
  return best_of(film, {detail::view_of(detail::material_of(film), stretch)}, track, options,
                 offset_seconds, {});
}

}  // namespace vmr::retrieval
