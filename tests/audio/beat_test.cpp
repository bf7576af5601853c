// Pins onset strength, tempo and beats of the reference method to librosa 0.9.2, its steps to small
// cases worked by hand, and what all methods share. Our own tracker: also beat_tracker_test.cpp.
#include "vmr/audio/beat.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "audio/beat_steps.h"
#include "audio/test_signals.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

using test::max_error;
using test::to_vector;

BeatOptions reference() {
  BeatOptions options;
  options.method = BeatMethod::reference;
  return options;
}

at::Tensor rendered(const nlohmann::json& entry) {
  return test::render({entry.at("bpm"), entry.at("seconds"), entry.at("seed"), entry.at("ramp")})
      .waveform;
}

std::vector<double> every(int64_t step, const std::vector<double>& values) {
  std::vector<double> kept;
  for (size_t i = 0; i < values.size(); i += step) kept.push_back(values[i]);
  return kept;
}

// Share of beats found and of found beats right, as their harmonic mean; 70 ms, one to one.
double f_measure(const std::vector<double>& found, const std::vector<double>& truth) {
  size_t hits = 0, next = 0;
  for (const double beat : truth) {
    while (next < found.size() && found[next] < beat - 0.07) ++next;
    if (next < found.size() && found[next] <= beat + 0.07) {
      ++hits;
      ++next;
    }
  }
  return 2.0 * static_cast<double>(hits) / static_cast<double>(found.size() + truth.size());
}

TEST(Onset, EqualsLibrosa) {
  for (const auto& clip : test::golden("librosa").at("clips"))
    EXPECT_LT(max_error(to_vector(onset_strength(rendered(clip))), clip.at("onset")), 1e-4)
        << clip.at("bpm");
  for (const auto& song : test::golden("librosa").at("songs"))
    EXPECT_LT(max_error(every(8, to_vector(onset_strength(rendered(song)))), song.at("onset")),
              1e-4)
        << song.at("bpm");
  OnsetOptions reflect;
  reflect.padding = FramePadding::reflect;
  EXPECT_LT(max_error(to_vector(onset_strength(test::render({97, 4, 6}).waveform, reflect)),
                      test::golden("librosa").at("onset_reflect")),
            1e-4);
}

TEST(Onset, DoesNotDependOnTheLevel) {
  const auto wave = test::render({120, 4, 3}).waveform;
  EXPECT_LT(max_error(to_vector(onset_strength(wave)), to_vector(onset_strength(wave.mul(0.25)))),
            0.02);
}

TEST(Beat, ReferenceEqualsLibrosa) {
  for (const char* list : {"clips", "songs"}) {
    for (const auto& entry : test::golden("librosa").at(list)) {
      const auto track = track_beats(rendered(entry), reference());
      EXPECT_EQ(track.beat_frames, entry.at("beats").get<std::vector<int64_t>>())
          << entry.at("bpm");
      EXPECT_NEAR(track.tempo_bpm, entry.at("tempo").get<double>(), 1e-9) << entry.at("bpm");
      for (size_t i = 0; i < track.beat_frames.size(); ++i)
        EXPECT_NEAR(track.beats_seconds[i], 0.032 * static_cast<double>(track.beat_frames[i]),
                    1e-9);
    }
  }
}

TEST(Beat, ReferenceCanKeepTheLastValidBeat) {
  const auto wave = test::render({120, 4, 3}).waveform;
  auto options = reference();
  const auto dropped = track_beats(wave, options).beat_frames;
  options.trim_inclusive = true;
  auto kept = track_beats(wave, options).beat_frames;
  ASSERT_EQ(kept.size(), dropped.size() + 1);
  kept.pop_back();
  EXPECT_EQ(kept, dropped);
}

TEST(BeatSteps, AutocorrelationPeaksAtThePeriod) {
  std::vector<double> pulses(400);
  for (size_t i = 3; i < pulses.size(); i += 20) pulses[i] = 1;
  const auto lags = detail::mean_autocorrelation(pulses, 100, 1);
  ASSERT_EQ(lags.size(), 100u);
  EXPECT_GT(lags[20], 0.5);
  EXPECT_NEAR(lags[10], 0, 1e-9);
  EXPECT_NEAR(lags[0], 1, 1e-9);
}

// 60 fps / lag: lag 30 is 120 BPM where the prior is 1, lag 60 one octave below: exp(-1/2).
TEST(BeatSteps, TempoScoreIsTheLogarithmTimesThePrior) {
  std::vector<double> lags(70, 0.5);
  const auto scores = detail::tempo_scores(lags, {60, 120});
  EXPECT_NEAR(scores[30], std::log1p(5e5), 1e-9);
  EXPECT_NEAR(scores[60], std::log1p(5e5) - 0.5, 1e-9);
  EXPECT_TRUE(std::isinf(scores[11]));   // 327 BPM
  EXPECT_FALSE(std::isinf(scores[12]));  // 300 BPM
}

// Two spikes 10 apart: standard deviation of (1, 0 ..., 1) over 21 values; the bell is 1 in its
// centre and exp(-0.5 * 3.2^2) one frame beside it.
TEST(BeatSteps, LocalScoreIsTheSmoothedNormalisedCurve) {
  std::vector<double> onset(21);
  onset[5] = onset[15] = 1;
  const double mean = 2.0 / 21;
  const double deviation = std::sqrt((2 * (1 - mean) * (1 - mean) + 19 * mean * mean) / 20);
  const auto score = detail::local_score(onset, 10);
  EXPECT_NEAR(score[5], 1 / deviation, 1e-9);
  EXPECT_NEAR(score[6], std::exp(-0.5 * 3.2 * 3.2) / deviation, 1e-9);
}

