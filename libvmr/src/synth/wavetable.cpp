#include "synth/wavetable.h"

#include <algorithm>
#include <cmath>

#include "vmr/synth/song.h"

namespace vmr::synth {
namespace {

constexpr double kLowestHertz = 27.5;  // of the first octave
constexpr double kTwoPi = 6.283185307179586;

}  // namespace

Wavetable::Wavetable(const std::function<double(int)>& amplitude) {
  std::vector<double> sine(kSize);
  for (size_t i = 0; i < kSize; ++i) sine[i] = std::sin(kTwoPi * static_cast<double>(i) / kSize);
  for (int octave = 0; octave < kOctaves; ++octave) {
    const double highest = kLowestHertz * std::exp2(octave + 1);
    const int harmonics = std::clamp(static_cast<int>(0.5 * kSongRateHz / highest), 1, 256);
    std::vector<double> sum(kSize, 0.0);
    for (int k = 1; k <= harmonics; ++k) {
      const double level = amplitude(k);
      if (level == 0.0) continue;
      for (size_t i = 0; i < kSize; ++i) {
        sum[i] += level * sine[(i * static_cast<size_t>(k)) & (kSize - 1)];
      }
    }
    double peak = 1e-9;
    for (const double value : sum) peak = std::max(peak, std::abs(value));
    auto& cycle = cycles_[static_cast<size_t>(octave)];
    for (const double value : sum) cycle.push_back(static_cast<float>(value / peak));
    cycle.push_back(cycle.front());
  }
}

const float* Wavetable::cycle(double hertz) const {
  const int octave = static_cast<int>(std::floor(std::log2(std::max(hertz, 1.0) / kLowestHertz)));
  return cycles_[static_cast<size_t>(std::clamp(octave, 0, kOctaves - 1))].data();
}

const Wavetable& sine_wave() {
  static const Wavetable wave([](int k) { return k == 1 ? 1.0 : 0.0; });
  return wave;
}

const Wavetable& saw_wave() {
  static const Wavetable wave([](int k) { return 1.0 / k; });
  return wave;
}

const Wavetable& square_wave() {
  static const Wavetable wave([](int k) { return k % 2 == 1 ? 1.0 / k : 0.0; });
  return wave;
}

const Wavetable& organ_wave() {  // drawbars 16', 8', 5 1/3', 4', 2 2/3', 2'
  static const Wavetable wave([](int k) {
    constexpr std::array<double, 9> bars{0, 0.8, 1.0, 0.6, 0.7, 0, 0.35, 0, 0.3};
    return k < 9 ? bars[static_cast<size_t>(k)] : 0.0;
  });
  return wave;
}

}  // namespace vmr::synth
