#include "video/farneback_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace vmr::video::detail {
namespace {

constexpr int kSmallestLevel = 32;  // pixels; levels below are left out

// ... 2 1 | 0 1 2 ... n-1 | n-2 ...
int reflect(int i, int n) {
  if (n == 1) return 0;
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
  return i;
}

std::vector<double> gaussian(int size, double sigma) {
  std::vector<double> kernel(static_cast<size_t>(size));
  double sum = 0;
  for (int i = 0; i < size; ++i) {
    const double x = i - (size - 1) * 0.5;
    sum += kernel[i] = std::exp(-x * x / (2 * sigma * sigma));
  }
  for (double& value : kernel) value /= sum;
  return kernel;
}

// Weights by input, one output after the other, all in one piece of memory: a plan is made for
// each call, and for a single pair it must not cost what the flow does.
class Rows {
 public:
  explicit Rows(int inputs) : row_(static_cast<size_t>(inputs)) {}

  void add(int input, double weight) {
    row_[input] += weight;
    low_ = std::min(low_, input);
    high_ = std::max(high_, input);
  }
  // The next output begins. Requires: a weight since the last one.
  void end_row() {
    outputs_.push_back({low_, high_ - low_ + 1, weights_.size()});
    weights_.insert(weights_.end(), row_.begin() + low_, row_.begin() + high_ + 1);
    std::fill(row_.begin() + low_, row_.begin() + high_ + 1, 0.0);
    low_ = std::numeric_limits<int>::max();
    high_ = -1;
  }

  AxisFilter pack() const {
    const auto inputs = static_cast<int>(row_.size());
    AxisFilter filter{.inputs = inputs, .outputs = static_cast<int>(outputs_.size())};
    for (const Output& output : outputs_) filter.taps = std::max(filter.taps, output.taps);
    filter.stride = (filter.outputs + 15) / 16 * 16;
    filter.first.resize(static_cast<size_t>(filter.stride));
    filter.weights.resize(static_cast<size_t>(filter.stride * filter.taps));
    for (int i = 0; i < filter.outputs; ++i) {
      const Output& output = outputs_[i];
      filter.first[i] = std::min(output.first, inputs - filter.taps);
      const int shift = output.first - filter.first[i];
      for (int k = 0; k < output.taps; ++k) {
        filter.weights[(k + shift) * filter.stride + i] =
            static_cast<float>(weights_[output.begin + static_cast<size_t>(k)]);
      }
    }
    return filter;
  }

