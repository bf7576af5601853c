// On one Zen 4 core torch's dropout takes 11 ns a value, 7.7 of them for choices drawn one by one
// (only on Intel's processors it draws them in vectors); this takes 0.6 with AVX-512.
#include "nn/dropout_kernel.h"

#include <algorithm>
#include <cstring>

#include "core/instruction_sets.h"

namespace vmr::nn {
namespace {

constexpr int64_t kCounters = 16, kWords = 4;
static_assert(kCounters * kWords == kDropoutBlock);

// Vectors of one instruction set's registers.
template <int kBytes>
struct Registers;
#define VMR_REGISTERS(bytes)                                   \
  template <>                                                  \
  struct Registers<bytes> {                                    \
    typedef uint32_t Word __attribute__((vector_size(bytes))); \
    typedef int32_t Sign __attribute__((vector_size(bytes)));  \
    typedef float Value __attribute__((vector_size(bytes)));   \
  };
VMR_REGISTERS(16)
VMR_REGISTERS(32)
VMR_REGISTERS(64)
#undef VMR_REGISTERS

template <int kBytes>
struct Lanes {
  static constexpr int kCount = kBytes / 4;
  using Word = typename Registers<kBytes>::Word;
  using Sign = typename Registers<kBytes>::Sign;
  using Value = typename Registers<kBytes>::Value;

  template <int kFirst, int kSecond>
  [[gnu::always_inline]] static void mix(Word& a, Word& b, Word& c, Word& d) {
    a += b;
    b = ((b << kFirst) | (b >> (32 - kFirst))) ^ a;
    c += d;
    d = ((d << kSecond) | (d >> (32 - kSecond))) ^ c;
  }

  // Four rounds and the key after them; which rotations, alternates.
  template <int kTurn>
  [[gnu::always_inline]] static void four_rounds(Word (&x)[kWords], const uint32_t (&key)[5]) {
    if constexpr (kTurn % 2 == 1) {
      mix<10, 26>(x[0], x[1], x[2], x[3]);
      mix<11, 21>(x[0], x[3], x[2], x[1]);
      mix<13, 27>(x[0], x[1], x[2], x[3]);
      mix<23, 5>(x[0], x[3], x[2], x[1]);
    } else {
      mix<6, 20>(x[0], x[1], x[2], x[3]);
      mix<17, 11>(x[0], x[3], x[2], x[1]);
      mix<25, 10>(x[0], x[1], x[2], x[3]);
      mix<18, 20>(x[0], x[3], x[2], x[1]);
    }
    for (int j = 0; j < kWords; ++j) x[j] += key[(kTurn + j) % 5];
    x[3] += kTurn;
  }

  // The words of the counters first, first + 1, ..., one a lane.
  [[gnu::always_inline]] static void threefry(uint64_t seed, uint64_t first, Word (&x)[kWords]) {
    const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
    const uint32_t key[5] = {low, high, 0, 0, 0x1BD11BDA ^ low ^ high};
    // The low words of a block's counters do not overflow: it begins at a multiple of 16.
    uint32_t counters[kCount];
    for (int lane = 0; lane < kCount; ++lane) counters[lane] = static_cast<uint32_t>(first) + lane;
    std::memcpy(&x[0], counters, kBytes);
    x[0] += key[0];
    x[1] = Word{} + static_cast<uint32_t>(first >> 32) + key[1];
    x[2] = x[3] = Word{};
    four_rounds<1>(x, key);
    four_rounds<2>(x, key);
    four_rounds<3>(x, key);
    four_rounds<4>(x, key);
    four_rounds<5>(x, key);
  }

  [[gnu::always_inline]] static void drop_block(const float* in, float* out, uint64_t block,
                                                uint64_t seed, uint32_t kept, float scale) {
    for (int64_t part = 0; part < kCounters; part += kCount) {
      Word choice[kWords];
      threefry(seed, block * kCounters + part, choice);
      for (int64_t j = 0; j < kWords; ++j) {
        const auto place = j * kCounters + part;
        Value values;
        std::memcpy(&values, in + place, kBytes);
        const Sign chosen = choice[j] < (Word{} + kept);
        values = (Value)((Sign)(values * scale) & chosen);
        std::memcpy(out + place, &values, kBytes);
      }
    }
  }

  [[gnu::always_inline]] static void drop(const float* in, float* out, int64_t count, int64_t begin,
                                          int64_t end, uint64_t seed, uint32_t kept, float scale) {
    for (int64_t block = begin; block < end; ++block) {
      const auto place = block * kDropoutBlock;
      if (count - place >= kDropoutBlock) {
        drop_block(in + place, out + place, block, seed, kept, scale);
      } else {
        float last[kDropoutBlock] = {};
        std::copy(in + place, in + count, last);
        drop_block(last, last, block, seed, kept, scale);
        std::copy(last, last + (count - place), out + place);
      }
    }
  }
};

using Kernel = void(const float*, float*, int64_t, int64_t, int64_t, uint64_t, uint32_t, float);

#ifdef __x86_64__
__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) void drop_avx512(
    const float* in, float* out, int64_t count, int64_t begin, int64_t end, uint64_t seed,
    uint32_t kept, float scale) {
  Lanes<64>::drop(in, out, count, begin, end, seed, kept, scale);
}

__attribute__((target("avx2"))) void drop_avx2(const float* in, float* out, int64_t count,
                                               int64_t begin, int64_t end, uint64_t seed,
                                               uint32_t kept, float scale) {
  Lanes<32>::drop(in, out, count, begin, end, seed, kept, scale);
}
#endif

void drop_portable(const float* in, float* out, int64_t count, int64_t begin, int64_t end,
                   uint64_t seed, uint32_t kept, float scale) {
  Lanes<16>::drop(in, out, count, begin, end, seed, kept, scale);
}

Kernel* best_kernel() {
#ifdef __x86_64__
  if (vmr::detail::has_avx512()) return drop_avx512;
  if (vmr::detail::has_avx2()) return drop_avx2;
#endif
  return drop_portable;
}

}  // namespace

void drop_blocks(const float* in, float* out, int64_t count, int64_t begin, int64_t end,
                 uint64_t seed, uint32_t kept, float scale) {
  static Kernel* const kernel = best_kernel();
  kernel(in, out, count, begin, end, seed, kept, scale);
}

}  // namespace vmr::nn
