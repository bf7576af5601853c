// Random numbers that are the same everywhere: a counter-based 64-bit generator (the SplitMix64
// finaliser over key + counter) with our own uniform integers and shuffle, because those of the
// standard library differ between implementations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace vmr::data {

class RandomStream {
 public:
  // Streams of different keys are independent: {seed, purpose, epoch, ...}.
  explicit RandomStream(std::initializer_list<uint64_t> key) {
    for (const uint64_t part : key) key_ = mix(key_ + kStep + part) * kStep;
  }

  uint64_t next() { return mix(key_ + kStep * ++counter_); }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // Uniform in [0, bound), exactly. Requires: bound > 0.
  int64_t below(int64_t bound) {
    const auto range = static_cast<uint64_t>(bound);
    const uint64_t unfair = (0 - range) % range;  // 2^64 mod range: values below it are redrawn
    uint64_t value = next();
    while (value < unfair) value = next();
    return static_cast<int64_t>(value % range);
  }

  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t key_ = 0, counter_ = 0;
};

// First part after the seed in every key, so that no two uses share numbers.
enum class Purpose : uint64_t { tag_vector = 1, batches, negatives, clips, torch_generators };

inline RandomStream random_stream(uint64_t seed, Purpose purpose, int64_t a = 0, int64_t b = 0) {
  return RandomStream(
      {seed, static_cast<uint64_t>(purpose), static_cast<uint64_t>(a), static_cast<uint64_t>(b)});
}

}  // namespace vmr::data
