// Pins safetensors files to the Python package's: its files are read bit for bit and ours are equal
// to its; tensors share one private mapping; headers that lie are refused.
#include "vmr/store/safetensors.h"

#include <cstring>
#include <random>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;

class SafetensorsTest : public StoreTest {
 protected:
  static std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(VMR_TEST_DATA) / "store" / name;
  }
  // The tensors of make_store.py.
  static std::vector<std::pair<std::string, at::Tensor>> expected() {
    const auto values = [](std::vector<int64_t> shape) {
      return (at::arange(at::zeros(shape).numel()) * 3 - 7).reshape(shape);
    };
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [name, dtype] : {std::pair("f64", at::kDouble),
                                      {"f32", at::kFloat},
                                      {"f16", at::kHalf},
                                      {"bf16", at::kBFloat16},
                                      {"i64", at::kLong},
                                      {"i32", at::kInt},
                                      {"i16", at::kShort},
                                      {"i8", at::kChar},
                                      {"u8", at::kByte}}) {
      tensors.emplace_back(name, values({3, 5}).to(dtype));
    }
    tensors.emplace_back("bool", at::arange(15).remainder(3).eq(0).reshape({3, 5}));
    tensors.emplace_back("scalar", at::full({}, 2.5));
    tensors.emplace_back("empty", at::zeros({0, 4}));
    tensors.emplace_back("layer.0.weight", values({2, 3}).to(at::kFloat));
    tensors.emplace_back("quote\"d \xc3\xa9", values({2}).to(at::kFloat));
    return tensors;
  }
  Safetensors read_made(const std::string& header, size_t bytes) {
    const uint64_t size = header.size();
    write_bytes(file("made"), std::string(reinterpret_cast<const char*>(&size), 8) + header +
                                  std::string(bytes, '\0'));
    return read_safetensors(file("made"));
  }
};

