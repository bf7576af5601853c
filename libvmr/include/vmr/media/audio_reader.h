// Reads the sound of an audio or film file as samples at a wanted rate.
//
// Sample i of the result is the sound at start_seconds + i / rate_hz on the file's clock (probe.h).
// Where the sound begins later than that, or has a hole of over 50 ms, there is silence, so picture
// and sound stay together. Encoder delay and padding are left out (gapless). A whole file of N
// samples at R Hz gives ceil(N * rate_hz / R) samples. The resampler is FFmpeg's (Kaiser window,
// 32 taps, cut-off 0.97) with fixed settings: equal input gives equal bits. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <stop_token>

namespace vmr::media {

struct AudioOptions {
  double rate_hz = 16000;  // 0 keeps the file's rate
  int channels = 1;        // 1: mean of the file's channels, as librosa; 0 keeps them
  double start_seconds = 0;
  double duration_seconds = 0;  // 0: to the end of the sound
};

struct Audio {
  at::Tensor samples;  // [channels, samples] float32, full scale = 1 (lossy codecs may pass it)
  double rate_hz = 0;
  double start_seconds = 0;  // of sample 0
};

// Throws: InvalidArgument for a field out of range.
void validate(const AudioOptions& options);

// Throws: MediaError where there is no sound to decode; InvalidArgument; Error when stopped.
Audio read_audio(const std::filesystem::path& path, const AudioOptions& options = {},
                 std::stop_token stop = {});

}  // namespace vmr::media
