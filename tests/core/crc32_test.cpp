// Pins CRC-32 to its published check value and to the definition, bit by bit, at every length and
// alignment that the eight bytes of a step can meet.
#include "core/crc32.h"

#include <gtest/gtest.h>

#include "support/zip_bytes.h"

namespace vmr {
namespace {

TEST(Crc32, HasThePublishedCheckValue) {
  EXPECT_EQ(detail::crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(detail::crc32(""), 0u);
}

TEST(Crc32, EqualsTheDefinitionAtEveryLengthAndAlignment) {
  std::string bytes;
  for (uint32_t i = 0; i < 64; ++i) bytes += static_cast<char>(i * 2654435761u >> 24);
  for (size_t begin = 0; begin < 8; ++begin) {
    for (size_t end = begin; end <= bytes.size(); ++end) {
      const auto part = bytes.substr(begin, end - begin);
      EXPECT_EQ(detail::crc32(std::string_view(bytes).substr(begin, end - begin)),
                test::crc32_of(part))
          << begin << " to " << end;
    }
  }
}

}  // namespace
}  // namespace vmr
