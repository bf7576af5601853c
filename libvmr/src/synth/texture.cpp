#include "synth/texture.h"

#include <algorithm>
#include <cmath>

namespace vmr::synth {
namespace {

constexpr float kTwoPi = 6.2831853f;

float soft_step(float value) {  // -1..1 -> 0..1 with short edges
  return std::clamp(0.5f + 2.5f * value, 0.0f, 1.0f);
}

// Smooth noise on a lattice of `cells` x `cells` values that wraps around.
class LatticeNoise {
 public:
  LatticeNoise(int cells, Random& random) : cells_(cells) {
    values_.resize(static_cast<size_t>(cells * cells));
    for (float& value : values_) value = static_cast<float>(random.uniform());
  }
  float cell(int x, int y) const {
    return values_[static_cast<size_t>(((y % cells_ + cells_) % cells_) * cells_ +
                                       (x % cells_ + cells_) % cells_)];
  }
  // Adds gain * noise to all pixels of a tile.
  void add_to(std::vector<float>& tile, float gain) const {
    const float scale = static_cast<float>(cells_) / kTileSize;
    std::vector<int> left(kTileSize);
    std::vector<float> part(kTileSize);
    for (int i = 0; i < kTileSize; ++i) {
      const float at = static_cast<float>(i) * scale;
      left[static_cast<size_t>(i)] = static_cast<int>(at);
      const float f = at - std::floor(at);
      part[static_cast<size_t>(i)] = f * f * (3 - 2 * f);
    }
    for (int y = 0; y < kTileSize; ++y) {
      const int row = left[static_cast<size_t>(y)];
      const float fy = part[static_cast<size_t>(y)];
      for (int x = 0; x < kTileSize; ++x) {
        const int column = left[static_cast<size_t>(x)];
        const float fx = part[static_cast<size_t>(x)];
        const float above = cell(column, row) * (1 - fx) + cell(column + 1, row) * fx;
        const float below = cell(column, row + 1) * (1 - fx) + cell(column + 1, row + 1) * fx;
        tile[static_cast<size_t>(y * kTileSize + x)] += gain * (above * (1 - fy) + below * fy);
      }
    }
  }

