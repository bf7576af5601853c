// Sound and pictures with known truth, as tensors. No files, no FFmpeg.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vmr::test {

// amplitude * sin(2 pi hz t + phase), [1, seconds * rate] float32.
at::Tensor tone(double hz, double seconds, double rate_hz, double amplitude = 0.5,
                double phase = 0);

struct ClickTrack {
  at::Tensor samples;           // [1, n] float32
  std::vector<double> seconds;  // of the clicks' first samples
};
// Clicks (3 ms bursts of 2 kHz, sharp attack) every 60 / bpm seconds from first_seconds on.
ClickTrack click_track(double bpm, double seconds, double rate_hz, double first_seconds = 0.25);

// Times at which |samples| first passes `level` after 30 ms below it: finds the clicks again.
std::vector<double> find_clicks(const at::Tensor& samples, double rate_hz, double level = 0.2);

// A frame that carries a number (up to 65535) as 16 black or white blocks in its upper half, over a
// picture that moves with the number; top left corner red, top right green, bottom left blue.
// [height, width, 3] uint8; width at least 96, height at least 48.
at::Tensor numbered_frame(int64_t number, int width = 128, int height = 64);
// The number of a frame that was compressed or scaled meanwhile; -1 where it is none.
int64_t number_of(const at::Tensor& frame);

// A textured square of side `side` on a still textured ground; in frame n its upper left corner is
// at (x0 + n dx, y0 + n dy) pixels, sub-pixel places interpolated. The true flow is (dx, dy) inside
// of the square and 0 outside. [height, width, 3] uint8.
struct MovingSquare {
  int width = 160, height = 120, side = 48;
  double x0 = 30, y0 = 30, dx = 2, dy = 1;

  at::Tensor frame(int64_t n) const;
};

// Strength of a frequency in samples [n]: the amplitude and phase of its best fitting sine, as in
// tone(), by least squares.
struct SineFit {
  double amplitude = 0, phase = 0;
};
SineFit fit_sine(const at::Tensor& samples, double hz, double rate_hz, double start_seconds = 0);

}  // namespace vmr::test
