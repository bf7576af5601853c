// Section changes of a piece of music: verse to chorus, a break, a drop. Log-mel frames are
// compared with each other; where what comes resembles itself and not what was, a checkerboard slid
// along the diagonal of the similarities is high (Foote 2000, "Automatic audio segmentation using a
// measure of audio novelty"). We depart in the features (decibels of mel bands around each band's
// mean, not FFT bins), in scaling the kernel's sides where the music ends, and in picking peaks
// against the mean novelty around them. Stateless, deterministic, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace vmr::audio {

struct SectionOptions {
  double rate_hz = 16000;      // 8000 to 192000
  double hop_seconds = 0.25;   // of a frame of the comparison, 0.05 to 2
  double kernel_seconds = 12;  // what is compared on each side of a change, 2 to 60
  // Between changes, of which the stronger stays, and from a change to either end of the music.
  double min_seconds = 4;
  double min_strength = 0.05;  // of a change, above the mean novelty around it
};

struct SectionChange {
  double seconds = 0;
  double strength = 0;  // how far novelty stands above its mean over both kernels' length
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const SectionOptions& options);

// waveform: [samples] float32, in [-1, 1]. Rising. Music shorter than two frames, or silence: none.
// Throws: InvalidArgument for other shapes or dtypes, no samples, or samples that are not finite.
std::vector<SectionChange> section_changes(const at::Tensor& waveform,
                                           const SectionOptions& options = {});

// The steps after the features, for those who have frames of their own.
// frames: [n, dims] float32. Returns [n] float64: novelty of the change between frame i - 1 and
// frame i, in 0..1; 0 at i = 0. With similarity as the cosine (0 for a frame of zeros) it is
//   sum over a, b of s(a) s(b) g(a) g(b) cos(frame i + a, frame i + b) / 4
// over a, b = -half..half - 1 inside the music, s = -1 before the change and 1 after it, and
// g(a) = exp(-2 (a + 1/2)^2 / half^2), scaled to the sum 1 on each side. Halves that resemble
// themselves wholly and each other not at all give 1/2, opposite ones 1.
at::Tensor section_novelty(const at::Tensor& frames, int64_t half);

// Peaks of the novelty: local maxima that stand min_strength above the mean over `around` values to
// each side, no two nearer than `apart`, and none within `apart` of an end. Returns frame numbers,
// rising.
std::vector<int64_t> section_peaks(const at::Tensor& novelty, int64_t around, int64_t apart,
                                   double min_strength);

}  // namespace vmr::audio
