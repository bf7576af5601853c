// Pictures made by integer formulas, the same in C++ and in tests/golden/make_video.py.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vmr/core/hash.h"

namespace vmr::video::test {

inline uint32_t mixed(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  return x ^ (x >> 16);
}

// Random bytes [h, w, c]; every fourth one is 0 or 255, so that cubic overshoot is clipped.
inline at::Tensor noise_image(int64_t h, int64_t w, int64_t c, int64_t seed) {
  at::Tensor image = at::empty({h, w, c}, at::kByte);
  auto* data = image.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < image.numel(); ++i) {
    const uint32_t v = mixed(static_cast<uint32_t>(i + seed * 1000003));
    data[i] = (v & 3) == 0 ? ((v & 4) ? 255 : 0) : static_cast<uint8_t>(v >> 24);
  }
  return image;
}

inline int64_t lattice(int64_t ix, int64_t iy, int64_t seed) {
  return mixed(static_cast<uint32_t>((ix + 4096) * 8192 + (iy + 4096) + seed * 69069)) >> 24;
}

inline int64_t octave(int64_t x, int64_t y, int64_t cell, int64_t seed) {
  const int64_t side = cell * 16;
  const int64_t ix = x / side, iy = y / side, fx = x % side, fy = y % side;
  const int64_t top = lattice(ix, iy, seed) * (side - fx) + lattice(ix + 1, iy, seed) * fx;
  const int64_t low = lattice(ix, iy + 1, seed) * (side - fx) + lattice(ix + 1, iy + 1, seed) * fx;
  return (top * (side - fy) + low * fy) / (side * side);
}

// Value at (x, y) >= 0, in 1/16 pixel, of an endless smooth random plane.
inline uint8_t plane(int64_t x, int64_t y, int64_t seed) {
  return static_cast<uint8_t>((octave(x, y, 6, seed) + 2 * octave(x, y, 17, seed + 1)) / 3);
}

// Grey picture whose corner lies at (x0, y0), in 1/16 pixel, of the plane.
inline void paint(at::Tensor picture, int64_t x0, int64_t y0, int64_t seed) {
  auto* data = picture.mutable_data_ptr<uint8_t>();
  const int64_t h = picture.size(0), w = picture.size(1);
  for (int64_t y = 0; y < h; ++y)
    for (int64_t x = 0; x < w; ++x) data[y * w + x] = plane(x * 16 + x0, y * 16 + y0, seed);
}

struct Corner {
  int64_t x = 0, y = 0;  // 1/16 pixel
};

// [corners, h, w]: what a camera sees whose corner is moved from frame to frame.
inline at::Tensor camera_film(int64_t h, int64_t w, const std::vector<Corner>& corners,
                              int64_t seed) {
  at::Tensor film = at::empty({static_cast<int64_t>(corners.size()), h, w}, at::kByte);
  for (size_t i = 0; i < corners.size(); ++i)
    paint(film.select(0, static_cast<int64_t>(i)), corners[i].x, corners[i].y, seed);
  return film;
}

inline std::string hash_of(const at::Tensor& bytes) {
  const at::Tensor flat = bytes.contiguous();
  return hash_text(std::string_view(static_cast<const char*>(flat.const_data_ptr()),
                                    static_cast<size_t>(flat.nbytes())));
}

inline nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(std::string(VMR_TEST_DATA) + "/video/" + name));
}

}  // namespace vmr::video::test
