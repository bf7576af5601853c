// Pins SHA-256 to the published test vectors, however the input is cut into updates.
#include "vmr/core/hash.h"

#include <gtest/gtest.h>

namespace vmr {
namespace {

TEST(Hash, EqualsThePublishedVectors) {
  Sha256 empty;
  EXPECT_EQ(empty.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_text("abc"), "ba7816bf8f01cfea414140de5dae2223");
  Sha256 two_blocks;
  two_blocks.update("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(two_blocks.hex(), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Hash, DoesNotDependOnHowTheInputIsCut) {
  const std::string text(1000, 'x');
  for (size_t cut : {1u, 7u, 63u, 64u, 65u, 500u}) {
    Sha256 hash;
    for (size_t at = 0; at < text.size(); at += cut)
      hash.update(std::string_view(text).substr(at, cut));
    EXPECT_EQ(hash.hex().substr(0, 32), hash_text(text)) << cut;
  }
}

}  // namespace
}  // namespace vmr
