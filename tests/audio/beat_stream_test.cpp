// Pins the stream's beats to music with known times, to their latency, and to being the same for
// any pieces in bounded memory; its memory of hypotheses to cases worked by hand.
#include "vmr/audio/beat_stream.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <functional>
#include <limits>

#include "audio/beat_stream_lanes.h"
#include "audio/test_signals.h"
#include "support/message_of.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

using vmr::test::message_of;

using ::testing::HasSubstr;

// A kick on the first of every `metre` beats, sticks on all, from beat to beat by
// next_bpm(seconds).
test::RenderedSong clicks(double seconds, const std::function<double(double)>& bpm_at,
                          int64_t metre = 4) {
  auto out = test::scaled(test::noise(int64_t(seconds * test::kRate), 9), 0.0005);
  const auto hiss = test::noise(8000, 4), kick = test::sine(8000, 70);
  test::RenderedSong song;
  double at = 0.5;
  for (int64_t beat = 0; at < seconds; ++beat) {
    song.beats.push_back(at);
    if (beat % metre == 0) test::add_hit(out, at * test::kRate, 0.8, 900, kick);
    test::add_hit(out, at * test::kRate, 0.3, 400, hiss);
    at += 60 / bpm_at(at);
  }
  song.waveform = test::to_tensor(out);
  return song;
}

test::RenderedSong clicks(double seconds, double bpm) {
  return clicks(seconds, [bpm](double) { return bpm; });
}

std::vector<StreamBeat> beats_of(const at::Tensor& waveform, const BeatStreamOptions& options = {},
                                 int64_t piece = 1000) {
  BeatStream stream(options);
  std::vector<StreamBeat> beats;
  for (int64_t begin = 0; begin < waveform.numel(); begin += piece)
    for (auto& beat : stream.push(waveform.slice(0, begin, begin + piece))) beats.push_back(beat);
  for (auto& beat : stream.flush()) beats.push_back(beat);
  return beats;
}

struct Found {
  double recall, precision;
};

// Within 30 ms, of the time from `begin` to `end`.
Found found(const std::vector<StreamBeat>& beats, const std::vector<double>& truth, double begin,
            double end = 1e9) {
  double hits = 0, given = 0, wanted = 0;
  for (const auto& beat : beats) given += beat.seconds >= begin && beat.seconds < end;
  for (const double time : truth) {
    if (time < begin || time >= end) continue;
    ++wanted;
    hits += std::any_of(beats.begin(), beats.end(), [&](const StreamBeat& beat) {
      return std::abs(beat.seconds - time) < 0.03;
    });
  }
  return {hits / wanted, hits / given};
}

TEST(BeatStream, FindsTempoAndBeatsAtAnyLatency) {
  for (const double bpm : {72, 96, 120, 150}) {
    const auto song = clicks(24, bpm);
    for (const double latency : {0.0, 0.5, 2.0}) {
      const auto beats = beats_of(song.waveform, {.latency_seconds = latency});
      const auto [recall, precision] = found(beats, song.beats, 8);
      EXPECT_GT(recall, 0.97) << bpm << " " << latency;
      EXPECT_GT(precision, 0.97) << bpm << " " << latency;
      ASSERT_FALSE(beats.empty());
      EXPECT_NEAR(beats.back().tempo_bpm, bpm, 0.02 * bpm);
      EXPECT_NEAR(beats.back().tempi.front().bpm, bpm, 0.02 * bpm);
      double sum = 0;
      for (const auto& tempo : beats.back().tempi) sum += tempo.probability;
      EXPECT_LE(sum, 1 + 1e-9);
      EXPECT_GT(beats.back().confidence, 0.2);
      EXPECT_LE(beats.back().confidence, 1);
    }
  }
}

