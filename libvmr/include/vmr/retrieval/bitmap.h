// One bit for every item of a gallery: which ones may be returned. Not thread-safe while written.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace vmr::retrieval {

class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(int64_t size, bool value = false)
      : size_(size), words_(static_cast<size_t>((size + 63) / 64), value ? ~uint64_t{0} : 0) {
    if (value && size % 64 != 0) words_.back() = (uint64_t{1} << (size % 64)) - 1;
  }

  int64_t size() const { return size_; }
  bool test(int64_t item) const {
    return (words_[static_cast<size_t>(item >> 6)] >> (item & 63)) & 1;
  }
  void set(int64_t item) { words_[static_cast<size_t>(item >> 6)] |= uint64_t{1} << (item & 63); }
  void clear(int64_t item) {
    words_[static_cast<size_t>(item >> 6)] &= ~(uint64_t{1} << (item & 63));
  }
  int64_t count() const {
    int64_t total = 0;
    for (const uint64_t word : words_) total += std::popcount(word);
    return total;
  }
  bool operator==(const Bitmap&) const = default;

 private:
  int64_t size_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace vmr::retrieval
