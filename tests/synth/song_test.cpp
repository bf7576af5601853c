// Pins that the beat truth is where the sound is, that tempo, metre, ramps and swing are what was
// asked, and that loudness and peaks keep their promises.
#include "vmr/synth/song.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "synth/mastering.h"
#include "synth/score.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

constexpr int64_t kStep = 44;  // samples of a step of the energy curve: 1 ms

// Rise of energy in steps of 1 ms after a high-pass: where a note begins, it peaks.
std::vector<double> onset_curve(const at::Tensor& samples) {
  const float* left = samples.data_ptr<float>();
  const float* right = left + samples.size(1);
  std::vector<double> energy, rise;
  for (int64_t at = 1; at + kStep < samples.size(1); at += kStep) {
    double sum = 1e-9;
    for (int64_t i = at; i < at + kStep; ++i) {
      sum += std::pow(left[i] + right[i] - left[i - 1] - right[i - 1], 2);
    }
    energy.push_back(std::log(sum + 1e-5));
  }
  for (size_t i = 0; i < energy.size(); ++i) {
    // Against the mean of the 12 ms before, so that ripples of a tone do not count.
    double before = 0.0;
    const size_t from = i < 12 ? 0 : i - 12;
    for (size_t j = from; j < i; ++j) before += energy[j];
    if (i > from) before /= static_cast<double>(i - from);
    rise.push_back(i > from ? std::max(0.0, energy[i] - before) : 0.0);
  }
  return rise;
}

// Lag in seconds at which the beats meet most rise, and how much more than by chance.
struct Fit {
  double lag = 0.0, gain = 0.0;
};

Fit fit_beats(const std::vector<double>& rise, const std::vector<double>& beats) {
  double mean = 0.0;
  for (const double value : rise) mean += value / static_cast<double>(rise.size());
  Fit best;
  for (int lag = -80; lag <= 80; ++lag) {
    double sum = 0.0;
    for (const double beat : beats) {
      const auto index = static_cast<int64_t>(beat * kSongRateHz / kStep) + lag;
      if (index >= 0 && index < static_cast<int64_t>(rise.size())) {
        sum += rise[static_cast<size_t>(index)];
      }
    }
    const double gain = sum / static_cast<double>(beats.size()) / mean;
    if (gain > best.gain) best = {static_cast<double>(lag * kStep) / kSongRateHz, gain};
  }
  return best;
}

class RenderedSong : public testing::TestWithParam<int> {};

TEST_P(RenderedSong, HasItsBeatsWhereTheSoundBegins) {
  TrackState state = draw_track(11, GetParam(), 14);
  const Song song = render_song(state);
  std::vector<double> beats = song.truth.beats;
  std::erase_if(beats, [](double beat) { return beat > 13.0; });
  const Fit fit = fit_beats(onset_curve(song.samples), beats);
  EXPECT_NEAR(fit.lag, 0.0, 0.010) << mood_name(state.mood);
  EXPECT_GT(fit.gain, 3.0) << mood_name(state.mood) << " drums " << state.drums;
}
INSTANTIATE_TEST_SUITE_P(AllMoods, RenderedSong, testing::Range(0, kMoods));

TEST(PlanSong, PlacesBeatsAtTheTempo) {
  TrackState state;
  state.tempo_bpm = state.end_tempo_bpm = 90;
  state.beats_per_bar = 3;
  state.first_beat_seconds = 0.5;
  state.seconds = 10;
  const SongTruth truth = plan_song(state);
  ASSERT_EQ(truth.beats.size(), 15u);  // 0.5, 1.1667, ... 9.8333
  for (size_t i = 0; i < truth.beats.size(); ++i) {
    EXPECT_NEAR(truth.beats[i], 0.5 + static_cast<double>(i) * 60.0 / 90.0, 1e-9);
    EXPECT_NEAR(truth.tempo[i].bpm, 90.0, 1e-6);
  }
  ASSERT_EQ(truth.downbeats.size(), 5u);
  EXPECT_NEAR(truth.downbeats[1], 0.5 + 2.0, 1e-9);
  ASSERT_EQ(truth.sections.size(), 1u);
  EXPECT_EQ(truth.sections[0].span.end_seconds, 10.0);
}