TEST(BeatStream, FollowsADriftAndAStep) {
  const auto ramp = clicks(40, [](double seconds) { return 100 + 0.6 * seconds; });
  const auto step = clicks(40, [](double seconds) { return seconds < 20 ? 100. : 126.; });
  for (const double latency : {0.0, 1.0}) {
    const BeatStreamOptions options{.latency_seconds = latency};
    EXPECT_GT(found(beats_of(ramp.waveform, options), ramp.beats, 6).recall, 0.95) << latency;
    const auto beats = beats_of(step.waveform, options);
    EXPECT_GT(found(beats, step.beats, 6, 20).recall, 0.95) << latency;
    EXPECT_GT(found(beats, step.beats, 28).recall, 0.95) << latency;
  }
}

TEST(BeatStream, MarksTheFirstBeatsOfBars) {
  for (const int64_t metre : {3, 4}) {
    const auto song = clicks(
        40, [](double) { return 132; }, metre);
    double right = 0, count = 0;
    for (const auto& beat : beats_of(song.waveform, {.latency_seconds = 1})) {
      if (beat.seconds < 15) continue;
      EXPECT_EQ(beat.beats_per_bar, metre);
      const auto index = std::llround((beat.seconds - song.beats[0]) * 132 / 60);
      right += beat.down_beat == (index % metre == 0);
      ++count;
    }
    EXPECT_GT(right / count, 0.95) << metre;
  }
}

TEST(BeatStream, EachBeatComesWithinTheLatency) {
  const auto song = test::render({118, 16, 52});
  const int64_t piece = 7;
  for (const double latency : {0.0, 0.13, 0.5, 1.0, 2.0}) {
    BeatStream stream({.latency_seconds = latency});
    double last = -1;
    int count = 0;
    for (int64_t begin = 0; begin < song.waveform.numel(); begin += piece) {
      const double before = double(begin) / test::kRate;
      for (const auto& beat : stream.push(song.waveform.slice(0, begin, begin + piece))) {
        EXPECT_LT(before, beat.seconds + latency);
        EXPECT_GT(beat.seconds, last);
        // A foretold beat is less than a block and the slack ahead.
        EXPECT_LT(beat.seconds, before + 0.6);
        last = beat.seconds;
        ++count;
      }
    }
    EXPECT_GT(count, 15) << latency;
    const double end = double(song.waveform.numel()) / test::kRate;
    for (const auto& beat : stream.flush()) {
      EXPECT_GE(beat.seconds, end - latency - 1e-9);
      EXPECT_LE(beat.seconds, end);
      EXPECT_GT(beat.seconds, last);
      last = beat.seconds;
    }
  }
}

TEST(BeatStream, IsTheSameForAnyPieces) {
  const auto song = test::render({104, 14, 33, 0.1});
  const auto whole = beats_of(song.waveform, {}, song.waveform.numel());
  ASSERT_GT(whole.size(), 10u);
  for (const int64_t piece : {1, 160, 7919, 44100}) {
    const auto beats = beats_of(song.waveform, {}, piece);
    ASSERT_EQ(beats.size(), whole.size()) << piece;
    for (size_t i = 0; i < beats.size(); ++i) {
      EXPECT_EQ(beats[i].seconds, whole[i].seconds);
      EXPECT_EQ(beats[i].confidence, whole[i].confidence);
      EXPECT_EQ(beats[i].tempo_bpm, whole[i].tempo_bpm);
      EXPECT_EQ(beats[i].down_beat, whole[i].down_beat);
      ASSERT_EQ(beats[i].tempi.size(), whole[i].tempi.size());
      EXPECT_EQ(beats[i].tempi.back().probability, whole[i].tempi.back().probability);
    }
  }
}

TEST(BeatStream, HoldsNoMoreAfterMinutesThanAfterSeconds) {
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "needs the figures of glibc's malloc";
#else
  const auto held = [] {
    const auto figures = mallinfo2();
    return double(figures.uordblks + figures.hblkhd);
  };
  const auto song = clicks(15, 124);  // 31 beats: goes on without a gap
  BeatStream stream({.latency_seconds = 1});
  size_t beats = 0;
  for (int i = 0; i < 2; ++i) beats += stream.push(song.waveform).size();
  const double before = held();
  for (int i = 0; i < 8; ++i) beats += stream.push(song.waveform).size();
  // Two minutes are 7.7 MB of samples, 3 MB of spectra, 50 kB of beats.
  EXPECT_LT(held() - before, 30e3);
  EXPECT_GT(beats, 280u);
#endif
}

