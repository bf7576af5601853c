// Films whose place in their track is known: a script is directed to a song's beats and sections
// from an offset on. For tests and for the benchmark of synchronisation; nothing is decoded.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "vmr/audio/beat.h"
#include "vmr/audio/energy.h"
#include "vmr/audio/sections.h"
#include "vmr/retrieval/synchronisation.h"
#include "vmr/synth/film.h"
#include "vmr/synth/song.h"

namespace vmr::test {

struct PairOptions {
  double track_seconds = 180, film_seconds = 60, difficulty = 0.3;
  uint64_t seed = 77;
};

struct FilmPair {
  synth::FilmScript script;
  retrieval::FilmRhythm film;    // true cuts and motion
  retrieval::TrackRhythm truth;  // beats, down-beats, sections and their energy as composed
  double offset_seconds = 0;
  double tempo_bpm = 0;
};

inline retrieval::TrackRhythm composed_rhythm(const synth::SongTruth& song, double seconds) {
  retrieval::TrackRhythm track;
  track.duration_seconds = seconds;
  track.beats_seconds = song.beats;
  track.down_beats_seconds = song.downbeats;
  track.energy.rate_hz = 10;
  for (int64_t i = 0; double(i) < 10 * seconds; ++i) {
    double energy = 0;
    for (const auto& section : song.sections) {
      if (section.span.contains((double(i) + 0.5) / 10)) energy = section.energy;
    }
    track.energy.values.push_back(float(10 * std::log10(std::max(energy, 1e-3))));
  }
  for (size_t i = 1; i < song.sections.size(); ++i) {
    const double step = std::abs(song.sections[i].energy - song.sections[i - 1].energy);
    track.sections.push_back({song.sections[i].span.start_seconds, step + 0.01});
  }
  return track;
}

inline FilmPair make_pair(int64_t index, const PairOptions& options) {
  const auto state = synth::draw_track(options.seed, index, options.track_seconds);
  auto song = synth::plan_song(state);
  FilmPair pair;
  pair.truth = composed_rhythm(song, options.track_seconds);
  pair.tempo_bpm = state.tempo_bpm;
  std::mt19937_64 generator(options.seed * 1000 + uint64_t(index));
  const double room = options.track_seconds - options.film_seconds - 0.5;
  pair.offset_seconds = room * double(generator() >> 11) / 9007199254740992.0;
  // The song on the film's clock.
  for (auto* times : {&song.beats, &song.downbeats}) {
    for (double& time : *times) time -= pair.offset_seconds;
  }
  for (auto& section : song.sections) {
    section.span.start_seconds -= pair.offset_seconds;
    section.span.end_seconds -= pair.offset_seconds;
  }
  synth::FilmOptions film;
  film.seconds = options.film_seconds;
  film.difficulty = options.difficulty;
  film.seed = generator();
  const auto seen = synth::observe(state, options.difficulty, options.seed, index, 0);
  const auto& script = pair.script = synth::write_film_script(seen, song, film);
  pair.film.duration_seconds = options.film_seconds;
  for (const double cut : script.cut_seconds()) pair.film.cuts.push_back({cut, 1});
  pair.film.motion.rate_hz = script.options.frames_per_second;
  for (const double speed : synth::motion_curve(script)) {
    pair.film.motion.values.push_back(float(speed));
  }
  return pair;
}

// What analysis hears of the rendered song: beats of the tracker, loudness, section changes.
inline retrieval::TrackRhythm heard_rhythm(int64_t index, const PairOptions& options) {
  const auto song =
      synth::render_song(synth::draw_track(options.seed, index, options.track_seconds));
  // A third of the rate is enough for all of it.
  const auto mono = song.samples.mean(0);
  const auto sound = mono.narrow(0, 0, mono.size(0) / 3 * 3).view({-1, 3}).mean(1).contiguous();
  constexpr double kRate = synth::kSongRateHz / 3.0;
  retrieval::TrackRhythm track;
  track.duration_seconds = options.track_seconds;
  audio::BeatOptions beats;
  beats.rate_hz = kRate;
  const auto tracked = audio::track_beats(sound, beats);
  track.beats_seconds = tracked.beats_seconds;
  track.down_beats_seconds = tracked.down_beats_seconds;
  track.beat_confidence = tracked.confidence;
  audio::EnergyOptions energy;
  energy.rate_hz = kRate;
  const auto curve = audio::energy_curve(sound, energy);
  const auto* value = curve.const_data_ptr<float>();
  track.energy = {1 / energy.hop_seconds, {value, value + curve.numel()}};
  audio::SectionOptions sections;
  sections.rate_hz = kRate;
  for (const auto& change : audio::section_changes(sound, sections)) {
    track.sections.push_back({change.seconds, change.strength});
  }
  return track;
}

// The score by the hidden truth (true beats, bars, sections and energy). Its weights stay when
// those of fitting are chosen anew: what is right must not follow from what is found.
inline double true_score(const FilmPair& pair, double offset_seconds) {
  const retrieval::SynchroniseOptions options{
      .beats_on_cuts = 1, .beats_on_motion = 0.5, .energy = 1, .sections = 0.25};
  return retrieval::synchronise_at(pair.film, pair.truth, offset_seconds, 1, options).score;
}

// Whether an offset is within 40 ms of the true one, or of one whose score by the hidden truth is
// at least 99 % of the true one's. Offsets found by the hidden truth are right by construction.
inline bool is_right(const FilmPair& pair, double offset_seconds) {
  constexpr double kNear = 0.04;
  if (std::abs(offset_seconds - pair.offset_seconds) <= kNear) return true;
  const double room = pair.truth.duration_seconds - pair.film.duration_seconds;
  const double wanted = true_score(pair, pair.offset_seconds);
  for (int step = -4; step <= 4; ++step) {
    const double offset = std::clamp(offset_seconds + step * kNear / 4, 0.0, room);
    if (true_score(pair, offset) >= 0.99 * wanted) return true;
  }
  return false;
}

struct PairFigures {
  double exact = 0;         // share of offsets within 40 ms of the true one
  double right = 0;         // share of those is_right accepts
  double first = 0;         // share of films whose own track ranks first; chance is 1 / tracks
  double mean_rank = 0;     // chance is (tracks + 1) / 2
  double own_median = 0;    // score with the film's own track
  double other_median = 0;  // and with the others
  double other_high = 0;    // 95th percentile
};

// Every film against every track.
inline PairFigures measure(const std::vector<FilmPair>& pairs,
                           const std::vector<retrieval::TrackRhythm>& tracks, int threads = 1) {
  PairFigures figures;
  const double share = 1 / double(pairs.size());
  std::vector<double> own, other;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto fits = retrieval::synchronise_all(pairs[i].film, tracks, {}, threads);
    const double offset = fits[i].offset_seconds;
    figures.exact += share * (std::abs(offset - pairs[i].offset_seconds) <= 0.04);
    figures.right += share * is_right(pairs[i], offset);
    int rank = 1;
    for (size_t j = 0; j < fits.size(); ++j) {
      if (j == i) continue;
      rank += fits[j].score > fits[i].score;
      other.push_back(fits[j].score);
    }
    figures.first += share * (rank == 1);
    figures.mean_rank += share * rank;
    own.push_back(fits[i].score);
  }
  std::sort(own.begin(), own.end());
  std::sort(other.begin(), other.end());
  figures.own_median = own[own.size() / 2];
  figures.other_median = other[other.size() / 2];
  figures.other_high = other[other.size() * 95 / 100];
  return figures;
}

}  // namespace vmr::test
