// Size of a tensor from a shape that came out of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace vmr::store {

// Bytes of a tensor of this shape; empty where an axis is negative or the product of the non-empty
// axes passes 2^62, which LibTorch's own arithmetic would not survive.
inline std::optional<uint64_t> byte_count(std::span<const int64_t> shape, size_t element_bytes) {
  constexpr uint64_t kLimit = uint64_t{1} << 62;
  uint64_t product = element_bytes;
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty |= size == 0;
    const auto factor = static_cast<uint64_t>(size == 0 ? 1 : size);
    if (product > kLimit / factor) return std::nullopt;
    product *= factor;
  }
  return empty ? 0 : product;
}

}  // namespace vmr::store
