#include "core/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace vmr::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "eight bytes are read as one number");

constexpr size_t kStep = 8;
using Tables = std::array<std::array<uint32_t, 256>, kStep>;

// tables[n][b] is what byte b makes of the checksum when n more bytes of zero follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
    tables[0][byte] = value;
  }
  for (size_t n = 1; n < kStep; ++n) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[n - 1][byte];
      tables[n][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32(std::string_view bytes) {
  uint32_t value = 0xffffffff;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= kStep; left -= kStep, at += kStep) {
    uint64_t word = 0;
    std::memcpy(&word, at, kStep);
    word ^= value;
    value = 0;
    for (size_t i = 0; i < kStep; ++i) value ^= kTables[kStep - 1 - i][word >> (8 * i) & 0xff];
  }
  for (; left > 0; --left, ++at) {
    value = value >> 8 ^ kTables[0][(value ^ static_cast<uint8_t>(*at)) & 0xff];
  }
  return ~value;
}

}  // namespace vmr::detail
