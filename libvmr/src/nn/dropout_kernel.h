// The choices and the arithmetic of apply_dropout() on plain memory. Thread-safe.
#pragma once

#include <cstdint>

namespace vmr::nn {

constexpr int64_t kDropoutBlock = 64;  // values made at a time

// out[i] = choice(seed, i) < kept ? in[i] * scale : 0 for the blocks [begin, end) of `count`
// values. choice(seed, 64 b + 16 j + l) is word j of Threefry 4x32-20 with the seed as its two low
// key words and 16 b + l as its two low counter words. in and out may be the same.
void drop_blocks(const float* in, float* out, int64_t count, int64_t begin, int64_t end,
                 uint64_t seed, uint32_t kept, float scale);

}  // namespace vmr::nn