TEST_F(SafetensorsTest, ReadsWhatPythonWroteBitForBit) {
  const auto read = read_safetensors(golden("all.safetensors"));
  EXPECT_EQ(read.tensors.size(), expected().size());
  for (const auto& [name, tensor] : expected()) {
    const auto found = read.find(name);
    ASSERT_TRUE(found.defined()) << name;
    EXPECT_EQ(found.scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(found.equal(tensor)) << name;
  }
  EXPECT_EQ(read.metadata, (std::map<std::string, std::string>{{"format", "pt \xc3\xa9"}}));
  EXPECT_FALSE(read.find("absent").defined());
}

TEST_F(SafetensorsTest, WritesTheBytesThatPythonWrites) {
  write_safetensors(file("all"), expected(), {{"format", "pt \xc3\xa9"}});
  EXPECT_EQ(read_bytes(file("all")), read_bytes(golden("all.safetensors")));
  write_safetensors(file("plain"), {{"a", at::arange(1, 3).to(at::kFloat)}});
  EXPECT_EQ(read_bytes(file("plain")), read_bytes(golden("plain.safetensors")));
  write_safetensors(file("strided"), {{"a", at::arange(6).reshape({2, 3}).t()}});
  EXPECT_TRUE(read_safetensors(file("strided")).find("a").equal(at::arange(6).reshape({2, 3}).t()));
  write_safetensors(file("none"), {});
  EXPECT_TRUE(read_safetensors(file("none")).tensors.empty());
}

TEST_F(SafetensorsTest, TensorsOutliveTheResultAndTheirChangesStayPrivate) {
  write_safetensors(file("a"), {{"x", at::ones({100000})}, {"y", at::ones({3})}});
  auto kept = read_safetensors(file("a")).find("x");
  kept.mul_(5);
  std::filesystem::remove(file("a"));
  EXPECT_EQ(kept.sum().item<double>(), 500000);
  write_safetensors(file("a"), {{"x", at::ones({10})}});
  const auto first = read_safetensors(file("a")), second = read_safetensors(file("a"));
  first.tensors[0].second.zero_();
  EXPECT_EQ(second.tensors[0].second.sum().item<double>(), 10);
  EXPECT_EQ(read_safetensors(file("a")).tensors[0].second.sum().item<double>(), 10);
}

TEST_F(SafetensorsTest, RefusesWhatTheFormatCannotHold) {
  EXPECT_THROW(write_safetensors(file("x"), {{"a", at::zeros({1})}, {"a", at::zeros({1})}}),
               InvalidArgument);
  EXPECT_THROW(write_safetensors(file("x"), {{"__metadata__", at::zeros({1})}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(file("x"), {{"\xff", at::zeros({1})}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(file("x"), {{"a", at::zeros({1}, at::kComplexFloat)}}),
               InvalidArgument);
  EXPECT_THROW(write_safetensors(file("x"), {{"a", at::Tensor()}}), InvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(file("x")));
}

TEST_F(SafetensorsTest, RefusesHostileHeaders) {
  const auto why = [&](const std::string& header, size_t bytes) {
    return message_of([&] { read_made(header, bytes); });
  };
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& range) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
           "],\"data_offsets\":[" + range + "]}";
  };
  const auto two = [&](const std::string& second) {
    return "{" + entry("a", "F32", "2", "0,8") + "," + second + "}";
  };
  EXPECT_EQ(why(two(entry("b", "I64", "1", "8,16")), 16), "");
  EXPECT_THAT(why(two(entry("b", "F32", "2", "4,12")), 12),
              HasSubstr("b: begins at 4 instead of 8 (overlap)"));
  EXPECT_THAT(why(two(entry("b", "F32", "2", "12,20")), 20), HasSubstr("(hole)"));
  EXPECT_THAT(why(two(entry("b", "F32", "2", "8,16")), 12), HasSubstr("b: ends at 16 of 12"));
  EXPECT_THAT(why(two(entry("b", "F32", "2", "8,16")), 20),
              HasSubstr("4 bytes belong to no tensor"));
  EXPECT_THAT(why(two(entry("a", "F32", "2", "8,16")), 16), HasSubstr("the name a occurs twice"));
  EXPECT_THAT(why(two(entry("b", "F32", "3", "8,16")), 16), HasSubstr("b: shape does not agree"));
  EXPECT_THAT(why(two(entry("b", "F32", "2", "16,8")), 16), HasSubstr("no range"));
  EXPECT_THAT(why(two(entry("b", "F32", "-2", "8,16")), 16), HasSubstr("whole numbers"));
  EXPECT_THAT(why(two(entry("b", "F32", "1.5", "8,16")), 16), HasSubstr("whole numbers"));
  EXPECT_THAT(why(two(entry("b", "F32", "4294967296,4294967296", "8,8")), 8),
              HasSubstr("shape does not agree"));
  EXPECT_THAT(why(two(entry("b", "F32", "0,4611686018427387904,64", "8,8")), 8),
              HasSubstr("shape does not agree"));
  EXPECT_THAT(why(two(entry("b", "F32", "2", "18446744073709551608,18446744073709551616")), 8),
              HasSubstr("whole numbers"));
  EXPECT_THAT(why(two(entry("b", "F8_E4M3", "8", "8,16")), 16),
              HasSubstr("dtype F8_E4M3 is not read"));
  EXPECT_THAT(why("{\"a\":{\"dtype\":\"F32\"}}", 0), HasSubstr("expected dtype, shape"));
  EXPECT_THAT(why("{\"__metadata__\":{\"a\":1}}", 0), HasSubstr("object of texts"));
  for (const char* header : {"", "[]", "{", "x", "  {}", "{\"a\":\"\xff\"}"}) {
    EXPECT_NE(why(header, 0), "") << header;
  }
  EXPECT_THAT(why("{\"a\":" + std::string(1000000, '['), 0), HasSubstr("nested too deep"));
  auto bool_file = read_bytes(golden("all.safetensors"));
  bool_file.back() = 7;
  write_bytes(file("bool"), bool_file);
  EXPECT_THAT(message_of([&] { read_safetensors(file("bool")); }),
              HasSubstr("bool: a bool is neither"));
  const uint64_t huge = 100'000'001;
  write_bytes(file("huge"), std::string(reinterpret_cast<const char*>(&huge), 8) + "{}");
  EXPECT_THAT(message_of([&] { read_safetensors(file("huge")); }), HasSubstr("longer than 100 MB"));
  for (size_t length : {0, 1, 7, 8, 9, 100}) {
    write_bytes(file("cut"), read_bytes(golden("all.safetensors")).substr(0, length));
    EXPECT_THROW(read_safetensors(file("cut")), StoreError) << length;
  }
  EXPECT_THROW(read_safetensors(folder_), StoreError);
}

TEST_F(SafetensorsTest, UnalignedTensorsAreCopied) {
  const auto read = read_made(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})",
      17);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read.find("b").data_ptr()) % 8, 0u);
  EXPECT_EQ(read.find("b").sum().item<double>(), 0);
}

TEST_F(SafetensorsTest, SurvivesThousandsOfMutations) {
  const auto seed = read_bytes(golden("all.safetensors"));
  std::mt19937 random(5);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    auto bytes = seed;
    for (unsigned change = 0; change <= random() % 2; ++change) {
      bytes[random() % bytes.size()] =
          static_cast<char>(random() % 4 ? "0123456789\"[]{},:FI"[random() % 19] : random());
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    write_bytes(file("m"), bytes);
    try {
      double total = 0;
      for (const auto& [name, tensor] : read_safetensors(file("m")).tensors)
        total += tensor.to(at::kDouble).sum().item<double>();
      ++accepted;
    } catch (const StoreError&) {
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 2900);
}

}  // namespace
}  // namespace vmr::store
