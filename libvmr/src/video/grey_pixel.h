// Grey value of a colour, in whole numbers, as OpenCV has it.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace vmr::video::detail {

// Weights of the first, second and third channel in 1/32768.
struct GreyWeights {
  int32_t first, second, third;
};
inline constexpr GreyWeights kRgbWeights{9798, 19235, 3735};
inline constexpr GreyWeights kBgrWeights{3735, 19235, 9798};

VMR_HOST_DEVICE uint8_t grey_of(const uint8_t* pixel, GreyWeights weights) {
  const int32_t sum =
      pixel[0] * weights.first + pixel[1] * weights.second + pixel[2] * weights.third;
  return static_cast<uint8_t>((sum + (1 << 14)) >> 15);
}

}  // namespace vmr::video::detail
