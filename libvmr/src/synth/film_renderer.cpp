#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "synth/film_motion.h"
#include "synth/texture.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

constexpr uint32_t kPairs = 0x00FF00FFu;

// a + (b - a) * part / 256 in all four bytes, two at a time.
inline uint32_t blend(uint32_t a, uint32_t b, uint32_t part) {
  const uint32_t rest = 256 - part;
  const uint32_t even = ((a & kPairs) * rest + (b & kPairs) * part) >> 8;
  const uint32_t odd = ((a >> 8) & kPairs) * rest + ((b >> 8) & kPairs) * part;
  return (even & kPairs) | (odd & ~kPairs);
}

// A texture coordinate as 16.16; unsigned, so that it wraps.
uint32_t fixed16(double value) { return static_cast<uint32_t>(std::llround(value * 65536.0)); }

// Every texel with its right, lower and lower right neighbours in the bytes of one word, so that a
// bilinear sample is one load: half the time of four.
std::vector<uint32_t> gather_quads(const std::vector<uint8_t>& tile) {
  constexpr size_t kMask = kTileSize - 1;
  std::vector<uint32_t> quads(tile.size());
  for (size_t y = 0; y <= kMask; ++y) {
    const uint8_t* top = tile.data() + (y << kTileBits);
    const uint8_t* bottom = tile.data() + (((y + 1) & kMask) << kTileBits);
    for (size_t x = 0; x <= kMask; ++x) {
      const size_t right = (x + 1) & kMask;
      quads[(y << kTileBits) + x] = static_cast<uint32_t>(
          top[x] | top[right] << 8 | bottom[x] << 16 | static_cast<uint32_t>(bottom[right]) << 24);
    }
  }
  return quads;
}

inline uint32_t sample_tile(const uint32_t* quads, uint32_t u, uint32_t v) {
  constexpr uint32_t kMask = kTileSize - 1;
  const uint32_t quad = quads[(v >> 16 & kMask) << kTileBits | (u >> 16 & kMask)];
  const uint32_t fx = u >> 8 & 255, fy = v >> 8 & 255;
  const uint32_t rows = ((quad & kPairs) * (256 - fx) + (quad >> 8 & kPairs) * fx) >> 8 & kPairs;
  return ((rows & 255) * (256 - fy) + (rows >> 16) * fy) >> 8;
}

// Four bytes, of which the next pixel takes back the last.
inline void put(uint8_t* out, uint32_t colour) { std::memcpy(out, &colour, 4); }

// A shape's picture, colours multiplied by its coverage, with an empty border of one pixel.
struct Sprite {
  int size = 0;
  std::vector<uint32_t> pixels;
};

// Distance to the outline of the unit shape, negative inside; about Euclidean near the outline.
double outline(int shape, double x, double y) {
  const double radius = std::hypot(x, y);
  switch (shape) {
    case 1:
      return std::max(std::abs(x), std::abs(y)) - 0.68;
    case 2:
      return std::max(y - 0.45, 0.866 * std::abs(x) - 0.5 * y - 0.45);
    case 3:
      return std::abs(radius - 0.7) - 0.22;
    case 4:
      return std::max(std::abs(x) - 0.92, std::abs(y) - 0.22);
    case 5: {
      constexpr double kPoint = 6.283185307179586 / 5;
      double angle = std::fmod(std::atan2(x, -y) + 10 * kPoint, kPoint);
      angle = std::min(angle, kPoint - angle);
      return 0.8 * (radius - (0.95 - 0.85 * angle));
    }
    default:
      return radius - 0.9;
  }
}

Sprite make_sprite(const Mover& mover, const Palette& palette, double softness,
                   const std::vector<uint8_t>& tile) {
  Sprite sprite;
  const double radius = mover.radius_pixels;
  sprite.size = 2 * static_cast<int>(std::ceil(radius)) + 4;
  sprite.pixels.assign(static_cast<size_t>(sprite.size * sprite.size), 0u);
  const double edge = std::max(1.2 / radius, 0.3 * softness * softness);
  for (int row = 1; row + 1 < sprite.size; ++row) {
    for (int column = 1; column + 1 < sprite.size; ++column) {
      const double x = (column + 0.5 - 0.5 * sprite.size) / radius;
      const double y = (row + 0.5 - 0.5 * sprite.size) / radius;
      const double cover = std::clamp(0.5 - outline(mover.shape, x, y) / edge, 0.0, 1.0);
      if (cover == 0.0) continue;
      const uint8_t level =
          tile[static_cast<size_t>((row * 2 % kTileSize << kTileBits) + column * 2 % kTileSize)];
      sprite.pixels[static_cast<size_t>(row * sprite.size + column)] =
          blend(0u, palette[level], static_cast<uint32_t>(std::lround(256 * cover)));
    }
  }
  return sprite;
}

}  // namespace

struct FilmRenderer::Impl {
  FilmScript script;
  at::Tensor frame;
  std::vector<std::vector<uint8_t>> tiles;
  std::vector<std::vector<uint32_t>> quads;  // of the tiles
  const Shot* shot = nullptr;                // whose palette and sprites are ready
  Palette palette{};
  std::vector<Sprite> sprites;

