#include "retrieval/pairing.h"

#include <algorithm>
#include <cmath>

#include "retrieval/bar_strength.h"
#include "retrieval/film_events.h"

namespace vmr::retrieval::detail {
namespace {

constexpr double kFineSeconds = 0.001;
constexpr double kMotionWidthFactor = 2;  // a motion peak is not as sharp as a cut
constexpr double kSectionWidthSeconds = 0.3;
constexpr double kPlainBeat = 0.5;   // of a down-beat's 1, where down-beats are known
constexpr double kGroupSeconds = 5;  // motion peaks within are one witness, not several

// Peaks of one shot follow each other regularly: where one meets a beat, the next ones do too.
std::vector<int64_t> groups_of_peaks(const std::vector<TimedEvent>& peaks,
                                     const std::vector<TimedEvent>& cuts) {
  std::vector<int64_t> groups;
  size_t shot = 0;
  int64_t group = -1;
  double until = -1;
  for (const auto& peak : peaks) {
    bool fresh = groups.empty() || peak.seconds >= until;
    while (shot < cuts.size() && cuts[shot].seconds <= peak.seconds) {
      ++shot;
      fresh = true;
    }
    if (fresh) {
      ++group;
      until = peak.seconds + kGroupSeconds;
    }
    groups.push_back(group);
  }
  return groups;
}

}  // namespace

FilmMaterial material_of(const FilmRhythm& film) {
  const auto inside = [&](std::vector<TimedEvent> events) {
    std::erase_if(events, [&](const auto& event) {
      return event.seconds < 0 || event.seconds > film.duration_seconds;
    });
    return events;
  };
  FilmMaterial material;
  material.duration = film.duration_seconds;
  material.cuts = inside(film.cuts);
  material.peaks = inside(motion_peaks(film));
  material.peak_groups = groups_of_peaks(material.peaks, material.cuts);
  material.log_motion = log_motion(film);
  material.changes = inside(motion_changes(film, material.log_motion));
  return material;
}

FilmView view_of(const FilmMaterial& film, double stretch) {
  FilmView view;
  view.stretch = stretch;
  view.duration = film.duration * stretch;
  view.cuts = film_events(film.cuts, stretch);
  view.peaks = film_events(film.peaks, stretch, film.peak_groups);
  view.changes = film_events(film.changes, stretch);
  view.activity = film_activity(film.log_motion, film.duration, stretch);
  return view;
}

Pairing::Pairing(const FilmView& film, const TrackRhythm& track, const SynchroniseOptions& options)
    : film_(film),
      room_(track.duration_seconds - film.duration),
      beats_(options.beat_width_seconds, track.duration_seconds),
      motion_(options.beat_width_seconds * kMotionWidthFactor, track.duration_seconds),
      sections_(kSectionWidthSeconds, track.duration_seconds, true),
      energy_(film.activity, track.energy, first_offset(), last_offset()) {
  place_events(track);
  const double sure = track.beat_confidence;
  const auto usable = [](const Nearness& nearness, const FilmEvents& events) {
    return nearness.usable() && !events.empty();
  };
  weights_ = {usable(beats_, film.cuts) ? options.beats_on_cuts * sure : 0,
              usable(motion_, film.peaks) ? options.beats_on_motion * sure : 0,
              energy_.usable() ? options.energy : 0,
              usable(sections_, film.changes) ? options.sections : 0};
  double square = 0;
  for (const double weight : weights_) square += weight * weight;
  for (double& weight : weights_) weight = square > 0 ? weight / std::sqrt(square) : 0;
  has_parts_ = square > 0;
}

double Pairing::correlation(double offset) const {
  return energy_.usable() ? energy_.correlation(offset) : 0;
}

std::vector<float> Pairing::curve() const {
  const auto offsets = size_t((last_offset() - first_offset()) / kOffsetStepSeconds) + 1;
  std::vector<float> total(offsets, 0.0f);
  if (weights_[0] > 0) beats_.add_scores(film_.cuts, weights_[0], total);
  if (weights_[1] > 0) motion_.add_scores(film_.peaks, weights_[1], total);
  if (weights_[2] > 0) energy_.add_scores(weights_[2], total);
  if (weights_[3] > 0) sections_.add_scores(film_.changes, weights_[3], total);
  return total;
}

std::vector<ScorePart> Pairing::parts(double offset) const {
  std::vector<ScorePart> parts;
  const auto add = [&](const char* name, double weight, const auto& score) {
    if (weight > 0) parts.push_back({name, score(), weight});
  };
  add("beats_on_cuts", weights_[0], [&] { return beats_.score(film_.cuts, offset); });
  add("beats_on_motion", weights_[1], [&] { return motion_.score(film_.peaks, offset); });
  add("energy", weights_[2], [&] { return energy_.score(offset); });
  add("sections", weights_[3], [&] { return sections_.score(film_.changes, offset); });
  return parts;
}

double Pairing::refined(double offset) const {
  double best = offset, best_total = total_of(parts(offset));
  const auto steps = std::lround(kOffsetStepSeconds / kFineSeconds);
  for (long i = -steps; i <= steps; ++i) {
    const double candidate = offset + double(i) * kFineSeconds;
    if (candidate < first_offset() || candidate > last_offset()) continue;
    const double total = total_of(parts(candidate));
    if (total <= best_total) continue;
    best_total = total;
    best = candidate;
  }
  return best;
}

void Pairing::place_events(const TrackRhythm& track) {
  const auto bars = bar_strengths(track);
  for (size_t i = 0; i < track.beats_seconds.size(); ++i) {
    const double height = bars.empty() ? 1 : kPlainBeat + (1 - kPlainBeat) * bars[i];
    for (auto* nearness : {&beats_, &motion_}) nearness->add(track.beats_seconds[i], height);
  }
  for (const auto& section : track.sections) sections_.add(section.seconds, section.strength);
  // Wherever an event of the film can fall.
  const double end = last_offset() + film_.duration;
  for (auto* nearness : {&beats_, &motion_, &sections_}) nearness->fill(first_offset(), end);
}

}  // namespace vmr::retrieval::detail
