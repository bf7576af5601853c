// Pins aubio's tracker behind our interface: a click track's tempo and beats.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "audio/test_signals.h"
#include "vmr/audio_aubio/aubio_beat.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

TEST(AubioBeat, TracksARenderedSong) {
  BeatOptions options;
  options.method = BeatMethod::aubio;
  options.external = aubio_beat_tracker();
  const auto piece = test::render({120, 20, 70});
  const auto track = track_beats(piece.waveform, options);
  EXPECT_NEAR(track.tempo_bpm, 120, 3);
  ASSERT_GT(track.beats_seconds.size(), 20u);
  int near = 0;
  for (const double beat : track.beats_seconds)
    for (const double truth : piece.beats) near += std::abs(beat - truth) < 0.07;
  EXPECT_GT(near, 0.8 * static_cast<double>(track.beats_seconds.size()));
  EXPECT_EQ(track_beats(piece.waveform, options).beats_seconds, track.beats_seconds);
}

TEST(AubioBeat, FindsNothingInSilence) {
  EXPECT_TRUE(aubio_beat_tracker()(at::zeros({64000}), 16000).empty());
}

TEST(AubioBeat, NamesWhatIsWrong) {
  EXPECT_THROW(aubio_beat_tracker({.hop_samples = 0}), InvalidArgument);
  EXPECT_THROW(aubio_beat_tracker({.window_samples = 128}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::audio