 private:
  struct Output {
    int first, taps;  // inputs it has weights of
    size_t begin;     // of its weights
  };
  std::vector<double> row_;  // of the output being made, 0 elsewhere
  int low_ = std::numeric_limits<int>::max(), high_ = -1;
  std::vector<Output> outputs_;
  std::vector<double> weights_;
};

// Blur with `kernel` (odd, mirrored borders), then bilinear sampling with pixel centres aligned.
AxisFilter bilinear_filter(int inputs, int outputs, const std::vector<double>& kernel = {1.0}) {
  const double step = static_cast<double>(inputs) / outputs;
  const int half = static_cast<int>(kernel.size()) / 2;
  Rows rows(inputs);
  for (int i = 0; i < outputs; ++i) {
    const double at = std::clamp((i + 0.5) * step - 0.5, 0.0, inputs - 1.0);
    const int left = static_cast<int>(at);
    const double part = at - left;
    for (int side = 0; side < 2; ++side) {
      const double weight = side == 0 ? 1 - part : part;
      if (weight == 0) continue;
      for (int k = -half; k <= half; ++k) {
        rows.add(reflect(left + side + k, inputs), weight * kernel[k + half]);
      }
    }
    rows.end_row();
  }
  return rows.pack();
}

// Each output is the mean of the inputs it covers, in part at its ends.
AxisFilter area_filter(int inputs, int outputs) {
  const double step = static_cast<double>(inputs) / outputs;
  Rows rows(inputs);
  for (int i = 0; i < outputs; ++i) {
    const double begin = i * step, end = std::min((i + 1) * step, double(inputs));
    for (int k = static_cast<int>(begin); k < end; ++k) {
      const double covered = std::min(end, k + 1.0) - std::max(begin, double(k));
      if (covered > 1e-9) rows.add(k, covered / (end - begin));
    }
    rows.end_row();
  }
  return rows.pack();
}

std::vector<double> blur_of(double scale) {
  const double sigma = (1 / scale - 1) / 2;
  if (sigma == 0) return {0.25, 0.5, 0.25};
  const int size = std::max(static_cast<int>(std::nearbyint(sigma * 5)) | 1, 3);
  return gaussian(size, sigma);
}

// Inverts a symmetric positive definite matrix.
using Matrix6 = std::array<std::array<double, 6>, 6>;
Matrix6 inverse(Matrix6 m) {
  Matrix6 result{};
  for (int i = 0; i < 6; ++i) result[i][i] = 1;
  for (int i = 0; i < 6; ++i) {
    const double pivot = m[i][i];
    for (int j = 0; j < 6; ++j) m[i][j] /= pivot, result[i][j] /= pivot;
    for (int r = 0; r < 6; ++r) {
      if (r == i) continue;
      const double factor = m[r][i];
      for (int j = 0; j < 6; ++j) {
        m[r][j] -= factor * m[i][j];
        result[r][j] -= factor * result[i][j];
      }
    }
  }
  return result;
}

// The weighted least squares of the basis 1, x, y, x^2, y^2, xy.
void plan_expansion(FarnebackPlan& plan, double sigma) {
  const int n = plan.poly_n;
  const auto weights = gaussian(2 * n + 1, sigma);
  Matrix6 moments{};
  for (int y = -n; y <= n; ++y) {
    for (int x = -n; x <= n; ++x) {
      const double basis[6] = {1.0,           double(x),     double(y),
                               double(x) * x, double(y) * y, double(x) * y};
      for (int i = 0; i < 6; ++i) {
        for (int j = 0; j < 6; ++j) {
          moments[i][j] += weights[x + n] * weights[y + n] * basis[i] * basis[j];
        }
      }
    }
  }
  const auto solved = inverse(moments);
  plan.scale = {static_cast<float>(solved[1][1]), static_cast<float>(solved[0][3]),
                static_cast<float>(solved[3][3]), static_cast<float>(solved[5][5])};
  for (int k = 0; k <= n; ++k) {
    const double g = weights[k + n];
    plan.g.push_back(static_cast<float>(g));
    plan.xg.push_back(static_cast<float>(k * g));
    plan.xxg.push_back(static_cast<float>(double(k) * k * g));
  }
}

void plan_window(FarnebackPlan& plan, const FarnebackOptions& options) {
  plan.radius = options.window / 2;
  // An even window covers window + 1 pixels but is divided by window^2, as in OpenCV.
  plan.box_weight = static_cast<float>(1.0 / (double(options.window) * options.window));
  if (!options.gaussian) return;
  const double sigma = plan.radius * 0.3;
  const auto weights = sigma > 0 ? gaussian(2 * plan.radius + 1, sigma) : std::vector<double>{1.0};
  for (int k = 0; k <= plan.radius; ++k) {
    plan.window.push_back(static_cast<float>(weights[plan.radius + k]));
  }
}

}  // namespace

FarnebackPlan plan_farneback(int64_t height, int64_t width, const FarnebackOptions& options) {
  FarnebackPlan plan;
  plan.width = static_cast<int>(width);
  plan.height = static_cast<int>(height);
  plan.iterations = options.iterations;
  plan.enlarge = static_cast<float>(1 / options.pyramid_scale);
  plan.poly_n = options.poly_n;
  plan_expansion(plan, options.poly_sigma);
  plan_window(plan, options);
  double scale = 1;
  for (int level = 0; level <= options.levels; ++level, scale *= options.pyramid_scale) {
    if (level > 0 && (width * scale < kSmallestLevel || height * scale < kSmallestLevel)) break;
    FarnebackLevel l;
    l.width = static_cast<int>(std::nearbyint(double(width) * scale));
    l.height = static_cast<int>(std::nearbyint(double(height) * scale));
    const auto blur = blur_of(scale);
    l.across = bilinear_filter(plan.width, l.width, blur);
    l.down = bilinear_filter(plan.height, l.height, blur);
    plan.levels.push_back(std::move(l));
  }
  for (size_t i = 0; i + 1 < plan.levels.size(); ++i) {
    auto& fine = plan.levels[i];
    const auto& coarse = plan.levels[i + 1];
    fine.coarse_across = bilinear_filter(coarse.width, fine.width);
    fine.coarse_down = bilinear_filter(coarse.height, fine.height);
  }
  const auto& coarsest = plan.levels.back();
  plan.first_across = area_filter(plan.width, coarsest.width);
  plan.first_down = area_filter(plan.height, coarsest.height);
  plan.first_factor =
      static_cast<float>(std::pow(options.pyramid_scale, double(plan.levels.size() - 1)));
  return plan;
}

}  // namespace vmr::video::detail
