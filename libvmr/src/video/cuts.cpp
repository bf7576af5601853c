#include "vmr/video/cuts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "video/tensor_checks.h"

namespace vmr::video {
namespace {

constexpr int64_t kGridSide = 64;  // a frame is averaged to at most this many cells a side
constexpr int64_t kBlock = 8;      // side of the blocks that are matched, cells
constexpr int64_t kReachX = 8;     // how far a block may have moved, cells
constexpr int64_t kReachY = 5;
constexpr int kNoiseFloor = 6;         // grey levels a cell may differ by noise alone
constexpr int kHues = 8, kValues = 8;  // histogram: 8 hues and "no hue", times 8 values
constexpr float kFullChroma = 0.25f;   // chroma from which a cell counts by its hue alone
constexpr int kBins = (kHues + 1) * kValues;

// What is kept of a frame: its luma cells and its colour histogram (sum 1).
struct Signature {
  std::vector<uint8_t> luma;
  std::array<float, kBins> histogram{};
};

struct Grid {
  int64_t height, width;
};

// Adds `mass` to the two neighbouring value bins, so that noise moves a cell little.
void add_value(Signature& signature, int hue, float value, float mass) {
  const float position = std::clamp(value * kValues - 0.5f, 0.0f, kValues - 1.0f);
  const int low = std::min(static_cast<int>(position), kValues - 2);
  const float part = position - static_cast<float>(low);
  signature.histogram[hue * kValues + low] += mass * (1 - part);
  signature.histogram[hue * kValues + low + 1] += mass * part;
}

// Adds a cell of colour r, g, b in 0..1: its mass is shared between hues and "no hue" by chroma.
void add_colour(Signature& signature, float r, float g, float b, float mass) {
  const float value = std::max({r, g, b});
  const float chroma = value - std::min({r, g, b});
  const float coloured = std::min(1.0f, chroma / kFullChroma);
  add_value(signature, kHues, value, mass * (1 - coloured));
  if (chroma <= 0) return;
  float sextant;  // 0..6 around the colour circle
  if (value == r) {
    sextant = (g - b) / chroma + (g < b ? 6.0f : 0.0f);
  } else if (value == g) {
    sextant = (b - r) / chroma + 2.0f;
  } else {
    sextant = (r - g) / chroma + 4.0f;
  }
  const float position = sextant / 6.0f * kHues;
  const int low = static_cast<int>(position);
  const float part = position - static_cast<float>(low);
  add_value(signature, low % kHues, value, mass * coloured * (1 - part));
  add_value(signature, (low + 1) % kHues, value, mass * coloured * part);
}

Signature describe_frame(const uint8_t* rgb, int64_t h, int64_t w, Grid grid) {
  Signature signature;
  signature.luma.resize(grid.height * grid.width);
  const float mass = 1.0f / static_cast<float>(grid.height * grid.width);
  for (int64_t gy = 0; gy < grid.height; ++gy) {
    const int64_t y_begin = gy * h / grid.height, y_end = (gy + 1) * h / grid.height;
    for (int64_t gx = 0; gx < grid.width; ++gx) {
      const int64_t x_begin = gx * w / grid.width, x_end = (gx + 1) * w / grid.width;
      int64_t sum[3] = {0, 0, 0};
      for (int64_t y = y_begin; y < y_end; ++y) {
        for (int64_t x = x_begin; x < x_end; ++x) {
          for (int k = 0; k < 3; ++k) sum[k] += rgb[(y * w + x) * 3 + k];
        }
      }
      const float scale =
          1.0f / (255.0f * static_cast<float>((y_end - y_begin) * (x_end - x_begin)));
      const float r = static_cast<float>(sum[0]) * scale, g = static_cast<float>(sum[1]) * scale,
                  b = static_cast<float>(sum[2]) * scale;
      add_colour(signature, r, g, b, mass);
      signature.luma[gy * grid.width + gx] =
          static_cast<uint8_t>(255.0f * (0.299f * r + 0.587f * g + 0.114f * b) + 0.5f);
    }
  }
  return signature;
}

int block_difference(const uint8_t* a, const uint8_t* b, int64_t stride) {
  int sum = 0;
  for (int64_t y = 0; y < kBlock; ++y)
    for (int64_t x = 0; x < kBlock; ++x) sum += std::abs(a[y * stride + x] - b[y * stride + x]);
  return sum;
}

// Sum of |cell - mean| of a block: how much there is to match.
int block_contrast(const uint8_t* block, int64_t stride) {
  int sum = 0;
  for (int64_t y = 0; y < kBlock; ++y)
    for (int64_t x = 0; x < kBlock; ++x) sum += block[y * stride + x];
  const int mean = sum / (kBlock * kBlock);
  int contrast = 0;
  for (int64_t y = 0; y < kBlock; ++y)
    for (int64_t x = 0; x < kBlock; ++x) contrast += std::abs(block[y * stride + x] - mean);
  return contrast;
}

// 0 where every block of `from` is found nearby in `to`, 1 where the best places differ from the
// blocks as much as a flat grey would.
double unmatched(const Signature& from, const Signature& to, Grid grid) {
  constexpr int kNoise = kNoiseFloor * kBlock * kBlock;
  double differences = 0.0, contrasts = 0.0;
  for (int64_t y = 0; y + kBlock <= grid.height; y += kBlock) {
    for (int64_t x = 0; x + kBlock <= grid.width; x += kBlock) {
      const uint8_t* block = from.luma.data() + y * grid.width + x;
      int best = block_difference(block, to.luma.data() + y * grid.width + x, grid.width);
      // A difference within the noise counts as none: nothing better is to be found.
      for (int64_t ty = std::max<int64_t>(0, y - kReachY);
           best > kNoise && ty <= std::min(grid.height - kBlock, y + kReachY); ++ty) {
        for (int64_t tx = std::max<int64_t>(0, x - kReachX);
             best > kNoise && tx <= std::min(grid.width - kBlock, x + kReachX); ++tx) {
          const uint8_t* there = to.luma.data() + ty * grid.width + tx;
          best = std::min(best, block_difference(block, there, grid.width));
        }
      }
      differences += std::max(0, best - kNoise);
      contrasts += std::max(block_contrast(block, grid.width), kNoise);
    }
  }
  return std::min(1.0, differences / contrasts);
}

double histogram_distance(const Signature& a, const Signature& b) {
  double sum = 0.0;
  for (int i = 0; i < kBins; ++i) sum += std::abs(a.histogram[i] - b.histogram[i]);
  return std::min(1.0, sum / 2);
}

// Colours and structure are two witnesses: the picture is the same only if both say so.
double distance(const Signature& a, const Signature& b, Grid grid) {
  const double structure = 0.5 * (unmatched(a, b, grid) + unmatched(b, a, grid));
  return 1.0 - (1.0 - histogram_distance(a, b)) * (1.0 - structure);
}

struct Described {
  Grid grid{};
  std::vector<Signature> frames;
  std::vector<double> scores;
};

Described describe_all(const at::Tensor& frames, const char* function) {
  const at::Tensor source = detail::require_uint8(frames, function, "uint8 frames [n, h, w, 3]");
  VMR_CHECK(source.dim() == 4 && source.size(3) == 3, function,
            ": expected frames [n, h, w, 3], got ", detail::describe(frames));
  const int64_t n = source.size(0), h = source.size(1), w = source.size(2);
  VMR_CHECK(h >= 16 && w >= 16, function, ": frames must be at least 16 x 16 pixels, got ", h,
            " x ", w);
  Described film;
  const double shrink =
      std::min(1.0, static_cast<double>(kGridSide) / static_cast<double>(std::max(h, w)));
  const auto cells = [&](int64_t side) {
    return std::clamp<int64_t>(std::llround(static_cast<double>(side) * shrink), kBlock, side);
  };
  film.grid = {cells(h), cells(w)};
  const auto* rgb = source.const_data_ptr<uint8_t>();
  for (int64_t i = 0; i < n; ++i)
    film.frames.push_back(describe_frame(rgb + i * h * w * 3, h, w, film.grid));
  for (int64_t i = 0; i + 1 < n; ++i)
    film.scores.push_back(distance(film.frames[i], film.frames[i + 1], film.grid));
  return film;
}

// The median score of the pairs within local_seconds of `pair` (three a side at least), itself left
// out.
double local_median(const std::vector<double>& scores, const std::vector<double>& times,
                    size_t pair, double local_seconds) {
  std::vector<double> around;
  const double here = times[pair + 1];
  for (size_t i = pair; i-- > 0;) {
    if (pair - i > 3 && here - times[i + 1] > local_seconds) break;
    around.push_back(scores[i]);
  }
  for (size_t i = pair + 1; i < scores.size(); ++i) {
    if (i - pair > 3 && times[i + 1] - here > local_seconds) break;
    around.push_back(scores[i]);
  }
  if (around.empty()) return 0.0;
  const auto middle = around.begin() + static_cast<std::ptrdiff_t>(around.size() / 2);
  std::nth_element(around.begin(), middle, around.end());
  return *middle;
}

// Whether `pair` begins or ends a stretch shorter than a shot with the same picture on both sides.
bool is_flash(const Described& film, const std::vector<double>& times, size_t pair,
              const CutOptions& options) {
  const double same = 0.5 * film.scores[pair];
  for (size_t j = pair + 2; j < film.frames.size(); ++j) {
    if (times[j] - times[pair + 1] >= options.min_shot_seconds) break;
    if (distance(film.frames[pair], film.frames[j], film.grid) < same) return true;
  }
  for (size_t j = pair; j-- > 0;) {
    if (times[pair + 1] - times[j + 1] >= options.min_shot_seconds) break;
    if (distance(film.frames[j], film.frames[pair + 1], film.grid) < same) return true;
  }
  return false;
}

}  // namespace

void validate(const CutOptions& options) {
  VMR_CHECK(options.min_score > 0 && options.min_score < 1,
            "CutOptions: min_score must be in (0, 1), got ", options.min_score);
  VMR_CHECK(options.local_ratio > 1 && std::isfinite(options.local_ratio),
            "CutOptions: local_ratio must be above 1, got ", options.local_ratio);
  VMR_CHECK(options.local_seconds >= 0 && std::isfinite(options.local_seconds),
            "CutOptions: local_seconds must be >= 0, got ", options.local_seconds);
  VMR_CHECK(options.min_shot_seconds >= 0 && std::isfinite(options.min_shot_seconds),
            "CutOptions: min_shot_seconds must be >= 0, got ", options.min_shot_seconds);
}

std::vector<double> cut_scores(const at::Tensor& frames) {
  return describe_all(frames, "cut_scores").scores;
}

std::vector<Cut> detect_cuts(const at::Tensor& frames, const std::vector<double>& times,
                             const CutOptions& options) {
  validate(options);
  const Described film = describe_all(frames, "detect_cuts");
  VMR_CHECK(times.size() == film.frames.size(), "detect_cuts: expected one time per frame, got ",
            times.size(), " times for ", film.frames.size(), " frames");
  for (size_t i = 1; i < times.size(); ++i)
    VMR_CHECK(times[i] > times[i - 1], "detect_cuts: times must rise, but time ", i, " is ",
              times[i], " after ", times[i - 1]);
  std::vector<Cut> candidates;
  for (size_t pair = 0; pair < film.scores.size(); ++pair) {
    const double score = film.scores[pair];
    if (score < options.min_score) continue;
    const double usual = local_median(film.scores, times, pair, options.local_seconds);
    // A score cannot pass 1: where the usual one is high, the bar closes half of the gap instead.
    const double bar = std::min(options.local_ratio * usual, 0.5 * (1.0 + usual));
    if (score <= bar || is_flash(film, times, pair, options)) continue;
    candidates.push_back({.seconds = times[pair + 1], .score = score});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Cut& a, const Cut& b) { return a.score > b.score; });
  std::vector<Cut> cuts;
  for (const Cut& cut : candidates) {
    const bool near = std::any_of(cuts.begin(), cuts.end(), [&](const Cut& kept) {
      return std::abs(kept.seconds - cut.seconds) < options.min_shot_seconds;
    });
    if (!near) cuts.push_back(cut);
  }
  std::sort(cuts.begin(), cuts.end(),
            [](const Cut& a, const Cut& b) { return a.seconds < b.seconds; });
  return cuts;
}

}  // namespace vmr::video
