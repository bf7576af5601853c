// Band-limited waves: one cycle per octave of pitch with only the harmonics below half the rate.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace vmr::synth {

// A position in a cycle as a 32-bit fraction: it wraps by itself.
inline uint32_t phase_step(double hertz, double rate_hz) {
  return static_cast<uint32_t>(hertz / rate_hz * 4294967296.0);
}

class Wavetable {
 public:
  static constexpr int kBits = 11;
  static constexpr int kSize = 1 << kBits;

  // amplitude(k) of harmonic k = 1, 2, ...; scaled to a peak of 1.
  explicit Wavetable(const std::function<double(int)>& amplitude);

  // The cycle fit for a pitch; index it with `read`.
  const float* cycle(double hertz) const;
  static float read(const float* cycle, uint32_t phase) {
    const uint32_t index = phase >> (32 - kBits);
    const float part = static_cast<float>(phase << kBits >> 8) * 0x1.0p-24f;
    return cycle[index] + part * (cycle[index + 1] - cycle[index]);
  }

 private:
  static constexpr int kOctaves = 10;
  std::array<std::vector<float>, kOctaves> cycles_;
};

// Made on first use and never changed.
const Wavetable& sine_wave();
const Wavetable& saw_wave();
const Wavetable& square_wave();
const Wavetable& organ_wave();

}  // namespace vmr::synth
