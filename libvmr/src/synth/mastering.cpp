#include "synth/mastering.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vmr/synth/song.h"

namespace vmr::synth {
namespace {

constexpr double kRate = kSongRateHz;
constexpr float kKnee = 0.75f, kCeiling = 0.97f;

class Comb {
 public:
  Comb(double seconds, float feedback, float damping)
      : line_(static_cast<size_t>(seconds * kRate), 0.0f), feedback_(feedback), damping_(damping) {}
  float next(float input) {
    const float out = line_[at_];
    low_ += damping_ * (out - low_);
    line_[at_] = input + feedback_ * low_;
    if (++at_ == line_.size()) at_ = 0;
    return out;
  }

 private:
  std::vector<float> line_;
  size_t at_ = 0;
  float feedback_, damping_, low_ = 0.0f;
};

class AllPass {
 public:
  explicit AllPass(double seconds) : line_(static_cast<size_t>(seconds * kRate), 0.0f) {}
  float next(float input) {
    const float held = line_[at_];
    const float out = held - 0.6f * input;
    line_[at_] = input + 0.6f * out;
    if (++at_ == line_.size()) at_ = 0;
    return out;
  }

 private:
  std::vector<float> line_;
  size_t at_ = 0;
};

void add_side(std::vector<float>& side, const std::vector<float>& send, double size, float gain,
              double stretch) {
  const auto feedback = static_cast<float>(0.68 + 0.22 * size);
  std::array<Comb, 4> combs{
      Comb(0.0297 * stretch, feedback, 0.45f), Comb(0.0371 * stretch, feedback, 0.4f),
      Comb(0.0411 * stretch, feedback, 0.35f), Comb(0.0437 * stretch, feedback, 0.3f)};
  AllPass first(0.005 * stretch), second(0.0017 * stretch);
  for (size_t i = 0; i < send.size(); ++i) {
    float sum = 0.0f;
    for (Comb& comb : combs) sum += comb.next(send[i]);
    side[i] += gain * second.next(first.next(sum));
  }
}

struct Biquad {
  double b0, b1, b2, a1, a2;
  double z1 = 0.0, z2 = 0.0;
  double next(double x) {
    const double y = b0 * x + z1;
    z1 = b1 * x - a1 * y + z2;
    z2 = b2 * x - a2 * y;
    return y;
  }
};

// BS.1770's two filters, given there as coefficients at 48 kHz, at any rate by the bilinear
// transform of the analogue filters behind them.
Biquad head_shelf() {
  const double k = std::tan(3.14159265358979 * 1681.974450955533 / kRate);
  const double gain = std::pow(10.0, 3.999843853973347 / 20.0);
  const double q = 0.7071752369554196, band = std::pow(gain, 0.4996667741545416);
  const double a0 = 1.0 + k / q + k * k;
  return {(gain + band * k / q + k * k) / a0, 2.0 * (k * k - gain) / a0,
          (gain - band * k / q + k * k) / a0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0};
}

Biquad low_cut() {
  const double k = std::tan(3.14159265358979 * 38.13547087602444 / kRate);
  const double q = 0.5003270373238773;
  const double a0 = 1.0 + k / q + k * k;
  return {1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0};
}

// Mean squares of consecutive 100 ms steps after both filters.
std::vector<double> step_powers(const std::vector<float>& side) {
  Biquad shelf = head_shelf(), cut = low_cut();
  const auto step = static_cast<size_t>(0.1 * kRate);
  std::vector<double> powers(side.size() / step);
  for (size_t s = 0; s < powers.size(); ++s) {
    double sum = 0.0;
    for (size_t i = s * step; i < (s + 1) * step; ++i) {
      const double value = cut.next(shelf.next(side[i]));
      sum += value * value;
    }
    powers[s] = sum / static_cast<double>(step);
  }
  return powers;
}

double to_lufs(double power) { return -0.691 + 10.0 * std::log10(std::max(power, 1e-12)); }

double gated_mean(const std::vector<double>& blocks, double gate_lufs) {
  double sum = 0.0;
  int64_t count = 0;
  for (const double block : blocks) {
    if (to_lufs(block) <= gate_lufs) continue;
    sum += block;
    ++count;
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

float bend(float value) {
  const float size = std::abs(value);
  if (size <= kKnee) return value;
  const float over = (size - kKnee) / (kCeiling - kKnee);
  return std::copysign(kKnee + (kCeiling - kKnee) * over / (1.0f + over), value);
}

}  // namespace

void add_room(Stereo& mix, const std::vector<float>& send, double size, double gain) {
  add_side(mix.left, send, size, static_cast<float>(gain), 1.0);
  add_side(mix.right, send, size, static_cast<float>(gain), 1.037);
}

void saturate(Stereo& mix, double drive) {
  const auto gain = static_cast<float>(drive);
  for (auto* side : {&mix.left, &mix.right}) {
    for (float& sample : *side) {
      const float x = std::clamp(gain * sample, -3.0f, 3.0f);
      sample = x * (27.0f + x * x) / (27.0f + 9.0f * x * x);
    }
  }
}

double loudness_lufs(const Stereo& mix) {
  const std::vector<double> left = step_powers(mix.left), right = step_powers(mix.right);
  std::vector<double> blocks;  // 400 ms, every 100 ms
  for (size_t s = 0; s + 4 <= left.size(); ++s) {
    double sum = 0.0;
    for (size_t i = s; i < s + 4; ++i) sum += left[i] + right[i];
    blocks.push_back(sum / 4.0);
  }
  const double loud = gated_mean(blocks, -70.0);
  if (loud == 0.0) return -70.0;
  return to_lufs(gated_mean(blocks, to_lufs(loud) - 10.0));
}

void set_loudness(Stereo& mix, double target_lufs) {
  const auto gain = static_cast<float>(std::pow(10.0, (target_lufs - loudness_lufs(mix)) / 20.0));
  for (auto* side : {&mix.left, &mix.right}) {
    for (float& sample : *side) sample = bend(gain * sample);
  }
}

}  // namespace vmr::synth
