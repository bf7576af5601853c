#include "support/synth.h"

#include <ATen/Functions.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "support/temp_folder.h"

namespace vmr::test {
namespace {

constexpr int kBits = 16;
constexpr double kTwoPi = 2 * std::numbers::pi;

// Where block `bit` lies: two rows of eight in the upper half, clear of the corners.
struct Block {
  int x, y, width, height;
};
Block block(int bit, int width, int height) {
  const int w = width * 3 / 4 / 8, h = height / 6;
  return {width / 8 + bit % 8 * w, height / 12 + bit / 8 * (h + height / 24), w, h};
}

double texture(double x, double y) {
  return 0.5 + 0.2 * std::sin(0.31 * x + 0.17 * y) + 0.2 * std::sin(0.23 * y - 0.41 * x + 1.3) +
         0.08 * std::sin(0.9 * x) * std::sin(0.8 * y);
}

}  // namespace

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "vmr_test_XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

at::Tensor tone(double hz, double seconds, double rate_hz, double amplitude, double phase) {
  const auto count = static_cast<int64_t>(std::llround(seconds * rate_hz));
  at::Tensor samples = at::empty({1, count}, at::kFloat);
  float* to = samples.mutable_data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<float>(amplitude *
                               std::sin(kTwoPi * hz * static_cast<double>(i) / rate_hz + phase));
  }
  return samples;
}

ClickTrack click_track(double bpm, double seconds, double rate_hz, double first_seconds) {
  const auto count = static_cast<int64_t>(std::llround(seconds * rate_hz));
  ClickTrack track{at::zeros({1, count}, at::kFloat), {}};
  float* to = track.samples.mutable_data_ptr<float>();
  const auto length = static_cast<int64_t>(0.003 * rate_hz);
  for (int64_t k = 0;; ++k) {
    const double at = first_seconds + static_cast<double>(k) * 60 / bpm;
    const auto start = static_cast<int64_t>(std::ceil(at * rate_hz));
    if (start + length >= count) break;
    track.seconds.push_back(at);
    for (int64_t i = 0; i < length; ++i) {
      const double t = static_cast<double>(start + i) / rate_hz - at;
      to[start + i] = static_cast<float>(0.8 * std::cos(kTwoPi * 2000 * t));
    }
  }
  return track;
}

std::vector<double> find_clicks(const at::Tensor& samples, double rate_hz, double level) {
  const at::Tensor flat = samples.reshape({-1}).contiguous();
  const float* from = flat.const_data_ptr<float>();
  std::vector<double> found;
  const auto quiet = static_cast<int64_t>(0.03 * rate_hz);
  int64_t last_loud = -quiet - 1;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    if (std::abs(from[i]) < level) continue;
    if (i - last_loud > quiet) found.push_back(static_cast<double>(i) / rate_hz);
    last_loud = i;
  }
  return found;
}

at::Tensor numbered_frame(int64_t number, int width, int height) {
  at::Tensor frame = at::empty({height, width, 3}, at::kByte);
  uint8_t* to = frame.mutable_data_ptr<uint8_t>();
  const double shift = static_cast<double>(number);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double value = 255 * texture(x + 1.5 * shift, y + 0.5 * shift);
      for (int c = 0; c < 3; ++c) {
        to[(y * width + x) * 3 + c] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  const auto fill = [&](Block area, std::array<uint8_t, 3> colour) {
    for (int y = area.y; y < area.y + area.height; ++y) {
      for (int x = area.x; x < area.x + area.width; ++x) {
        std::copy(colour.begin(), colour.end(), to + (y * width + x) * 3);
      }
    }
  };
  const int side = width / 12;
  fill({0, 0, side, side}, {255, 0, 0});
  fill({width - side, 0, side, side}, {0, 255, 0});
  fill({0, height - side, side, side}, {0, 0, 255});
  for (int bit = 0; bit < kBits; ++bit) {
    const uint8_t level = number >> bit & 1 ? 255 : 0;
    fill(block(bit, width, height), {level, level, level});
  }
  return frame;
}

int64_t number_of(const at::Tensor& frame) {
  const auto height = static_cast<int>(frame.size(0)), width = static_cast<int>(frame.size(1));
  int64_t number = 0;
  for (int bit = 0; bit < kBits; ++bit) {
    const Block area = block(bit, width, height);
    const int x = area.x + area.width / 4, y = area.y + area.height / 4;
    const double level = frame.narrow(0, y, std::max(area.height / 2, 1))
                             .narrow(1, x, std::max(area.width / 2, 1))
                             .to(at::kFloat)
                             .mean()
                             .item<double>();
    if (level > 70 && level < 185) return -1;
    if (level >= 185) number |= int64_t(1) << bit;
  }
  return number;
}

at::Tensor MovingSquare::frame(int64_t n) const {
  at::Tensor picture = at::empty({height, width, 3}, at::kByte);
  uint8_t* to = picture.mutable_data_ptr<uint8_t>();
  const double left = x0 + static_cast<double>(n) * dx, top = y0 + static_cast<double>(n) * dy;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      // Share of the pixel that the square covers, for sub-pixel edges.
      const double cover_x = std::clamp(std::min(x + 1 - left, left + side - x), 0.0, 1.0);
      const double cover_y = std::clamp(std::min(y + 1 - top, top + side - y), 0.0, 1.0);
      const double ground = 0.5 * texture(1.1 * x, 1.1 * y);
      const double square = 0.35 + 0.65 * texture(1.7 * (x - left), 1.7 * (y - top));
      const double cover = cover_x * cover_y;
      const double value = 255 * (ground * (1 - cover) + square * cover);
      for (int c = 0; c < 3; ++c) {
        to[(y * width + x) * 3 + c] = static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
      }
    }
  }
  return picture;
}

SineFit fit_sine(const at::Tensor& samples, double hz, double rate_hz, double start_seconds) {
  const at::Tensor flat = samples.reshape({-1}).contiguous();
  const float* from = flat.const_data_ptr<float>();
  double ss = 0, cc = 0, sc = 0, sy = 0, cy = 0;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const double angle = kTwoPi * hz * (start_seconds + static_cast<double>(i) / rate_hz);
    const double s = std::sin(angle), c = std::cos(angle), y = from[i];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    sy += s * y;
    cy += c * y;
  }
  const double determinant = ss * cc - sc * sc;
  const double a = (sy * cc - cy * sc) / determinant, b = (cy * ss - sy * sc) / determinant;
  return {std::hypot(a, b), std::atan2(b, a)};
}

}  // namespace vmr::test
