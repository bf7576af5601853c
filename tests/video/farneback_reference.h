// Farneback's flow in the most readable form, one pixel at a time in double sums: what the vector
// code is compared with. The arithmetic of a pixel is that of the CUDA version.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "video/farneback_plan.h"

namespace vmr::video::test {

using detail::Equations;
using detail::Expansion;

struct Field {
  int width = 0, height = 0;
  std::vector<float> values;
  Field(int w, int h) : width(w), height(h), values(size_t(w) * size_t(h)) {}
  float at(int x, int y) const {
    x = std::clamp(x, 0, width - 1);
    y = std::clamp(y, 0, height - 1);
    return values[size_t(y) * size_t(width) + size_t(x)];
  }
  float& set(int x, int y) { return values[size_t(y) * size_t(width) + size_t(x)]; }
};

inline Field resampled(const std::function<double(int, int)>& source,
                       const detail::AxisFilter& across, const detail::AxisFilter& down) {
  Field result(across.outputs, down.outputs);
  for (int y = 0; y < down.outputs; ++y) {
    for (int x = 0; x < across.outputs; ++x) {
      double sum = 0;
      for (int j = 0; j < down.taps; ++j) {
        for (int i = 0; i < across.taps; ++i) {
          sum += double(down.weights[size_t(j * down.stride + y)]) *
                 across.weights[size_t(i * across.stride + x)] *
                 source(across.first[size_t(x)] + i, down.first[size_t(y)] + j);
        }
      }
      result.set(x, y) = float(sum);
    }
  }
  return result;
}

inline std::vector<Expansion> expanded(const detail::FarnebackPlan& plan, const Field& level) {
  std::vector<Expansion> result;
  const int n = plan.poly_n;
  for (int y = 0; y < level.height; ++y) {
    for (int x = 0; x < level.width; ++x) {
      double one = 0, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
      for (int j = -n; j <= n; ++j) {
        for (int i = -n; i <= n; ++i) {
          const double v = double(plan.g[size_t(std::abs(i))]) * plan.g[size_t(std::abs(j))] *
                           level.at(x + i, y + j);
          one += v;
          sx += v * i;
          sy += v * j;
          xx += v * i * i;
          yy += v * j * j;
          xy += v * i * j;
        }
      }
      result.push_back(detail::expansion_of(
          {float(one), float(sx), float(sy), float(xx), float(yy), float(xy)}, plan.scale));
    }
  }
  return result;
}

// Bilinear between the expansions around (x, y); false outside.
inline bool sampled(const std::vector<Expansion>& e, int width, int height, float x, float y,
                    Expansion& out) {
  const float left = std::floor(x), top = std::floor(y);
  if (!(left >= 0 && left < float(width - 1) && top >= 0 && top < float(height - 1))) return false;
  const float fx = x - left, fy = y - top;
  const auto* a = &e[size_t(top) * size_t(width) + size_t(left)];
  const auto* b = a + width;
  const auto mix = [&](float Expansion::*field) {
    return (1 - fy) * ((1 - fx) * a[0].*field + fx * a[1].*field) +
           fy * ((1 - fx) * b[0].*field + fx * b[1].*field);
  };
  out = {mix(&Expansion::by), mix(&Expansion::bx), mix(&Expansion::ayy), mix(&Expansion::axx),
         mix(&Expansion::axy)};
  return true;
}

// [2, h, w]
inline std::vector<float> farneback_reference(const detail::FarnebackPlan& plan,
                                              const uint8_t* first, const uint8_t* second) {
  Field u(1, 1), v(1, 1);
  for (size_t l = plan.levels.size(); l-- > 0;) {
    const auto& level = plan.levels[l];
    const int w = level.width, h = level.height;
    std::vector<Expansion> expansions[2];
    for (int k = 0; k < 2; ++k) {
      const auto* picture = k == 0 ? first : second;
      expansions[k] =
          expanded(plan, resampled(
                             [&](int x, int y) {
                               return double(picture[size_t(y) * size_t(plan.width) + size_t(x)]);
                             },
                             level.across, level.down));
    }
    if (l + 1 == plan.levels.size()) {
      u = v = Field(w, h);
    } else {
      const auto enlarged = [&](const Field& coarse) {
        return resampled([&](int x, int y) { return double(coarse.at(x, y)) * plan.enlarge; },
                         level.coarse_across, level.coarse_down);
      };
      u = enlarged(u);
      v = enlarged(v);
    }
    for (int round = 0; round < plan.iterations; ++round) {
      std::vector<Equations> equations;
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          const float dx = u.at(x, y), dy = v.at(x, y);
          Expansion to{};
          const bool inside = sampled(expansions[1], w, h, float(x) + dx, float(y) + dy, to);
          equations.push_back(detail::equations_of(expansions[0][equations.size()], to, inside, dx,
                                                   dy, detail::border_weight_at(x, y, w, h)));
        }
      }
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          double sums[5] = {};
          for (int j = -plan.radius; j <= plan.radius; ++j) {
            for (int i = -plan.radius; i <= plan.radius; ++i) {
              const auto& e = equations[size_t(std::clamp(y + j, 0, h - 1)) * size_t(w) +
                                        size_t(std::clamp(x + i, 0, w - 1))];
              const double weight = plan.window.empty() ? double(plan.box_weight)
                                                        : double(plan.window[size_t(std::abs(i))]) *
                                                              plan.window[size_t(std::abs(j))];
              const double parts[5] = {e.gyy, e.gxy, e.gxx, e.hy, e.hx};
              for (int p = 0; p < 5; ++p) sums[p] += weight * parts[p];
            }
          }
          const auto d = detail::solve(
              {float(sums[0]), float(sums[1]), float(sums[2]), float(sums[3]), float(sums[4])});
          u.set(x, y) = d.x;
          v.set(x, y) = d.y;
        }
      }
    }
  }
  std::vector<float> result = u.values;
  result.insert(result.end(), v.values.begin(), v.values.end());
  return result;
}

}  // namespace vmr::video::test
