// Pins the bytes of a record: published checksum vectors, alignment of values, and that no cut,
// flipped byte or lying length is ever taken for a track.
#include "store/tensor_record.h"

#include <cstring>
#include <random>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;

class TensorRecordTest : public StoreTest {
 protected:
  static std::string encode(const FeatureTrack& track, const std::string& id = "one") {
    std::string bytes(record_bytes(track, id), '?');
    encode_record(track, id, track.provenance.fingerprint(), value_hash(track), bytes.data());
    return bytes;
  }
};

TEST_F(TensorRecordTest, ChecksumEqualsThePublishedVectors) {
  EXPECT_EQ(xxh64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxh64("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(xxh64("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(xxh64("", 1), 0xd5afba1336a3be4bu);
  EXPECT_EQ(xxh64("Call me Ishmael. Some years ago--never mind how long precisely-"),
            0x02a2e85470d6fd96u);
}

TEST_F(TensorRecordTest, ParsesBackWhatItWrote) {
  auto before = track(5);
  before.times = RowTimes::explicit_rows({{0, 1}, {1, 1}, {3, 4.5}, {9, 10}});
  const auto bytes = encode(before, "\xc3\xa9");
  const auto header = parse_record(bytes);
  EXPECT_EQ(header.dtype, at::kFloat);
  EXPECT_EQ(header.shape, (std::vector<int64_t>{4, 10}));
  EXPECT_EQ(header.times, before.times);
  EXPECT_EQ(header.id, "\xc3\xa9");
  EXPECT_EQ(header.media_hash, "media");
  EXPECT_EQ(header.fingerprint, before.provenance.fingerprint());
  EXPECT_EQ(std::memcmp(bytes.data() + header.value_offset, before.values.data_ptr(), 160), 0);
  EXPECT_NO_THROW(verify_values(header, bytes));
}

TEST_F(TensorRecordTest, ValuesAreAlignedBehindLmdbsPageHeader) {
  for (size_t length = 1; length < 70; ++length) {
    EXPECT_EQ((parse_record(encode(track(0), std::string(length, 'i'))).value_offset + 16) % 64,
              0u);
  }
}

TEST_F(TensorRecordTest, EveryCutIsFound) {
  const auto bytes = encode(track(5));
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(parse_record(std::string_view(bytes).substr(0, length)), StoreError) << length;
  }
  EXPECT_THROW(parse_record(bytes + '\0'), StoreError);
}

TEST_F(TensorRecordTest, EveryFlippedBitIsFound) {
  const auto bytes = encode(track(5));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_THROW(
        {
          const auto header = parse_record(flipped);
          verify_values(header, flipped);
        },
        StoreError)
        << "bit " << bit;
  }
}

// Writes the right checksum over a changed header, as a hostile or buggy writer would.
std::string sealed(std::string bytes) {
  uint32_t offset = 0;
  std::memcpy(&offset, &bytes[16], 4);
  offset = std::min<uint32_t>(offset, static_cast<uint32_t>(bytes.size()));
  const std::string_view all(bytes);
  const uint64_t hash =
      offset < 40 ? 0 : xxh64(all.substr(40, offset - 40), xxh64(all.substr(0, 32)));
  std::memcpy(&bytes[32], &hash, 8);
  return bytes;
}

TEST_F(TensorRecordTest, LyingLengthsWithARightChecksumAreFound) {
  const auto bytes = encode(track(5));
  ASSERT_NO_THROW(parse_record(sealed(bytes)));
  const auto with = [&](size_t at, auto value) {
    auto changed = bytes;
    std::memcpy(&changed[at], &value, sizeof value);
    return message_of([&] { parse_record(sealed(changed)); });
  };
  EXPECT_THAT(with(4, uint8_t{2}), HasSubstr("record version 2 is newer"));
  EXPECT_THAT(with(8, uint64_t{1} << 60), HasSubstr("record says"));
  EXPECT_THAT(with(8, uint64_t{159}), HasSubstr("record says"));
  EXPECT_THAT(with(16, uint32_t{0xffffffff}), HasSubstr("record says"));
  EXPECT_THAT(with(40, int64_t{5}), HasSubstr("shape does not agree"));
  EXPECT_THAT(with(40, int64_t{-4}), HasSubstr("shape does not agree"));
  EXPECT_THAT(with(40, int64_t{1} << 62), HasSubstr("shape does not agree"));
  EXPECT_THAT(with(64, -0.5), HasSubstr("no grid"));
  EXPECT_THAT(with(112, uint32_t{0xfffffff0}), HasSubstr("shorter than its parts"));
}

TEST_F(TensorRecordTest, SurvivesTenThousandSealedMutations) {
  auto explicit_track = track(5);
  explicit_track.times = RowTimes::explicit_rows({{0, 1}, {1, 2}, {3, 4}, {9, 10}});
  const std::string seeds[] = {encode(track(5)), encode(explicit_track)};
  std::mt19937 random(7);
  int accepted = 0;
  for (int round = 0; round < 10000; ++round) {
    auto bytes = seeds[round % 2];
    for (unsigned change = 0; change <= random() % 3; ++change) {
      bytes[random() % 200] = static_cast<char>(random());
    }
    try {
      const auto header = parse_record(sealed(bytes));
      EXPECT_EQ(header.value_offset + header.value_bytes, bytes.size());
      EXPECT_EQ(header.times.size(), header.shape.at(0));
      ++accepted;
    } catch (const StoreError&) {
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 8000);
}

TEST_F(TensorRecordTest, KeysKeepTheOrderOfTheirPartsAndFitLmdb) {
  EXPECT_LT(encode_key({"a", "music", "z"}), encode_key({"ab", "film", "a"}));
  EXPECT_LT(encode_key({"a", "film", "z"}), encode_key({"a", "music", "a"}));
  const std::string longest(511 - 12, 'x');
  EXPECT_EQ(encode_key(key(longest)).size(), 511u);
  EXPECT_LT(encode_key(key(longest + "x")).size(), 60u);
  EXPECT_NE(encode_key(key(longest + "x")), encode_key(key(longest + "y")));
  EXPECT_THROW(encode_key({"f", "music", ""}), InvalidArgument);
  EXPECT_THROW(encode_key({std::string("f\0g", 3), "music", "i"}), InvalidArgument);
  EXPECT_THROW(encode_key({std::string(400, 'f'), "music", "i"}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::store
