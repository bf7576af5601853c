// Constants of Farneback's flow that all its versions share.
// Farneback, "Two-frame motion estimation based on polynomial expansion" (2003), with the borders
// and constants of OpenCV's CPU version, which the field's trajectories come from.
#pragma once

namespace vmr::video::detail {

// What turns weighted sums of a neighbourhood into its quadratic expansion c + b.x + x'Ax: b is
// linear * (sum of x), A_xx is shared * (sum of 1) + square * (sum of x^2), A_xy is mixed * (sum of
// x y).
struct ExpansionScale {
  float linear, shared, square, mixed;
};

// Weight of a pixel `distance` pixels from a border: the expansion there rests on copied pixels.
inline constexpr int kBorderPixels = 5;
[[gnu::always_inline]] inline float border_weight(int distance) {
  return distance < 2 ? 0.14f : distance < kBorderPixels ? 0.4472f : 1.0f;
}

}  // namespace vmr::video::detail
