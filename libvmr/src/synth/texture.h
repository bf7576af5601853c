// Background textures and palettes: a tile of grey levels that repeats without seams, and the
// colours its levels stand for.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "synth/random.h"
#include "vmr/synth/hidden_state.h"

namespace vmr::synth {

inline constexpr int kTileBits = 9;
inline constexpr int kTileSize = 1 << kTileBits;  // 512 x 512

// Levels spread over 0..255 with a mean near 128. `cycles` is the number of repeats over the tile.
std::vector<uint8_t> make_tile(TextureFamily family, int cycles, Random& random);

// 0xAABBGGRR with full alpha.
using Palette = std::array<uint32_t, 256>;

// From dark to light around `lightness`, from `hue` to hue + spread; all in [0, 1].
Palette make_palette(double hue, double spread, double saturation, double lightness,
                     double contrast, bool inverted);

// A single colour of the given lightness (its luminance, as far as the gamut allows).
uint32_t make_colour(double hue, double saturation, double lightness);

}  // namespace vmr::synth