  explicit Impl(const FilmScript& source) : script(source) {
    const int64_t height = script.options.height, width = script.options.width;
    // One byte more than the picture: see put.
    frame = at::empty({height * width * 3 + 1}, at::kByte)
                .narrow(0, 0, height * width * 3)
                .view({height, width, 3});
    for (int tile = 0; tile < 2; ++tile) {
      Random random(script.options.seed, "tile", tile);
      const double cycles = script.texture_cycles * (tile == 0 ? 1.0 : 0.7);
      tiles.push_back(
          make_tile(script.texture, std::max(3, static_cast<int>(std::lround(cycles))), random));
      quads.push_back(gather_quads(tiles.back()));
    }
  }

  const std::vector<uint8_t>& tile(int index) const { return tiles[static_cast<size_t>(index)]; }

  void prepare(int64_t number) {
    if (shot != nullptr && number >= shot->begin_frame && number < shot->end_frame) return;
    for (const Shot& candidate : script.shots) {
      if (number >= candidate.begin_frame && number < candidate.end_frame) shot = &candidate;
    }
    palette = make_palette(script.hue, script.hue_spread, script.saturation, shot->lightness,
                           script.contrast, shot->inverted);
    sprites.clear();
    for (const Mover& mover : shot->movers) {
      const Palette colours = make_palette(mover.hue, 0.05, script.saturation + 0.2,
                                           mover.lightness, 0.35 * script.contrast, false);
      sprites.push_back(make_sprite(mover, colours, script.softness, tile(1 - shot->tile)));
    }
  }

  void draw_background(double seconds) {
    const Affine t = background_at(script, *shot, seconds);
    const uint32_t* levels = quads[static_cast<size_t>(shot->tile)].data();
    const uint32_t step_u = fixed16(t.a), step_v = fixed16(t.c);
    uint8_t* out = frame.data_ptr<uint8_t>();
    for (int y = 0; y < script.options.height; ++y) {
      uint32_t u = fixed16(t.b * y + t.e), v = fixed16(t.d * y + t.f);
      for (int x = 0; x < script.options.width; ++x, out += 3, u += step_u, v += step_v) {
        put(out, palette[sample_tile(levels, u, v)]);
      }
    }
  }

  void draw_mover(const Mover& mover, const Sprite& sprite, double seconds) {
    const Pose pose = mover_at(script, *shot, mover, seconds);
    const double reach = mover.radius_pixels * pose.magnification + 2;
    const int width = script.options.width, height = script.options.height;
    const int left = std::max(0, static_cast<int>(std::floor(pose.x - reach)));
    const int right = std::min(width, static_cast<int>(std::ceil(pose.x + reach)));
    const int top = std::max(0, static_cast<int>(std::floor(pose.y - reach)));
    const int bottom = std::min(height, static_cast<int>(std::ceil(pose.y + reach)));
    const double c = std::cos(pose.angle) / pose.magnification;
    const double s = std::sin(pose.angle) / pose.magnification;
    const double middle = 0.5 * sprite.size - 0.5;
    const auto limit = static_cast<uint32_t>(sprite.size - 1);
    for (int y = top; y < bottom; ++y) {
      const double dx = left + 0.5 - pose.x, dy = y + 0.5 - pose.y;
      uint32_t u = fixed16(c * dx + s * dy + middle), v = fixed16(c * dy - s * dx + middle);
      const uint32_t step_u = fixed16(c), step_v = fixed16(-s);
      uint8_t* out = frame.data_ptr<uint8_t>() + 3 * (static_cast<ptrdiff_t>(y) * width + left);
      for (int x = left; x < right; ++x, out += 3, u += step_u, v += step_v) {
        const uint32_t column = u >> 16, row = v >> 16;
        if (column >= limit || row >= limit) continue;
        const uint32_t* at =
            sprite.pixels.data() + row * static_cast<uint32_t>(sprite.size) + column;
        const uint32_t fx = u >> 8 & 255, fy = v >> 8 & 255;
        const uint32_t above = blend(at[0], at[1], fx);
        const uint32_t below = blend(at[sprite.size], at[sprite.size + 1], fx);
        const uint32_t colour = blend(above, below, fy);
        const uint32_t cover = colour >> 24;
        if (cover == 0) continue;
        const uint32_t rest = 255 - cover;
        for (int channel = 0; channel < 3; ++channel) {
          const uint32_t value = (colour >> (8 * channel) & 255) + out[channel] * rest / 255;
          out[channel] = static_cast<uint8_t>(std::min<uint32_t>(value, 255));
        }
      }
    }
  }
};

FilmRenderer::FilmRenderer(const FilmScript& script) : impl_(std::make_unique<Impl>(script)) {}
FilmRenderer::~FilmRenderer() = default;

at::Tensor FilmRenderer::render(int64_t frame) {
  VMR_CHECK(frame >= 0 && frame < impl_->script.frames, "FilmRenderer: frame ", frame,
            " is outside [0, ", impl_->script.frames, ")");
  impl_->prepare(frame);
  const double seconds = static_cast<double>(frame) / impl_->script.options.frames_per_second;
  impl_->draw_background(seconds);
  for (size_t i = 0; i < impl_->sprites.size(); ++i) {
    impl_->draw_mover(impl_->shot->movers[i], impl_->sprites[i], seconds);
  }
  return impl_->frame;
}

}  // namespace vmr::synth
