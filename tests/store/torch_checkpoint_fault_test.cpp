// Pins what the checkpoint reader does with files that are cut, damaged or meant to harm: a
// StoreError with a sentence, nothing run, nothing read outside a storage.
#include <random>

#include "store/checkpoint_bytes.h"
#include "store/checkpoint_file.h"
#include "store/pickle.h"
#include "store_fixture.h"
#include "vmr/store/torch_checkpoint.h"

namespace vmr::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TorchCheckpointFaultTest : public StoreTest {
 protected:
  static std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(VMR_TEST_DATA) / "torch_checkpoint" / name;
  }
  std::string why(const std::string& bytes) {
    write_bytes(file("made.pth"), bytes);
    return message_of([&] { read_torch_checkpoint(file("made.pth")); });
  }
  // Why {"x": tensor} over a storage of 6 floats is refused.
  std::string why_tensor(int64_t offset, const std::vector<int64_t>& shape,
                         const std::vector<int64_t>& strides) {
    return why(
        made::legacy(made::dict_of(made::tensor(made::storage("0", 6), offset, shape, strides)),
                     {{"0", 6, std::string(24, '\0')}}));
  }
  std::string why_pickle(const std::string& body) { return why(made::legacy(body)); }
};

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

TEST_F(TorchCheckpointFaultTest, NeverReadsOutsideAStorage) {
  EXPECT_EQ(why_tensor(0, {2, 3}, {3, 1}), "");
  EXPECT_EQ(why_tensor(5, {1}, {kHuge}), "");
  EXPECT_EQ(why_tensor(kHuge, {0, 3}, {kHuge, 1}), "");
  const auto beyond = HasSubstr("x: reaches beyond its storage 0 of 6 elements");
  EXPECT_THAT(why_tensor(1, {2, 3}, {3, 1}), beyond);
  EXPECT_THAT(why_tensor(6, {}, {}), beyond);
  EXPECT_THAT(why_tensor(0, {2, 3}, {4, 1}), beyond);
  EXPECT_THAT(why_tensor(kHuge, {1}, {1}), beyond);
  EXPECT_THAT(why_tensor(0, {3}, {kHuge}), beyond);
  EXPECT_THAT(why_tensor(2, {3, 3}, {kHuge, kHuge}), beyond);
  EXPECT_THAT(why_tensor(0, {kHuge}, {1}), HasSubstr("do not make a tensor"));
  EXPECT_THAT(why_tensor(0, {int64_t{1} << 31, int64_t{1} << 31}, {0, 0}),
              HasSubstr("do not make a tensor"));
  EXPECT_THAT(why_tensor(0, {int64_t{1} << 40}, {0}), HasSubstr("save copies of expanded"));
  EXPECT_THAT(why_tensor(0, {2}, {1, 1}), HasSubstr("do not make a tensor"));
  EXPECT_THAT(why_tensor(-1, {2}, {1}), HasSubstr("expected a tensor's storage, offset"));
  EXPECT_THAT(why_tensor(0, {2}, {-1}), HasSubstr("x: expected whole numbers as strides"));
  EXPECT_THAT(why_tensor(0, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)),
              HasSubstr("at most 64 axes"));
}

TEST_F(TorchCheckpointFaultTest, NamesStoragesThatLie) {
  const auto x = [](const std::string& storage) {
    return made::dict_of(made::tensor(storage, 0, {2}, {1}));
  };
  const std::string eight(8, '\0');
  EXPECT_EQ(why(made::legacy(x(made::storage("0", 2)), {{"0", 2, eight}})), "");
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2)), {{"0", 3, eight}})),
              HasSubstr("expected 2 elements, got 3"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2)), {{"0", 2, "1234567"}})),
              HasSubstr("expected 2 elements, got 2 and 7 bytes"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2)))), HasSubstr("storage 0 is missing"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2)), {{"1", 2, eight}})),
              HasSubstr("storage 1 belongs to no tensor"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", kHuge)), {{"0", kHuge, eight}})),
              HasSubstr("a storage of"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", -1)))), HasSubstr("no storage"));
  EXPECT_THAT(why(made::legacy("(" + x(made::storage("0", 2)) + x(made::storage("0", 3)) + "t")),
              HasSubstr("storage 0 is both 2 of FloatStorage and 3"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2, "QInt8Storage")))),
              HasSubstr("x: values of QInt8Storage are not read; save x.dequantize()"));
  EXPECT_THAT(why(made::legacy(x(made::storage("0", 2, "BoolStorage")), {{"0", 2, "\x01\x02"}})),
              HasSubstr("x: a bool is neither 0 nor 1"));
  EXPECT_THAT(
      why(made::legacy(x(made::storage("0", 2)), {}, "}" + made::text("little_endian") + "\x89s")),
      HasSubstr("little-endian order, got big"));
}

