#include "synth/mood_profile.h"

namespace vmr::synth {
namespace {

using enum InstrumentSet;
using T = TextureFamily;

const std::vector<int> kMajor{0, 2, 4, 5, 7, 9, 11}, kMinor{0, 2, 3, 5, 7, 8, 10},
    kDorian{0, 2, 3, 5, 7, 9, 10}, kPhrygian{0, 1, 3, 5, 7, 8, 10}, kLydian{0, 2, 4, 6, 7, 9, 11},
    kMixolydian{0, 2, 4, 5, 7, 9, 10}, kHarmonic{0, 2, 3, 5, 7, 8, 11};

// name, {energy, brightness, density, roughness, warmth}, tempo from, to, waltz, swing, drumless,
// scale, chord loops, instruments,
// comping, textures, shape, size, hue
// clang-format off
const std::array<MoodProfile, kMoods> kProfiles{{
    {"calm", {.15, .55, .25, .15, .55}, 62, 84, .2, 0, .6,
     kMajor, {{0, 3, 0, 4}, {0, 5, 3, 0}}, {keys, guitar, strings},
     Comping::held, {T::clouds, T::gradients}, 0, .8, .52},
    {"happy", {.65, .85, .55, .35, .75}, 112, 142, .05, .1, .05,
     kMajor, {{0, 4, 5, 3}, {0, 3, 4, 3}}, {band, guitar, organ},
     Comping::strum, {T::dots, T::stripes}, 0, .45, .13},
    {"dark", {.35, .12, .3, .6, .2}, 68, 100, .1, 0, .3,
     kPhrygian, {{0, 1, 0, 6}, {0, 5, 1, 0}}, {synth, strings, bells},
     Comping::held, {T::clouds, T::grain}, 1, .7, .66},
    {"epic", {.85, .4, .55, .55, .5}, 80, 124, .15, 0, .1,
     kMinor, {{0, 5, 2, 6}, {0, 3, 5, 4}}, {strings, synth, band},
     Comping::pulse, {T::rings, T::gradients}, 2, .95, .06},
    {"tense", {.6, .25, .75, .8, .2}, 118, 160, .05, 0, .2,
     kHarmonic, {{0, 0, 5, 4}, {0, 1, 0, 4}}, {strings, chip, synth},
     Comping::tremolo, {T::grain, T::zigzag}, 4, .3, .42},
    {"romantic", {.3, .5, .4, .15, .9}, 64, 98, .45, .1, .45,
     kMajor, {{0, 5, 1, 4}, {0, 2, 3, 4}}, {strings, keys, guitar},
     Comping::arpeggio, {T::gradients, T::rings}, 3, .6, .95},
    {"playful", {.55, .75, .8, .4, .65}, 118, 168, .1, .35, .15,
     kMajor, {{0, 1, 4, 0}, {0, 3, 1, 4}}, {chip, bells, guitar},
     Comping::offbeat, {T::checks, T::dots}, 5, .3, .3},
    {"dreamy", {.25, .72, .55, .1, .3}, 70, 104, .15, 0, .5,
     kLydian, {{0, 1, 0, 4}, {0, 2, 1, 0}}, {bells, keys, strings},
     Comping::arpeggio, {T::clouds, T::rings}, 3, .8, .75},
    {"aggressive", {.95, .3, .85, .95, .35}, 140, 188, 0, 0, .02,
     kPhrygian, {{0, 1, 0, 5}, {0, 0, 6, 1}}, {synth, chip, band},
     Comping::pulse, {T::zigzag, T::stripes}, 2, .45, 0},
    {"groovy", {.68, .45, .65, .45, .65}, 90, 122, 0, .6, .02,
     kDorian, {{0, 3, 0, 3}, {0, 6, 3, 0}}, {organ, band, keys},
     Comping::offbeat, {T::checks, T::stripes}, 1, .5, .85},
    {"melancholic", {.2, .3, .35, .3, .45}, 60, 88, .25, 0, .45,
     kMinor, {{0, 5, 3, 4}, {0, 3, 6, 2}}, {guitar, keys, strings},
     Comping::arpeggio, {T::gradients, T::grain}, 4, .6, .6},
    {"festive", {.9, .82, .82, .6, .85}, 124, 176, .1, .05, .02,
     kMixolydian, {{0, 6, 3, 0}, {0, 3, 4, 6}}, {organ, chip, band},
     Comping::strum, {T::dots, T::zigzag}, 5, .22, .2},
}};
// clang-format on

}  // namespace

const MoodProfile& mood_profile(int mood) { return kProfiles.at(static_cast<size_t>(mood)); }

std::string_view mood_name(int mood) { return mood_profile(mood).name; }

std::string_view instrument_set_name(InstrumentSet set) {
  constexpr std::array<std::string_view, kInstrumentSets> names{
      "band", "strings", "keys", "synth", "organ", "chip", "bells", "guitar"};
  return names.at(static_cast<size_t>(set));
}

std::string_view texture_family_name(TextureFamily family) {
  constexpr std::array<std::string_view, kTextureFamilies> names{
      "stripes", "checks", "clouds", "dots", "rings", "gradients", "zigzag", "grain"};
  return names.at(static_cast<size_t>(family));
}

}  // namespace vmr::synth