TEST(BeatStream, HasNoBeatsInNoiseHumAndSilence) {
  const auto hiss = test::to_tensor(test::scaled(test::noise(40 * 16000, 21), 0.1));
  EXPECT_TRUE(beats_of(hiss).empty());
  EXPECT_TRUE(beats_of(at::zeros({20 * 16000})).empty());
  const auto hum = test::to_tensor(test::scaled(test::sine(20 * 16000, 50), 0.3));
  EXPECT_TRUE(beats_of(hum).empty());
}

TEST(BeatStream, LeavesOutAPauseAndFindsTheBeatsBehindIt) {
  const auto song = clicks(20, 115);
  const auto wave = at::cat({song.waveform, at::zeros({15 * 16000}), song.waveform});
  const auto beats = beats_of(wave, {.latency_seconds = 1});
  for (const auto& beat : beats) EXPECT_FALSE(beat.seconds > 21 && beat.seconds < 35);
  auto truth = song.beats;
  for (const double beat : song.beats) truth.push_back(35 + beat);
  EXPECT_GT(found(beats, truth, 6, 20).recall, 0.95);
  EXPECT_GT(found(beats, truth, 43).recall, 0.95);
}

TEST(BeatStream, HearsOtherRates) {
  const auto song = clicks(20, 118);
  const auto slow = song.waveform.slice(0, 0, std::nullopt, 2);
  EXPECT_GT(found(beats_of(slow, {.rate_hz = 8000}), song.beats, 6).recall, 0.95);
}

TEST(BeatStream, ShortOrEmptyStreamsHaveNoBeats) {
  EXPECT_TRUE(beats_of(at::zeros({0})).empty());
  for (const int64_t samples : {1, 95, 96, 97, 8000, 3 * 16000})
    EXPECT_TRUE(beats_of(clicks(3, 120).waveform.slice(0, 0, samples)).empty()) << samples;
}

TEST(BeatStream, FlushGivesTheBeatsOfTheLastSeconds) {
  const auto song = clicks(16, 120);
  BeatStream stream({.latency_seconds = 2});
  const auto before = stream.push(song.waveform);
  const auto rest = stream.flush();
  ASSERT_FALSE(before.empty());
  EXPECT_GE(rest.size(), 3u);
  auto all = before;
  all.insert(all.end(), rest.begin(), rest.end());
  EXPECT_GT(found(all, song.beats, 6).recall, 0.97);
}

TEST(BeatStream, ErrorsSayWhatWasExpected) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double latency : {-0.01, 2.01, nan})
    EXPECT_THAT(message_of([&] { BeatStream({.latency_seconds = latency}); }),
                HasSubstr("latency_seconds"));
  for (const double rate : {3999.0, 96001.0, nan})
    EXPECT_THAT(message_of([&] { BeatStream({.rate_hz = rate}); }), HasSubstr("4000 to 96000"));
  BeatStream stream;
  EXPECT_THAT(message_of([&] { stream.push({}); }), HasSubstr("undefined"));
  EXPECT_THAT(message_of([&] { stream.push(at::zeros({2, 100})); }), HasSubstr("[2, 100]"));
  EXPECT_THAT(message_of([&] { stream.push(at::zeros({100}, at::kShort)); }), HasSubstr("float32"));
  auto broken = at::zeros({100});
  broken.mutable_data_ptr<float>()[17] = INFINITY;
  EXPECT_THAT(message_of([&] { stream.push(broken); }), HasSubstr("sample 17 of 100"));
  stream.flush();
  EXPECT_THAT(message_of([&] { stream.push(at::zeros({100})); }), HasSubstr("was flushed"));
  EXPECT_THAT(message_of([&] { stream.flush(); }), HasSubstr("was flushed"));
}