TEST_F(TorchCheckpointFaultTest, RunsNothing) {
  const auto mark = file("ran").string();
  const auto call = made::global("posix", "system") + made::text("touch " + mark) + "\x85R";
  EXPECT_THAT(why_pickle(call), HasSubstr("an object of posix.system, which is not run"));
  EXPECT_EQ(why_pickle(made::dict_of(call)), "");
  const auto listed = read_torch_checkpoint(file("made.pth"));
  ASSERT_EQ(listed.opaque.size(), 1u);
  EXPECT_EQ(listed.opaque[0], std::pair("x" + std::string(), std::string("posix.system")));
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST_F(TorchCheckpointFaultTest, RefusesWhatIsNoStateDictWithWhatToDo) {
  const auto message = [](const char* name) {
    return message_of([&] { read_torch_checkpoint(golden(name)); });
  };
  EXPECT_THAT(message("module.pth"),
              AllOf(HasSubstr("not a state dict"), HasSubstr("__main__.Tiny"),
                    HasSubstr("save dict(model.state_dict())")));
  EXPECT_THAT(message("sparse.pth"),
              HasSubstr("s: a sparse tensor is not read; save x.to_dense()"));
  EXPECT_THAT(message("quantised.pth"), HasSubstr("a quantised tensor is not read"));
  EXPECT_THAT(message("expected.safetensors"), HasSubstr("expected a file of torch.save"));
  EXPECT_THAT(message("absent.pth"), HasSubstr("absent.pth: No such file"));
  EXPECT_THAT(why(made::pickle("}")), HasSubstr("got another pickle"));
  EXPECT_THAT(why(std::string(257, 'a') + "ustar" + std::string(300, '\0')),
              HasSubstr("tar layout"));
  const auto data = made::pickle("}");
  EXPECT_THAT(why(made::zip({{"a/data.pkl", data}, {"a/constants.pkl", data}}).bytes()),
              HasSubstr("TorchScript program"));
  EXPECT_THAT(why(made::zip({{"a/data.pkl", data}, {"a/byteorder", "big"}}).bytes()),
              HasSubstr("little-endian order, got big"));
  EXPECT_THAT(why(made::zip({{"a/other", data}}).bytes()), HasSubstr("expected an entry data.pkl"));
  EXPECT_THROW(read_torch_checkpoint(folder_), StoreError);
}

TEST_F(TorchCheckpointFaultTest, RefusesHostilePickles) {
  EXPECT_EQ(why_pickle("}"), "");
  EXPECT_THAT(why_pickle("]q\x01h\x01"
                         "ah\x02"
                         "a"),
              HasSubstr("expected a value that occurred before"));
  EXPECT_THAT(why_pickle(std::string(2000, '(')), HasSubstr("nested deeper than 1000"));
  // A thousand lists within each other, closed from within.
  std::string nested(500, ']');
  nested += std::string(499, 'a');
  EXPECT_THAT(why_pickle(nested), HasSubstr("nested deeper than 200"));
  EXPECT_THAT(why_pickle("I1\n"), HasSubstr("got 'I' of an older one"));
  EXPECT_THAT(why_pickle("\x82\x01"), HasSubstr("extension registry"));
  EXPECT_THAT(why_pickle("\x97"), HasSubstr("buffers outside"));
  EXPECT_THAT(why_pickle("\xff"), HasSubstr("expected an opcode, got 255"));
  EXPECT_THAT(why_pickle("a"), HasSubstr("at byte 2: expected a value on the stack"));
  EXPECT_THAT(why_pickle("t"), HasSubstr("expected a mark"));
  EXPECT_THAT(why_pickle("(0"), HasSubstr("expected a value on the stack"));
  EXPECT_THAT(why_pickle("}NNu"), HasSubstr("expected a mark"));
  EXPECT_THAT(why_pickle("}(NNNu"), HasSubstr("one value too many"));
  EXPECT_THAT(why_pickle("NNa"), HasSubstr("expected a list to add to, got None"));
  EXPECT_THAT(why_pickle("N)R"), HasSubstr("expected a class or function to call, got None"));
  EXPECT_THAT(why_pickle(made::global("a", "b") + "NR"), HasSubstr("tuple of arguments, got None"));
  EXPECT_THAT(why_pickle("NQ"), HasSubstr("no storage"));
  EXPECT_THAT(why_pickle("}}b"), HasSubstr("expected an object to give a state to, got a dict"));
  EXPECT_THAT(why_pickle("NN"), HasSubstr("expected one value at the end, got 2"));
  EXPECT_THAT(why_pickle(""), HasSubstr("expected one value at the end, got 0"));
  EXPECT_THAT(why_pickle("X\xff\xff\xff\x7f"), HasSubstr("expected 2147483647 more bytes"));
  EXPECT_THAT(why_pickle("\x8e" + std::string(8, '\xff')), HasSubstr("cut short"));
  EXPECT_THAT(why_pickle("\x95" + std::string(8, '\xff')), HasSubstr("expected a frame"));
  EXPECT_THAT(why_pickle("c" + std::string(600, 'a') + "\nb\n"), HasSubstr("a name of 601 bytes"));
  EXPECT_THAT(why("\x80\x09."), HasSubstr("protocol up to 5, got 9"));
}

TEST_F(TorchCheckpointFaultTest, NamesMustBeUniqueUnlessTheyMeanTheSame) {
  const auto x = [](int64_t offset) {
    return made::text("x") + made::tensor(made::storage("0", 2), offset, {1}, {1});
  };
  const std::vector<made::Storage> storages = {{"0", 2, std::string(8, '\0')}};
  EXPECT_THAT(why(made::legacy("}" + x(0) + "s" + x(1) + "s", storages)),
              HasSubstr("x: this name occurs twice"));
  // A dict of a class of its own, whose fields are its entries.
  const auto fields = made::global("easydict", "EasyDict") + ")\x81" + x(0) + "s}" + x(0) + "sb";
  EXPECT_EQ(why(made::legacy(fields, storages)), "");
  EXPECT_EQ(read_torch_checkpoint(file("made.pth")).tensors.size(), 1u);
}

TEST_F(TorchCheckpointFaultTest, SmallFilesDoNotGrow) {
  // Each list holds the one before ten times: a billion values in 400 bytes.
  std::string laughs = "]";
  for (int level = 0; level < 9; ++level) {
    const std::string memo(1, char(level));
    laughs += "q" + memo + "0](";
    for (int i = 0; i < 10; ++i) laughs += "h" + memo;
    laughs += "e";
  }
  EXPECT_THAT(why_pickle(laughs), HasSubstr("expected at most 4000000 values"));
  std::string texts = made::text(std::string(1 << 20, 'a')) +
                      "q\x01"
                      "0](";
  for (int i = 0; i < 300; ++i) texts += "h\x01";
  EXPECT_THAT(why_pickle(texts + "e"), HasSubstr("names and texts of at most"));
  std::string names = made::text(std::string(3000, 'a')) +
                      "q\x01"
                      "0}h\x01}h\x01Nss";
  EXPECT_THAT(why_pickle(names), HasSubstr("names of at most 4096 bytes"));
  EXPECT_THROW(parse_pickle("]NaNaNa.", {.opcodes = 5}), StoreError);
  EXPECT_THROW(parse_pickle("]NaNaNa.", {.nodes = 3}), StoreError);
}

TEST_F(TorchCheckpointFaultTest, AnObjectThatIsListedOftenIsLookedThroughOnce) {
  // 4e10 steps, several minutes, were each of the mentions to look through the object's fields.
  std::string object = made::global("some", "Thing") + ")\x81}(";
  for (int i = 0; i < 200000; ++i) object += "NN";
  object +=
      "ubq\x01"
      "0](";
  for (int i = 0; i < 200000; ++i) object += "h\x01";
  EXPECT_EQ(why_pickle(object + "e"), "");
  EXPECT_EQ(read_torch_checkpoint(file("made.pth")).opaque.size(), 200000u);
}

TEST_F(TorchCheckpointFaultTest, CirclesAreListedOnce) {
  EXPECT_EQ(why_pickle("]q\x01h\x01"
                       "a"),
            "");
  const auto read = read_torch_checkpoint(file("made.pth"));
  ASSERT_EQ(read.opaque.size(), 1u);
  EXPECT_EQ(read.opaque[0], std::pair(std::string("0"), std::string("a circular reference")));
}

TEST_F(TorchCheckpointFaultTest, RefusesHostileArchives) {
  const auto data = made::pickle("}");
  const auto good = made::zip({{"a/data.pkl", data}, {"a/data/0", "12345678"}}).bytes();
  ASSERT_EQ(why(good), "");
  const auto entry = good.find("PK\x01\x02"), end64 = good.find("PK\x06\x06");
  const auto patched = [&](size_t place, const std::string& bytes) {
    auto copy = good;
    copy.replace(place, bytes.size(), bytes);
    return why(copy);
  };
  EXPECT_THAT(patched(entry + 8, "\x01"), HasSubstr("a/data.pkl is encrypted"));
  EXPECT_THAT(patched(entry + 10, "\x08"), HasSubstr("a/data.pkl is compressed"));
  EXPECT_THAT(patched(entry + 60, "\x05"), HasSubstr("and says 5"));
  for (const uint64_t lie : {uint64_t(kHuge), ~uint64_t{0}, uint64_t(good.size())}) {
    const auto both = made::number(lie) + made::number(lie);
    EXPECT_NE(patched(entry + 60, both), "") << lie;
    EXPECT_NE(patched(entry + 76, made::number(lie)), "") << lie;
    EXPECT_NE(patched(end64 + 32, made::number(lie)), "") << lie;
    EXPECT_NE(patched(end64 + 48, made::number(lie)), "") << lie;
  }
  EXPECT_THAT(patched(good.rfind("a/data/0"), "a/data.p"), "");
  EXPECT_THAT(why(made::zip({{"a/data.pkl", data}, {"a/data.pkl", data}}).bytes()),
              HasSubstr("the name a/data.pkl occurs twice"));
  // The second entry is said to lie where the first does.
  const auto second = good.find("PK\x01\x02", entry + 1);
  EXPECT_THAT(patched(second + 46 + 8 + 20, made::number(uint64_t{0})), HasSubstr("share bytes"));
}

// mixed.pth has 17 tensors of all kinds, some of which share a storage.
TEST_F(TorchCheckpointFaultTest, FindsEveryFlippedBitOfTensorsAndPickle) {
  const auto whole = read_bytes(golden("mixed.pth"));
  const auto file_of = parse_checkpoint(whole);
  std::vector<FilePart> parts = {file_of.pickle};
  for (size_t i = 0; i < file_of.storages.size(); ++i) {
    if (file_of.outline.storages[i].used) parts.push_back(file_of.storages[i]);
  }
  ASSERT_EQ(parts.size(), 9u);  // the pickle and eight storages
  for (const auto& part : parts) {
    const auto begin = static_cast<size_t>(part.bytes.data() - whole.data());
    for (size_t byte = 0; byte < part.bytes.size(); ++byte) {
      auto damaged = whole;
      damaged[begin + byte] ^= static_cast<char>(1 << byte % 8);
      const auto message = why(damaged);
      ASSERT_NE(message, "") << part.entry << " byte " << byte;
      if (part.entry == file_of.pickle.entry) continue;  // often no pickle any more
      ASSERT_THAT(message, AllOf(HasSubstr("made.pth: the entry " + part.entry + " is damaged"),
                                 HasSubstr("copy or download the file again")));
    }
  }
}

TEST_F(TorchCheckpointFaultTest, ReadsArchivesSavedWithoutChecksums) {
  auto bytes = read_bytes(golden("state_dict.pth"));
  // As torch.save leaves them with config.save.compute_crc32 = False.
  for (auto entry = bytes.find("PK\x01\x02"); entry != bytes.npos;
       entry = bytes.find("PK\x01\x02", entry + 1)) {
    bytes.replace(entry + 16, 4, 4, '\0');
  }
  EXPECT_EQ(why(bytes), "");
  const auto storage = parse_checkpoint(bytes).storages[0];
  EXPECT_EQ(storage.crc32, 0u);
  bytes[static_cast<size_t>(storage.bytes.data() - bytes.data())] ^= 1;
  EXPECT_EQ(why(bytes), "") << "there is nothing to find it by";
}

TEST_F(TorchCheckpointFaultTest, SurvivesCutsAndFlippedBytes) {
  for (const char* name : {"mixed.pth", "mixed_legacy.pth", "protocol5.pth", "module.pth"}) {
    const auto whole = read_bytes(golden(name));
    for (int part = 0; part < 50; ++part) {
      EXPECT_NE(why(whole.substr(0, whole.size() * size_t(part) / 50)), "") << name << " " << part;
    }
    std::mt19937 random(7);
    int refused = 0;
    for (int round = 0; round < 1500; ++round) {
      auto bytes = whole;
      for (unsigned change = 0; change <= random() % 3; ++change) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      write_bytes(file("flipped.pth"), bytes);
      try {
        double total = 0;
        for (const auto& [key, tensor] : read_torch_checkpoint(file("flipped.pth")).tensors) {
          total += tensor.to(at::kDouble).nan_to_num().sum().item<double>();
        }
      } catch (const StoreError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 100) << name;
  }
}

}  // namespace
}  // namespace vmr::store
