// A generator addressed by (seed, purpose, item): what one item draws never depends on another, on
// threads or on order. SplitMix64 (Steele, Lea, Flood 2014); distributions are our own because the
// standard ones differ between libraries. Not thread-safe; make one per item.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace vmr::synth {

class Random {
 public:
  Random(uint64_t seed, std::string_view purpose, int64_t item = 0) : state_(mix(seed)) {
    for (const char c : purpose) state_ = mix(state_ ^ static_cast<unsigned char>(c));
    state_ = mix(state_ ^ static_cast<uint64_t>(item));
  }

  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15ull); }
  // [0, 1)
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // -1 or 1
  double sign() { return chance(0.5) ? 1.0 : -1.0; }
  bool chance(double probability) { return uniform() < probability; }
  // 0..count-1
  int below(int count) { return static_cast<int>(uniform() * count); }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  // Index drawn in proportion to the weights.
  template <typename Weights>
  int pick(const Weights& weights) {
    double total = 0.0;
    for (const double weight : weights) total += weight;
    double rest = uniform() * total;
    int index = 0, last = 0;
    for (const double weight : weights) {
      if (weight > 0) last = index;
      if (rest < weight) return index;
      rest -= weight;
      ++index;
    }
    return last;
  }
  int pick(std::initializer_list<double> weights) {
    return pick<std::initializer_list<double>>(weights);
  }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

// White noise for sound, uniform in [-1, 1): quick, and good enough to hear.
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed | 1) {}
  float next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * 0x1.0p-31f;
  }

 private:
  uint64_t state_;
};

}  // namespace vmr::synth