TEST(PlanSong, RampsFromOneTempoToTheOther) {
  TrackState state;
  state.tempo_bpm = 100;
  state.end_tempo_bpm = 140;
  state.seconds = 20;
  const SongTruth truth = plan_song(state);
  // Linear in time: each beat lasts 60 / (100 + 2 t).
  for (const TempoPoint& point : truth.tempo) {
    EXPECT_NEAR(point.bpm, 100 + 2 * point.seconds, 1e-6);
  }
  EXPECT_NEAR(static_cast<double>(truth.beats.size()), (20 - 0.25) * 2.0, 1.5);
}

TEST(PlanSong, SectionsCoverTheSongWithoutGaps) {
  for (int64_t index = 0; index < 24; ++index) {
    const TrackState state = draw_track(2, index, 25);
    const SongTruth truth = plan_song(state);
    ASSERT_GE(truth.sections.size(), 2u);
    EXPECT_EQ(truth.sections.front().span.start_seconds, truth.beats.front());
    EXPECT_EQ(truth.sections.back().span.end_seconds, state.seconds);
    for (size_t i = 1; i < truth.sections.size(); ++i) {
      const double start = truth.sections[i].span.start_seconds;
      EXPECT_EQ(start, truth.sections[i - 1].span.end_seconds);
      EXPECT_TRUE(std::count(truth.downbeats.begin(), truth.downbeats.end(), start));
    }
  }
}

TEST(PlanSong, NamesTheFieldThatIsWrong) {
  TrackState state;
  state.swing = 2;
  try {
    plan_song(state);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("swing"), std::string::npos);
  }
  state.swing = 0;
  state.sections = {{"a", 1, 4, 1.0}};
  EXPECT_THROW(plan_song(state), InvalidArgument);
}

TEST(BeatGrid, SwingDelaysTheOffBeatEighths) {
  TrackState state;
  state.tempo_bpm = state.end_tempo_bpm = 60;
  state.swing = 1;
  const BeatGrid grid(state);
  EXPECT_NEAR(grid.seconds(2.5) - grid.seconds(2), 2.0 / 3.0, 1e-9);
  EXPECT_NEAR(grid.seconds(3) - grid.seconds(2), 1.0, 1e-9);
}

TEST(Compose, LeavesTheDrumsOutWhereAsked) {
  TrackState state = draw_track(1, 0, 12);
  state.drums = false;
  EXPECT_TRUE(compose(state, BeatGrid(state)).hits.empty());
  state.drums = true;
  EXPECT_GT(compose(state, BeatGrid(state)).hits.size(), 20u);
}

TEST(RenderSong, IsTheSameBitsEveryTime) {
  const TrackState state = draw_track(5, 3, 6);
  EXPECT_TRUE(render_song(state).samples.equal(render_song(state).samples));
  TrackState other = state;
  ++other.seed;
  EXPECT_FALSE(render_song(state).samples.equal(render_song(other).samples));
}

TEST(RenderSong, KeepsItsLoudnessAndItsPeaks) {
  for (const double energy : {0.0, 0.5, 1.0}) {
    TrackState state;
    state.seconds = 8;
    state.style.energy = energy;
    const Song song = render_song(state);
    EXPECT_NEAR(song.loudness_lufs, -18 + 4 * energy, 0.7);
    EXPECT_LT(song.samples.abs().max().item<float>(), 0.975f);
    EXPECT_EQ(song.samples.size(1), 8 * kSongRateHz);
    EXPECT_TRUE(song.samples.isfinite().all().item<bool>());
  }
}

TEST(Loudness, OfAReferenceToneIsThatOfTheStandard) {
  // BS.1770: a 997 Hz sine at full scale in one front channel reads -3.01 LUFS; in two at
  // -20 dB each, -20.0.
  Stereo tone{std::vector<float>(5 * kSongRateHz), {}};
  for (size_t i = 0; i < tone.left.size(); ++i) {
    tone.left[i] =
        static_cast<float>(0.1 * std::sin(2 * M_PI * 997.0 * static_cast<double>(i) / kSongRateHz));
  }
  tone.right = tone.left;
  EXPECT_NEAR(loudness_lufs(tone), -20.0, 0.05);
}

}  // namespace
}  // namespace vmr::synth