TEST(BeatStream, GoesOnBehindAPieceThatItRefused) {
  const auto song = clicks(12, 120);
  BeatStream stream;
  auto beats = stream.push(song.waveform.slice(0, 0, 100000));
  auto broken = song.waveform.slice(0, 100000, 120000).clone();
  for (const float value : {NAN, 1e20F}) {
    broken.mutable_data_ptr<float>()[19999] = value;
    EXPECT_THROW(stream.push(broken), InvalidArgument) << value;
  }
  for (const auto& beat : stream.push(song.waveform.slice(0, 100000))) beats.push_back(beat);
  for (const auto& beat : stream.flush()) beats.push_back(beat);
  const auto whole = beats_of(song.waveform);
  ASSERT_EQ(beats.size(), whole.size());
  for (size_t i = 0; i < beats.size(); ++i) EXPECT_EQ(beats[i].seconds, whole[i].seconds);
}

TEST(BeatLanes, AgreementIsTheShareOfTheBusierList) {
  const std::vector<int64_t> every{0, 50, 100, 150, 200}, half{52, 153};
  EXPECT_DOUBLE_EQ(detail::agreement(every, every, 0), 1);
  EXPECT_DOUBLE_EQ(detail::agreement(every, half, 0), 0.4);
  EXPECT_DOUBLE_EQ(detail::agreement(half, every, 40), 0.5);
  EXPECT_DOUBLE_EQ(detail::agreement(every, {25, 75, 125}, 0), 0);
  EXPECT_DOUBLE_EQ(detail::agreement(every, half, 1000), 0);
}

// Two hypotheses of the window that ends at `end`, the faster one with probability `fast`.
std::vector<detail::BeatHypothesis> window(int64_t end, double fast) {
  std::vector<detail::BeatHypothesis> both(2);
  for (int64_t t = 0; t < end; t += 50) both[0].chain.beats.push_back(t);
  for (int64_t t = 0; t < end; t += 100) both[1].chain.beats.push_back(t);
  both[0].probability = fast;
  both[1].probability = 1 - fast;
  return both;
}

TEST(BeatLanes, OneWindowDoesNotChangeTheOctaveButManyDo) {
  detail::BeatLanes lanes;
  const auto first_period = [&](int64_t end, double fast) {
    auto hypotheses = window(end, fast);
    lanes.follow(hypotheses, end);
    EXPECT_NEAR(hypotheses[0].probability + hypotheses[1].probability, 1, 1e-12);
    return hypotheses[0].chain.beats[1];
  };
  EXPECT_EQ(first_period(1200, 0.8), 50);
  for (int64_t end = 1250; end < 1500; end += 50) EXPECT_EQ(first_period(end, 0.8), 50);
  EXPECT_EQ(first_period(1500, 0.01), 50);
  for (int64_t end = 1550; end < 3000; end += 50) first_period(end, 0.01);
  EXPECT_EQ(first_period(3000, 0.01), 100);
  // Forgetting, it believes the next window at once.
  lanes.forget();
  EXPECT_EQ(first_period(3050, 0.9), 50);
}

// Of twelve beats of a lane one chain keeps all but three, the other all but four of others: each
// is like the lane, but not like the other chain.
TEST(BeatLanes, OnlyTheMostAlikeGoesOnWithALane) {
  detail::BeatLanes lanes;
  std::vector<detail::BeatHypothesis> first(1);
  for (int64_t t = 0; t < 600; t += 50) first[0].chain.beats.push_back(t);
  first[0].probability = 1;
  lanes.follow(first, 600);
  std::vector<detail::BeatHypothesis> both(2, {first[0].chain});
  for (int i = 0; i < 3; ++i) both[0].chain.beats[size_t(i)] += 25;
  for (int i = 4; i < 8; ++i) both[1].chain.beats[size_t(i)] += 25;
  both[0].probability = both[1].probability = 0.5;
  lanes.follow(both, 600);
  // The lane had 0.4 * 1; now 0.6 * 0.4 + 0.4 * 0.5 against 0.4 * 0.5.
  EXPECT_NEAR(both[0].probability, 0.44 / 0.64, 1e-12);
  EXPECT_EQ(both[0].chain.beats[0], 25);
}

}  // namespace
}  // namespace vmr::audio
