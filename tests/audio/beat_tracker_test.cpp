// Pins the steps of our own beat tracker to cases worked by hand, and the whole to music whose
// tempo, metre and silences are known.
#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "audio/beat_chain.h"
#include "audio/beat_tempo.h"
#include "audio/test_signals.h"
#include "vmr/audio/beat.h"

namespace vmr::audio {
namespace {

using detail::chain_beats_near;

// Ones at the given frames.
std::vector<float> pulses(int64_t frames, const std::vector<int64_t>& at) {
  std::vector<float> curve(frames);
  for (const int64_t t : at) curve[t] = 1;
  return curve;
}

// A kick on the first beat of a bar, soft sticks on the others.
struct Click {
  double bpm = 120;
  int64_t beats_per_bar = 4;
  double seconds = 20;
  double ramp = 0;  // share by which the tempo grows until the end
};

test::RenderedSong clicks(const Click& click) {
  auto out = test::scaled(test::noise(int64_t(click.seconds * test::kRate), 9), 0.0005);
  const auto hiss = test::noise(8000, 4), kick = test::sine(8000, 70);
  test::RenderedSong song;
  double at = 0.5;
  for (int64_t beat = 0; at < click.seconds; ++beat) {
    song.beats.push_back(at);
    if (beat % click.beats_per_bar == 0) test::add_hit(out, at * test::kRate, 0.8, 900, kick);
    test::add_hit(out, at * test::kRate, 0.3, 400, hiss);
    at += 60 / (click.bpm * (1 + click.ramp * at / click.seconds));
  }
  song.waveform = test::to_tensor(out);
  return song;
}

// Of the true beats behind the third second, the share that a found one lies within 30 ms of.
double recall(const std::vector<double>& found, const std::vector<double>& truth) {
  double hits = 0, count = 0;
  for (const double beat : truth) {
    if (beat < 3) continue;
    ++count;
    hits += std::any_of(found.begin(), found.end(),
                        [&](double other) { return std::abs(other - beat) < 0.03; });
  }
  return hits / count;
}

TEST(BeatChain, FollowsThePulsesOverAGap) {
  const auto onset = pulses(118, {7, 17, 27, 37, 57, 67, 78, 87, 97});
  const std::vector<float> period(onset.size(), 10);
  // The interval of 11 and that of 9 around frame 78 cost 150 (ln 1.1)^2 + ... > 1: it stays at 77.
  EXPECT_EQ(chain_beats_near(onset, period).beats,
            (std::vector<int64_t>{7, 17, 27, 37, 47, 57, 67, 77, 87, 97, 107, 117}));
}

TEST(BeatChain, FollowsATempoThatDrifts) {
  std::vector<int64_t> truth;
  for (double at = 5, step = 50; at < 1800; at += step, step *= 1.005)
    truth.push_back(std::llround(at));
  auto onset = pulses(1820, truth);
  for (float& value : onset) value *= 5;
  EXPECT_EQ(chain_beats_near(onset, std::vector<float>(onset.size(), 54)).beats, truth);
}

// Three pulses of 5, intervals of 12 where 10 is expected: each beat has its price, the first for
// the interval that it begins with.
TEST(BeatChain, ScoreIsThePulsesMinusThePrices) {
  const std::vector<float> period(35, 10);
  auto onset = pulses(35, {5, 17, 29});
  for (float& value : onset) value *= 5;
  const auto chain = chain_beats_near(onset, period);
  EXPECT_EQ(chain.beats, (std::vector<int64_t>{5, 17, 29}));
  const double price = 40 * std::log(1.2) * std::log(1.2);
  EXPECT_NEAR(chain.score, 15 - 3 * price, 1e-4);
}

TEST(BeatTempo, SalienceIsTheMeanOverTheMultiples) {
  std::vector<float> lags(300);
  for (const int64_t lag : {50, 100, 150, 200}) lags[lag] = 0.5;
  EXPECT_NEAR(detail::salience(lags.data(), 300, 50, 1.0), 0.5, 1e-6);
  // Half the period: of 25, 50, 75 and 100 only the even ones.
  EXPECT_NEAR(detail::salience(lags.data(), 300, 50, 0.5), 0.5 * (0.8 + 0.5) / 2.9, 1e-6);
}

TEST(BeatTracker, FindsTempoAndBeatsOfBars) {
  for (const double bpm : {60, 76, 92, 108, 124, 140, 156, 172, 190}) {
    const auto song = clicks({.bpm = bpm});
    const auto track = track_beats(song.waveform);
    EXPECT_NEAR(track.tempo_bpm, bpm, 0.01 * bpm);
    EXPECT_GT(recall(track.beats_seconds, song.beats), 0.99) << bpm;
    EXPECT_LE(track.beats_seconds.size(), song.beats.size() + 1) << bpm;
    double sum = 0;
    for (const auto& tempo : track.tempi) sum += tempo.probability;
    EXPECT_GT(sum, 0.9);
    EXPECT_LT(sum, 1 + 1e-6);
    EXPECT_GT(track.confidence, 0.3) << bpm;
  }
}

// Nothing says where bars begin, and the middles of a chain at half the tempo are as its beats.
TEST(BeatTracker, MetronomesKeepTheirTempo) {
  for (int bpm = 60; bpm <= 200; bpm += 10) {
    const auto song = clicks({.bpm = double(bpm), .beats_per_bar = 1000});
    const auto track = track_beats(song.waveform);
    EXPECT_NEAR(track.tempo_bpm, bpm, 0.01 * bpm);
    EXPECT_GT(recall(track.beats_seconds, song.beats), 0.99) << bpm;
    EXPECT_LE(track.beats_seconds.size(), song.beats.size() + 1) << bpm;
  }
}

TEST(BeatTracker, FollowsARamp) {
  const auto song = clicks({.bpm = 100, .seconds = 30, .ramp = 0.25});
  EXPECT_GT(recall(track_beats(song.waveform).beats_seconds, song.beats), 0.97);
}

TEST(BeatTracker, FindsTheDownBeatsOfAWaltz) {
  for (const int64_t metre : {3, 4, 5}) {
    const auto song = clicks({.bpm = 132, .beats_per_bar = metre, .seconds = 30});
    const auto track = track_beats(song.waveform);
    EXPECT_EQ(track.beats_per_bar, metre);
    std::vector<double> truth;
    for (size_t i = 0; i < song.beats.size(); i += size_t(metre)) truth.push_back(song.beats[i]);
    EXPECT_GT(recall(track.down_beats_seconds, truth), 0.99) << metre;
    EXPECT_LE(track.down_beats_seconds.size(), truth.size() + 1) << metre;
  }
}

TEST(BeatTracker, HasNoBeatsInNoiseAndTrustsRandomClicksLittle) {
  const auto hiss = test::noise(20 * 16000, 21);
  const auto none = track_beats(test::to_tensor(test::scaled(hiss, 0.1)));
  EXPECT_TRUE(none.beats_seconds.empty());
  EXPECT_EQ(none.tempo_bpm, 0);
  EXPECT_LT(none.confidence, 0.05);
  auto random = test::scaled(hiss, 0.0005);
  const auto gaps = test::noise(400, 22);
  double at = 0.3;
  for (size_t i = 0; at < 19.5; ++i) {
    test::add_hit(random, at * test::kRate, 0.5, 400, hiss);
    at += 0.3 + 0.25 * gaps[i];
  }
  EXPECT_LT(track_beats(test::to_tensor(random)).confidence, 0.3);
}

TEST(BeatTracker, LeavesOutAPauseAndFindsTheBeatsBehindIt) {
  const auto song = clicks({.bpm = 115});
  const auto wave = at::cat({song.waveform, at::zeros({15 * 16000}), song.waveform});
  const auto beats = track_beats(wave).beats_seconds;
  for (const double beat : beats) EXPECT_FALSE(beat > 21 && beat < 34) << beat;
  auto truth = song.beats;
  for (const double beat : song.beats) truth.push_back(35 + beat);
  EXPECT_GT(recall(beats, truth), 0.95);
}

TEST(BeatTracker, IsTheSameAtOtherRatesLevelsAndThreads) {
  const auto song = test::render({118, 20, 52});
  const auto track = track_beats(song.waveform);
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  EXPECT_EQ(track_beats(song.waveform).beats_seconds, track.beats_seconds);
  at::set_num_threads(threads);
  const auto quiet = track_beats(song.waveform.mul(0.125));
  ASSERT_EQ(quiet.beats_seconds.size(), track.beats_seconds.size());
  BeatOptions slow;
  slow.rate_hz = 8000;
  const auto half = track_beats(song.waveform.slice(0, 0, std::nullopt, 2).contiguous(), slow);
  EXPECT_GT(recall(half.beats_seconds, track.beats_seconds), 0.95);
}

}  // namespace
}  // namespace vmr::audio
