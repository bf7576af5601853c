// Synchronisation: where in a track a film should start, so that beats meet cuts and motion peaks,
// the music is loud where the film is lively, and sections change where the film does. All offsets
// of a 10 ms grid are scored, the best is refined to 1 ms. Each part is a standard score under
// chance: what the same events would get at random places of this very track, so that a dense beat
// grid, which is near anything, gains nothing. The best of many offsets is high by chance too; that
// null level is taken off. Plain values in and out. Thread-safe, deterministic whatever the
// threads.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "vmr/retrieval/hit.h"

namespace vmr::retrieval {

// Something that happens at a time, strength > 0: a cut with its score, a change of section.
struct TimedEvent {
  double seconds = 0;
  double strength = 1;
};

// Value i covers [i, i + 1) / rate_hz seconds.
struct SampledCurve {
  double rate_hz = 0;  // > 0 where there are values
  std::vector<float> values;
};

inline constexpr double kLongestSeconds = 86400;  // of a film or a track

struct FilmRhythm {
  double duration_seconds = 0;
  std::vector<TimedEvent> cuts;  // rising
  // How much the picture moves, any unit, not negative. Motion peaks are found on it where it has
  // 8 values a second or more.
  SampledCurve motion;
};

struct TrackRhythm {
  double duration_seconds = 0;
  std::vector<double> beats_seconds;       // rising
  std::vector<double> down_beats_seconds;  // rising; those of the beats that begin a bar, or none
  double beat_confidence = 1;              // 0..1: the weight of beats is multiplied by it
  SampledCurve energy;                     // loudness in decibel
  std::vector<TimedEvent> sections;        // changes, rising
};

struct SynchroniseOptions {
  // Allowed playback speeds of the track, 1 = as it is. Tried are 1 and, within the bounds, steps of
  // 0.1 s / film to both sides of it, so that the film's ends move by 50 ms from one to the next and
  // wider bounds only add speeds; the work grows with their number (61 for 0.95 to 1.05 and a film
  // of a minute).
  double min_stretch = 1;  // 0.5 to 1
  double max_stretch = 1;  // 1 to 2
  // Shares of the parts, each >= 0. A part without material (no cuts, no beats ...) has none.
  double beats_on_cuts = 1;
  double beats_on_motion = 0.5;
  double energy = 1;
  double sections = 0.25;
  double beat_width_seconds = 0.03;  // how near is near: standard deviation of the window
};

struct NullLevel {
  double mean = 0;
  double sd = 1;
};

struct Synchronisation {
  // Film time t is heard at offset + stretch * t of the track. The film lies within the track:
  // 0 <= offset <= track - stretch * film. Of a shorter track, which lies within the film then:
  // track - stretch * film <= offset <= 0, and below 0 silence comes first.
  double offset_seconds = 0;
  double stretch = 1;
  // How far the best offset stands above the null level, in standard deviations of the score at a
  // random offset: about 0 for a film that has nothing to do with the track. The sum of value *
  // weight of the parts: "beats_on_cuts", "beats_on_motion", "energy", "sections", each a standard
  // score at this offset (0 = chance), and "chance", the null level's mean. 0 without any part.
  double score = 0;
  std::vector<ScorePart> parts;
  // What the best offset of an unrelated film reaches by chance: of the sum over parts but
  // "chance". It rises with the offsets that are searched, and assumes that events fall without
  // regard to each other: a film cut to the beat of another piece strays further. Of a track
  // whose beats never drift all beats offer the same offsets, and the level is 1 to 2 too high.
  NullLevel null_level;
  // Of the cuts that fall into the track to the beat nearest to each. Empty without cuts or beats.
  std::optional<double> cut_error_mean_ms, cut_error_median_ms;
  double beats_hit = 0;  // share of cuts within 40 ms of a beat
  // Pearson's correlation of motion (natural log) and the power of the sound on a clock of 10 Hz,
  // both smoothed over 0.8 s, -1..1; 0 where one of them is constant or missing.
  double energy_correlation = 0;
  // Share, by strength, of the section changes during the film that lie within half a second of a
  // cut, 0..1.
  double section_agreement = 0;
};

// {"offset_seconds", "stretch", "score", "null_level": {"mean", "sd"},
// "cut_error_ms": {"mean", "median"} or null, "beats_hit", "energy_correlation",
// "section_agreement"}; the parts are the hit's.
void to_json(nlohmann::json& json, const Synchronisation& fit);

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const SynchroniseOptions& options);

// One result per track, in their order. Times outside an item's duration are ignored. A stop
// request ends it early: the results are empty then.
// Throws: InvalidArgument for an item without a positive finite duration of at most a day, times
// that fall, strengths or values that are not finite.
std::vector<Synchronisation> synchronise_all(const FilmRhythm& film,
                                             const std::vector<TrackRhythm>& tracks,
                                             const SynchroniseOptions& options = {},
                                             int threads = 0, std::stop_token stop = {});

Synchronisation synchronise(const FilmRhythm& film, const TrackRhythm& track,
                            const SynchroniseOptions& options = {});

// The same at an offset and stretch of the caller's, such as one moved by hand.
// Throws: as synchronise; InvalidArgument for an offset that is not allowed.
Synchronisation synchronise_at(const FilmRhythm& film, const TrackRhythm& track,
                               double offset_seconds, double stretch = 1,
                               const SynchroniseOptions& options = {});

// Peaks of the motion curve between cuts, where it rises by an eighth or more over the lowest
// values within half a second to each side; strength = that share of the peak. For reports.
std::vector<TimedEvent> motion_peaks(const FilmRhythm& film);

}  // namespace vmr::retrieval
