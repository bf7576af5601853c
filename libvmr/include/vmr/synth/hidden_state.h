// The hidden state behind every generated track, and the noisy view of it that its films are made
// from. A track's state drives its music (timbre, scale, register, tempo, density); a film sees a
// draw around that state (`Observation`) which drives its cuts, motion, brightness and textures.
// `difficulty` in [0, 1] sets the width of the draw: 0 copies the state, 1 leaves little of it.
// Plain values and pure functions of (seed, index): thread-safe, independent of threads and order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::synth {

// The tag films and music share: index in 0..kMoods-1, named by mood_name (0 "calm", 1 "happy",
// 2 "dark", 3 "epic", 4 "tense", 5 "romantic", 6 "playful", 7 "dreamy", 8 "aggressive",
// 9 "groovy", 10 "melancholic", 11 "festive").
inline constexpr int kMoods = 12;
std::string_view mood_name(int mood);

// Private label of music, half given by the mood and half by chance.
enum class InstrumentSet { band, strings, keys, synth, organ, chip, bells, guitar };
inline constexpr int kInstrumentSets = 8;
std::string_view instrument_set_name(InstrumentSet set);

// Private label of films, likewise.
enum class TextureFamily { stripes, checks, clouds, dots, rings, gradients, zigzag, grain };
inline constexpr int kTextureFamilies = 8;
std::string_view texture_family_name(TextureFamily family);

// What both sides express, each in [0, 1].
//              music                                   film
// energy       drums, loudness, accents                motion, shorter shots
// brightness   register, filter cut-off                luminance
// density      notes a beat                            number of shapes, texture frequency
// roughness    distortion, detuning, dry               contrast, hard edges, camera shake
// warmth       chord colour, soft high end, reverb     hue (and shape softness in grey)
struct Style {
  double energy = 0.5;
  double brightness = 0.5;
  double density = 0.5;
  double roughness = 0.5;
  double warmth = 0.5;

  std::array<double, 5> values() const { return {energy, brightness, density, roughness, warmth}; }
  bool operator==(const Style&) const = default;
};

// A part of a song, in bars from the first downbeat. level multiplies the style's energy.
struct Section {
  std::string name;  // "intro", "a", "b", "break", "outro"
  int first_bar = 0;
  int bars = 0;
  double level = 1.0;

  bool operator==(const Section&) const = default;
};

// Everything a song is made from.
struct TrackState {
  int mood = 0;
  InstrumentSet instruments = InstrumentSet::band;
  Style style;
  double tempo_bpm = 120.0;      // at the first beat
  double end_tempo_bpm = 120.0;  // at the end; the tempo is linear in time between
  int beats_per_bar = 4;         // 3 or 4 (any number from 2 to 7 renders)
  double swing = 0.0;  // 0 straight, 1 triplet: off-beat eighths at 1/2 + swing/6 of a beat
  bool drums = true;
  double first_beat_seconds = 0.25;
  double seconds = 20.0;
  std::vector<Section> sections;  // empty: one section "a" at level 1
  uint64_t seed = 1;              // of everything not named above: melody, progression, fills

  bool operator==(const TrackState&) const = default;
};

// What a film knows of its track.
struct Observation {
  int mood = 0;
  Style style;
  double tempo_bpm = 120.0;

  bool operator==(const Observation&) const = default;
};

// The state of track `index` of the library with this seed. Moods come in shuffled rounds of
// kMoods, so that any number of tracks is balanced, and more tracks leave the first ones as they
// are. Requires: seconds > 0.
TrackState draw_track(uint64_t seed, int64_t index, double seconds);

// The draw of film `film` of a track. Requires: 0 <= difficulty <= 1. Throws: InvalidArgument.
Observation observe(const TrackState& track, double difficulty, uint64_t seed, int64_t index,
                    int64_t film);

// Share of cuts that are placed on the track's beats: 1 - 0.95 difficulty.
double cut_agreement(double difficulty);

// Natural log of the density of the observation under a track's state.
double log_likelihood(const Observation& seen, const TrackState& track, double difficulty);

// Natural log of the density of cut times under a track's beats: a cut lies within half a frame
// of a beat with probability cut_agreement, else anywhere.
double cut_log_likelihood(const std::vector<double>& cut_seconds,
                          const std::vector<double>& beat_seconds, double frames_per_second,
                          double difficulty);

}  // namespace vmr::synth
