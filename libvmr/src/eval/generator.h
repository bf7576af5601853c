// Random numbers of the statistics: the same everywhere for the same seed.
#pragma once

#include <cstdint>
#include <limits>

namespace vmr::eval {

// SplitMix64 (Steele, Lea, Flood 2014): a full-period 64-bit generator in three lines.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform on 0 .. n-1 without bias: values of the last, incomplete stretch are drawn again.
  uint64_t below(uint64_t n) {
    const uint64_t limit = std::numeric_limits<uint64_t>::max() / n * n;
    uint64_t value = next();
    while (value >= limit) value = next();
    return value % n;
  }

 private:
  uint64_t state_;
};

}  // namespace vmr::eval
