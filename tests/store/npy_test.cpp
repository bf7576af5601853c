// Pins .npy files to NumPy's: its files are read bit for bit and ours are equal to its; headers
// that lie are refused.
#include "vmr/store/npy.h"

#include <random>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;

class NpyTest : public StoreTest {
 protected:
  static std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(VMR_TEST_DATA) / "store" / name;
  }
  // The formula of make_store.py.
  static at::Tensor values(std::vector<int64_t> shape, at::ScalarType dtype) {
    const auto index = at::arange(at::zeros(shape).numel()).reshape(shape);
    return dtype == at::kBool ? index.remainder(3).eq(0) : (index * 3 - 7).to(dtype);
  }
  // A version 1 file with this header text and this many value bytes.
  at::Tensor read_made(const std::string& header, size_t bytes) {
    std::string text = std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size() & 255) +
                       static_cast<char>(header.size() >> 8) + header + std::string(bytes, '\0');
    write_bytes(file("made.npy"), text);
    return read_npy(file("made.npy"));
  }
};

const std::pair<const char*, at::ScalarType> kKinds[] = {
    {"f2", at::kHalf}, {"f4", at::kFloat}, {"f8", at::kDouble},
    {"i1", at::kChar}, {"i2", at::kShort}, {"i4", at::kInt},
    {"i8", at::kLong}, {"u1", at::kByte},  {"b1", at::kBool}};

TEST_F(NpyTest, ReadsWhatNumpyWroteBitForBit) {
  for (const auto& [name, dtype] : kKinds) {
    const auto read = read_npy(golden(std::string(name) + ".npy"));
    EXPECT_EQ(read.scalar_type(), dtype);
    EXPECT_TRUE(read.equal(values({3, 4}, dtype))) << name;
  }
  EXPECT_TRUE(read_npy(golden("scalar.npy")).equal(values({}, at::kFloat)));
  EXPECT_TRUE(read_npy(golden("empty.npy")).equal(at::zeros({0, 5})));
  EXPECT_TRUE(read_npy(golden("version2.npy")).equal(values({3, 4}, at::kFloat)));
  EXPECT_TRUE(read_npy(golden("version3.npy")).equal(values({3, 4}, at::kFloat)));
  const auto special = read_npy(golden("special_f2.npy")).view(at::kShort);
  EXPECT_TRUE(special.equal(at::tensor({0x7c00, -0x400, 1, -0x8000, 0x7bff}, at::kShort)));
}

TEST_F(NpyTest, ReadsFortranOrderAndBigEndian) {
  EXPECT_TRUE(read_npy(golden("fortran.npy")).equal(values({2, 3, 4}, at::kFloat)));
  EXPECT_TRUE(read_npy(golden("fortran.npy")).is_contiguous());
  EXPECT_TRUE(read_npy(golden("big_f8.npy")).equal(values({3, 4}, at::kDouble)));
  EXPECT_TRUE(read_npy(golden("big_fortran_i2.npy")).equal(values({3, 4}, at::kShort)));
}

TEST_F(NpyTest, WritesTheBytesThatNumpyWrites) {
  const auto expect_equal = [&](const at::Tensor& tensor, const std::string& name) {
    write_npy(file("out.npy"), tensor);
    EXPECT_EQ(read_bytes(file("out.npy")), read_bytes(golden(name))) << name;
  };
  for (const auto& [name, dtype] : kKinds)
    expect_equal(values({3, 4}, dtype), std::string(name) + ".npy");
  expect_equal(values({}, at::kFloat), "scalar.npy");
  expect_equal(values({5}, at::kFloat), "vector.npy");
  expect_equal(at::zeros({0, 5}), "empty.npy");
  expect_equal(values({3, 4}, at::kFloat).t().contiguous().t(), "f4.npy");
}

TEST_F(NpyTest, RefusesWhatItCannotHold) {
  EXPECT_THROW(write_npy(file("x.npy"), at::Tensor()), InvalidArgument);
  EXPECT_THROW(write_npy(file("x.npy"), at::zeros({2}, at::kBFloat16)), InvalidArgument);
  EXPECT_THROW(write_npy(file("no/x.npy"), at::zeros({2})), StoreError);
  EXPECT_THAT(message_of([&] { read_npy(golden("complex.npy")); }), HasSubstr("dtype <c8"));
  EXPECT_THROW(read_npy(golden("record.npy")), StoreError);
  EXPECT_THROW(read_npy(file("absent.npy")), StoreError);
}

TEST_F(NpyTest, RefusesHostileHeaders) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  EXPECT_EQ(read_made(good, 24).sizes(), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read_made("{\"shape\":(2L,),\"fortran_order\":True,\"descr\":\"<f4\"}", 8).numel(), 2);
  for (size_t bytes : {0, 23, 25}) EXPECT_THROW(read_made(good, bytes), StoreError) << bytes;
  for (const char* header :
       {"", "{}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 8)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} 1",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '', 'fortran_order': False, 'shape': (2, 3)}"}) {
    EXPECT_THROW(read_made(header, 24), StoreError) << header;
  }
  EXPECT_THAT(
      message_of([&] { read_made("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", 0); }),
      HasSubstr("shape needs 1 bytes of values, file has 0"));
  auto bytes = read_bytes(golden("b1.npy"));
  bytes.back() = 2;
  write_bytes(file("bool.npy"), bytes);
  EXPECT_THAT(message_of([&] { read_npy(file("bool.npy")); }), HasSubstr("neither 0 nor 1"));
}

TEST_F(NpyTest, SurvivesThousandsOfMutations) {
  std::mt19937 random(3);
  const std::string seeds[] = {read_bytes(golden("f4.npy")), read_bytes(golden("version3.npy")),
                               read_bytes(golden("big_fortran_i2.npy"))};
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    auto bytes = seeds[round % 3];
    for (unsigned change = 0; change <= random() % 3; ++change) {
      bytes[random() % std::min<size_t>(bytes.size(), 90)] =
          static_cast<char>(random() % 4 ? "0123456789'(){},:<> f"[random() % 21] : random());
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    write_bytes(file("m.npy"), bytes);
    try {
      EXPECT_LE(read_npy(file("m.npy")).nbytes(), bytes.size());
      ++accepted;
    } catch (const StoreError&) {
    }
  }
  EXPECT_GT(accepted, 10);
  EXPECT_LT(accepted, 2000);
}

}  // namespace
}  // namespace vmr::store