// Behind the last pulse it goes on in the tempo.
TEST(BeatSteps, ChainFollowsThePulsesOverAGap) {
  std::vector<double> score(120);
  for (const int64_t at : {7, 17, 27, 37, 57, 67, 78, 87, 97}) score[at] = 5;
  EXPECT_EQ(detail::chain_beats(score, 10, 100),
            (std::vector<int64_t>{7, 17, 27, 37, 47, 57, 67, 78, 87, 97, 107, 117}));
}

TEST(BeatSteps, TrimDropsWeakEnds) {
  const std::vector<int64_t> beats{0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<double> score{0, 0, 1, 1, 1, 1, 0, 0};
  // Smoothed: 0, .5, 1.5, 2, 2, 1.5, .5, 0; half the root mean square is 0.64.
  EXPECT_EQ(detail::trim_beats(beats, score, true), (std::vector<int64_t>{2, 3, 4, 5}));
  EXPECT_EQ(detail::trim_beats(beats, score, false), (std::vector<int64_t>{2, 3, 4}));
}

TEST(Beat, TrackerFindsTheBeatsOfRenderedSongs) {
  for (const auto& song : {test::Song{92, 20, 50},
                           {105, 20, 51},
                           {118, 20, 52},
                           {127, 20, 53},
                           {138, 20, 54},
                           {112, 20, 55, 0.05}}) {
    const auto piece = test::render(song);
    const auto track = track_beats(piece.waveform);
    EXPECT_GT(f_measure(track.beats_seconds, piece.beats), 0.95) << song.bpm;
    if (song.ramp == 0) {
      EXPECT_NEAR(track.tempo_bpm, song.bpm, 0.01 * song.bpm);
    }
  }
}

TEST(Beat, TrackerKeepsTheEdgesAndLeavesSilenceAlone) {
  auto wave = at::zeros({30 * 16000});
  wave.narrow(0, 8 * 16000, 12 * 16000).copy_(test::render({120, 12, 56}).waveform);
  const auto beats = track_beats(wave).beats_seconds;
  ASSERT_GE(beats.size(), 22u);
  EXPECT_NEAR(beats.front(), 8.11, 0.05);
  EXPECT_GT(beats.back(), 19.3);
  EXPECT_LT(beats.back(), 20.3);
}

TEST(Beat, FindsNothingInSilence) {
  for (const auto method : {BeatMethod::reference, BeatMethod::tracker}) {
    BeatOptions options;
    options.method = method;
    for (const int64_t samples : {1, 300, 3200, 64000}) {
      const auto track = track_beats(at::zeros({samples}), options);
      EXPECT_TRUE(track.beats_seconds.empty());
      EXPECT_EQ(track.tempo_bpm, 0);
      EXPECT_NO_THROW(track_beats(test::to_tensor(test::noise(samples, 3)), options));
    }
  }
}

TEST(Beat, GivesTheSameTwice) {
  const auto wave = test::render({130, 10, 57}).waveform;
  const auto one = track_beats(wave), two = track_beats(wave);
  EXPECT_EQ(one.beats_seconds, two.beats_seconds);
  EXPECT_EQ(one.tempo_bpm, two.tempo_bpm);
  EXPECT_TRUE(at::equal(one.onset, two.onset));
}

TEST(Beat, TakesTheBeatsOfAnExternalTracker) {
  BeatOptions options;
  options.method = BeatMethod::aubio;
  EXPECT_THROW(track_beats(at::zeros({16000}), options), InvalidArgument);
  options.external = [](const at::Tensor&, double) { return std::vector<double>{0.5, 1.1, 1.6}; };
  const auto track = track_beats(at::zeros({32000}), options);
  EXPECT_EQ(track.beats_seconds, (std::vector<double>{0.5, 1.1, 1.6}));
  EXPECT_NEAR(track.tempo_bpm, 100, 1e-9);
  ASSERT_EQ(track.beat_frames.size(), 3u);
  EXPECT_NEAR(static_cast<double>(track.beat_frames[1]) * 0.010, 1.1, 0.006);
  for (const std::vector<double>& wrong :
       {std::vector<double>{0.5, 0.4}, {-1}, {NAN}, {INFINITY}}) {
    options.external = [&](const at::Tensor&, double) { return wrong; };
    EXPECT_THROW(track_beats(at::zeros({32000}), options), InvalidArgument);
  }
}

TEST(Beat, NamesWhatIsWrong) {
  EXPECT_THROW(track_beats(at::zeros({2, 16000})), InvalidArgument);
  EXPECT_THROW(track_beats(at::zeros({16000}, at::kDouble)), InvalidArgument);
  EXPECT_THROW(track_beats(at::zeros({0})), InvalidArgument);
  for (const float broken : {NAN, INFINITY}) {
    auto wave = at::zeros({64000});
    wave[30000] = broken;
    EXPECT_THROW(track_beats(wave), InvalidArgument);
    EXPECT_THROW(onset_strength(wave), InvalidArgument);
  }
  const auto refused = [](auto change) {
    BeatOptions changed;
    change(changed);
    EXPECT_THROW(track_beats(at::zeros({16000}), changed), InvalidArgument);
  };
  refused([](auto& o) { o.rate_hz = 100; });
  refused([](auto& o) { o.tightness = 0; });
  refused([](auto& o) { o.start_bpm = 1000; });
  refused([](auto& o) { o.onset = OnsetOptions{.rate_hz = 22050}; });
  refused([](auto& o) { o.onset = OnsetOptions{.hop_samples = 4000}; });
  refused([](auto& o) { o.onset = OnsetOptions{.padding = FramePadding::none}; });
}

}  // namespace
}  // namespace vmr::audio