 private:
  int cells_;
  std::vector<float> values_;
};

// Fills a tile with function(x, y), both in cycles.
template <typename Function>
void fill(std::vector<float>& tile, int cycles, const Function& function) {
  const float scale = static_cast<float>(cycles) / kTileSize;
  for (int y = 0; y < kTileSize; ++y) {
    for (int x = 0; x < kTileSize; ++x) {
      tile[static_cast<size_t>(y * kTileSize + x)] +=
          function(static_cast<float>(x) * scale, static_cast<float>(y) * scale);
    }
  }
}

float fraction(float value) { return value - std::floor(value); }
float triangle_wave(float value) { return std::abs(2 * fraction(value) - 1); }

void stripes(std::vector<float>& tile, int cycles, Random& random) {
  const LatticeNoise shades(cycles, random);
  fill(tile, cycles, [&](float x, float y) {
    const float shade = shades.cell(static_cast<int>(x), 0);
    return 0.7f * soft_step(4 * triangle_wave(x) - 2) + 0.5f * shade;
  });
}

void checks(std::vector<float>& tile, int cycles, Random& random) {
  const int even = cycles + cycles % 2;  // an odd number would leave a seam
  const LatticeNoise shades(even, random);
  fill(tile, even, [&](float x, float y) {
    const float side =
        std::min(std::min(fraction(x), 1 - fraction(x)), std::min(fraction(y), 1 - fraction(y)));
    const auto column = static_cast<int>(x), row = static_cast<int>(y);
    const float edge = std::min(1.0f, side * 8);
    return 0.5f + ((column + row) % 2 == 0 ? -0.35f : 0.35f) * edge +
           0.4f * shades.cell(column, row) * edge;
  });
}

void dots(std::vector<float>& tile, int cycles, Random& random) {
  const LatticeNoise sizes(cycles, random), shades(cycles, random);
  fill(tile, cycles, [&](float x, float y) {
    const auto column = static_cast<int>(x), row = static_cast<int>(y);
    const float dx = fraction(x) - 0.5f, dy = fraction(y) - 0.5f;
    const float radius = 0.2f + 0.22f * sizes.cell(column, row);
    const float inside = std::clamp((radius - std::sqrt(dx * dx + dy * dy)) * 14, 0.0f, 1.0f);
    return inside * (0.6f + 0.4f * shades.cell(column, row));
  });
}

void rings(std::vector<float>& tile, int cycles, Random& random) {
  const int cells = std::max(2, cycles / 3);
  const LatticeNoise phases(cells, random), shades(cells, random);
  fill(tile, cells, [&](float x, float y) {
    const auto column = static_cast<int>(x), row = static_cast<int>(y);
    const float dx = fraction(x) - 0.5f, dy = fraction(y) - 0.5f;
    const float distance = std::sqrt(dx * dx + dy * dy);
    const float fade = std::clamp((0.5f - distance) * 10, 0.0f, 1.0f);
    const float wave = triangle_wave(2.5f * distance + phases.cell(column, row));
    return fade * (0.25f + 0.6f * soft_step(2 * wave - 1) + 0.4f * shades.cell(column, row));
  });
}

void gradients(std::vector<float>& tile, Random& random) {
  for (int wave = 0; wave < 3; ++wave) {
    const auto kx = static_cast<float>(random.below(4) - 1),
               ky = static_cast<float>(1 + random.below(2));
    const auto phase = static_cast<float>(random.uniform());
    std::vector<float> sine(kTileSize);
    for (int i = 0; i < kTileSize; ++i) {
      sine[static_cast<size_t>(i)] = std::sin(kTwoPi * static_cast<float>(i) / kTileSize);
    }
    fill(tile, kTileSize, [&](float x, float y) {
      const auto at = static_cast<int>(kx * x + ky * y + phase * kTileSize);
      return 0.33f * sine[static_cast<size_t>(at & (kTileSize - 1))];
    });
  }
  LatticeNoise(24, random).add_to(tile, 0.25f);
}

void zigzag(std::vector<float>& tile, int cycles, Random& random) {
  const LatticeNoise shades(cycles, random);
  fill(tile, cycles, [&](float x, float y) {
    const float along = y + 1.2f * triangle_wave(0.5f * x * (cycles % 2 == 0 ? 1.0f : 2.0f));
    const int line = static_cast<int>(std::floor(along)) % cycles;
    return 0.7f * soft_step(4 * triangle_wave(along) - 2) + 0.5f * shades.cell(line, 1);
  });
}

void clouds(std::vector<float>& tile, int cycles, Random& random) {
  int cells = std::max(3, cycles / 3);
  float gain = 1.0f;
  for (int octave = 0; octave < 4; ++octave, cells *= 2, gain *= 0.5f) {
    LatticeNoise(cells, random).add_to(tile, gain);
  }
}

void grain(std::vector<float>& tile, int cycles, Random& random) {
  LatticeNoise(128, random).add_to(tile, 0.7f);
  LatticeNoise(64, random).add_to(tile, 0.5f);
  LatticeNoise(std::max(4, cycles / 2), random).add_to(tile, 0.5f);
  for (int scratch = 0; scratch < 3 * cycles; ++scratch) {
    const int x = random.below(kTileSize), y = random.below(kTileSize);
    const auto shade = static_cast<float>(random.uniform(-0.8, 0.8));
    for (int i = 0; i < 60 + random.below(120); ++i) {
      tile[static_cast<size_t>(((y + i) & (kTileSize - 1)) * kTileSize + x)] += shade;
      tile[static_cast<size_t>(((y + i) & (kTileSize - 1)) * kTileSize +
                               ((x + 1) & (kTileSize - 1)))] += shade;
    }
  }
}

// Mean 128, about two and a half standard deviations to each end.
std::vector<uint8_t> to_levels(const std::vector<float>& tile) {
  double sum = 0.0, squares = 0.0;
  for (const float value : tile) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double mean = sum / static_cast<double>(tile.size());
  const double deviation =
      std::sqrt(std::max(1e-9, squares / static_cast<double>(tile.size()) - mean * mean));
  const auto scale = static_cast<float>(60.0 / deviation), shift = static_cast<float>(mean);
  std::vector<uint8_t> levels(tile.size());
  for (size_t i = 0; i < tile.size(); ++i) {
    levels[i] = static_cast<uint8_t>(std::clamp(128.5f + scale * (tile[i] - shift), 0.0f, 255.0f));
  }
  return levels;
}

uint32_t pack(const std::array<double, 3>& rgb) {
  uint32_t packed = 0xFF000000u;
  for (int channel = 0; channel < 3; ++channel) {
    const double value = std::clamp(rgb[static_cast<size_t>(channel)], 0.0, 1.0);
    packed |= static_cast<uint32_t>(std::lround(255 * value)) << (8 * channel);
  }
  return packed;
}

// Colour with luminance (BT.601) `lightness`: grey plus chroma of zero luminance.
std::array<double, 3> colour(double hue, double saturation, double lightness) {
  std::array<double, 3> rgb{};
  for (size_t c = 0; c < 3; ++c) {
    rgb[c] = std::cos(static_cast<double>(kTwoPi) * (hue - static_cast<double>(c) / 3.0));
  }
  const double luminance = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  const double room = std::min(lightness, 1.0 - lightness) + 0.1;
  for (double& value : rgb) value = lightness + 0.8 * saturation * room * (value - luminance);
  return rgb;
}

}  // namespace

std::vector<uint8_t> make_tile(TextureFamily family, int cycles, Random& random) {
  std::vector<float> tile(static_cast<size_t>(kTileSize) * kTileSize, 0.0f);
  switch (family) {
    case TextureFamily::stripes:
      stripes(tile, cycles, random);
      break;
    case TextureFamily::checks:
      checks(tile, cycles, random);
      break;
    case TextureFamily::clouds:
      clouds(tile, cycles, random);
      break;
    case TextureFamily::dots:
      dots(tile, cycles, random);
      break;
    case TextureFamily::rings:
      rings(tile, cycles, random);
      break;
    case TextureFamily::gradients:
      gradients(tile, random);
      break;
    case TextureFamily::zigzag:
      zigzag(tile, cycles, random);
      break;
    case TextureFamily::grain:
      grain(tile, cycles, random);
      break;
  }
  LatticeNoise(7, random).add_to(tile, 0.35f);  // no two places look the same
  return to_levels(tile);
}

Palette make_palette(double hue, double spread, double saturation, double lightness,
                     double contrast, bool inverted) {
  Palette palette{};
  for (size_t level = 0; level < palette.size(); ++level) {
    const double part = static_cast<double>(level) / 255.0;
    const double light =
        std::clamp(lightness + 0.9 * contrast * (inverted ? 0.5 - part : part - 0.5), 0.02, 0.98);
    palette[level] = pack(colour(hue + spread * part, saturation, light));
  }
  return palette;
}

uint32_t make_colour(double hue, double saturation, double lightness) {
  return pack(colour(hue, saturation, lightness));
}

}  // namespace vmr::synth
