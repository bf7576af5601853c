// Pins that the features of music move together with their versions: a store made by an older
// version must be known as such.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/temp_folder.h"
#include "vmr/media/audio_reader.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/synth/hidden_state.h"
#include "vmr/synth/song.h"

namespace vmr::pipeline {
namespace {

struct Pinned {
  const char* version;
  int64_t rows;
  double mean;  // of all values, and of the seconds at which rows begin
};

const std::map<std::string, Pinned> kPinned = {{"fbank", {"1", 7, 3.1826}},
                                               {"rhythm_measures", {"5", 7, 19.1849}},
                                               {"rhythm", {"5", 7, 0}},
                                               {"beats", {"4", 141, 60.1725}},
                                               {"down_beats", {"3", 36, 60.1719}},
                                               {"beat_confidence", {"3", 1, 0.9925}},
                                               {"energy", {"1", 600, 9.8715}},
                                               {"sections", {"2", 2, 21.0597}}};

double mean_of(const FeatureTrack& track) {
  double seconds = 0;
  for (int64_t row = 0; row < track.times.size(); ++row) {
    seconds += track.times.at(row).start_seconds;
  }
  return track.values.to(at::kDouble).mean().item<double>() + seconds / double(track.times.size());
}

TEST(FeatureVersions, MoveWithTheValues) {
  auto state = synth::draw_track(11, 4, 60);
  state.sections = {{"a", 0, 8, 1.0}, {"break", 8, 8, 0.3}, {"b", 16, 200, 1.0}};
  const auto song = synth::render_song(state);
  const test::TempFolder folder;
  media::write_audio(folder / "song.wav", {.samples = song.samples, .rate_hz = synth::kSongRateHz});
  ExtractRecipe recipe;
  recipe.fbank.emplace();
  recipe.rhythm.emplace();
  recipe.beats.emplace();
  recipe.down_beats = recipe.energy = recipe.sections = true;
  const auto extracted = extract_music(folder / "song.wav", recipe);
  ASSERT_EQ(extracted.tracks.size(), kPinned.size());
  for (const auto& [name, track] : extracted.tracks) {
    const auto& pinned = kPinned.at(name);
    EXPECT_EQ(track.provenance.version, pinned.version) << name << ": pin its values below anew";
    EXPECT_EQ(track.values.size(0), pinned.rows)
        << name << " has changed: raise its version in planned_music, then pin it here";
    if (name == "rhythm") continue;  // its measures' classes: one at an edge moves the mean
    EXPECT_NEAR(mean_of(track), pinned.mean, 2e-3)
        << name << " has changed: raise its version in planned_music, then pin it here";
  }
}

}  // namespace
}  // namespace vmr::pipeline
