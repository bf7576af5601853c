// Pins PyTorch checkpoints to torch.load: names, dtypes, shapes and bits of what torch.save wrote
// in every layout; what is no tensor is listed; the state dict is found under its usual wrappers.
#include "vmr/store/torch_checkpoint.h"

#include <algorithm>

#include "store/checkpoint_bytes.h"
#include "store_fixture.h"
#include "vmr/store/safetensors.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class TorchCheckpointTest : public StoreTest {
 protected:
  static std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(VMR_TEST_DATA) / "torch_checkpoint" / name;
  }
  static TorchCheckpoint read(const std::string& name) {
    return read_torch_checkpoint(golden(name + ".pth"));
  }
  // The formula of make_torch_checkpoint.py.
  static at::Tensor values(std::vector<int64_t> shape, at::ScalarType dtype = at::kFloat) {
    return (at::arange(at::zeros(shape).numel()) * 3 - 7).reshape(shape).to(dtype);
  }
  // Compares with what torch.load gave, bit for bit.
  static void expect_golden(const TorchCheckpoint& checkpoint, const std::string& name) {
    const auto expected = read_safetensors(golden("expected.safetensors"));
    size_t count = 0;
    for (const auto& [full, tensor] : expected.tensors) {
      if (!full.starts_with(name + "/")) continue;
      ++count;
      const auto found = checkpoint.find(full.substr(name.size() + 1));
      ASSERT_TRUE(found.defined()) << full;
      EXPECT_EQ(found.scalar_type(), tensor.scalar_type()) << full;
      EXPECT_EQ(found.sizes(), tensor.sizes()) << full;
      EXPECT_TRUE(
          found.contiguous().view(-1).view(at::kByte).equal(tensor.view(-1).view(at::kByte)))
          << full;
      EXPECT_FALSE(found.requires_grad());
    }
    EXPECT_GT(count, 1u);
    EXPECT_EQ(checkpoint.tensors.size(), count);
  }
  TorchCheckpoint read_made(const std::string& bytes) {
    write_bytes(file("made.pth"), bytes);
    return read_torch_checkpoint(file("made.pth"));
  }
};

TEST_F(TorchCheckpointTest, ReadsStateDictsBitForBitInTheFilesOrder) {
  const auto checkpoint = read("state_dict");
  expect_golden(checkpoint, "state_dict");
  EXPECT_EQ(checkpoint.format, "zip");
  ASSERT_EQ(checkpoint.tensors.size(), 2u);
  EXPECT_EQ(checkpoint.tensors[0].first, "linear.weight");
  EXPECT_TRUE(checkpoint.tensors[1].second.equal(values({3})));
  EXPECT_EQ(checkpoint.groups, (std::vector<std::string>{"", ""}));
  EXPECT_THAT(checkpoint.opaque, IsEmpty());
  EXPECT_FALSE(checkpoint.find("absent").defined());
}

TEST_F(TorchCheckpointTest, ReadsAllKindsOfTensorsFromBothLayouts) {
  for (const std::string name : {"mixed", "mixed_legacy"}) {
    const auto checkpoint = read(name);
    EXPECT_EQ(checkpoint.format, name == "mixed" ? "zip" : "legacy");
    expect_golden(checkpoint, "mixed");
    EXPECT_EQ(checkpoint.tensors[0].first, "f64");
    EXPECT_EQ(checkpoint.tensors.back().first, "by_hand.a");
    EXPECT_EQ(checkpoint.groups.back(), "by_hand");
    EXPECT_TRUE(checkpoint.find("base").equal(values({4, 6})));
    EXPECT_EQ(checkpoint.find("bf16").scalar_type(), at::kBFloat16);
    EXPECT_EQ(checkpoint.find("strided").strides(), (std::vector<int64_t>{12, 2}));
    EXPECT_EQ(checkpoint.find("expanded").strides(), (std::vector<int64_t>{0, 1}));
  }
}

TEST_F(TorchCheckpointTest, KeepsSharedStoragesSharedAndTheFileAsItIs) {
  for (const std::string name : {"mixed", "mixed_legacy"}) {
    const auto kept = [&] {
      const auto checkpoint = read(name);
      checkpoint.find("base").mul_(2);
      return checkpoint.find("transposed");
    }();
    EXPECT_TRUE(kept.equal((values({4, 6}) * 2).t()));
    EXPECT_TRUE(read(name).find("base").equal(values({4, 6})));
  }
}

TEST_F(TorchCheckpointTest, ListsPlainValuesAndForeignObjects) {
  for (const std::string name : {"mixed", "mixed_legacy"}) {
    const auto checkpoint = read(name);
    EXPECT_THAT(
        checkpoint.values,
        UnorderedElementsAre(Pair("epoch", "3"), Pair("best", "-0.1"), Pair("name", "net \xc3\xa9"),
                             Pair("done", "true"), Pair("none", "null"),
                             Pair("large", "-1099511627776"), Pair("options.lr", "0.5"),
                             Pair("options.layers.0", "1"), Pair("options.layers.1", "2")));
    EXPECT_THAT(checkpoint.opaque,
                UnorderedElementsAre(Pair("options", "argparse.Namespace"),
                                     Pair("numpy", "numpy._core.multiarray.scalar")));
    EXPECT_THAT(checkpoint.modules, IsEmpty());
  }
}

TEST_F(TorchCheckpointTest, ReadsNewerProtocolsRareTypesAndSingleTensors) {
  EXPECT_TRUE(read("protocol4").find("tensor").equal(values({2, 2}).t()));
  EXPECT_TRUE(read("one").find("tensor").equal(values({2, 3})));
  const auto five = read("protocol5");
  EXPECT_TRUE(five.find("a").equal(values({2, 2}).t()));
  EXPECT_TRUE(five.find("half").equal(values({3}, at::kHalf)));
  EXPECT_THAT(five.values,
              UnorderedElementsAre(Pair("text", std::string(300, 'x')), Pair("set.0", "1")));
  const auto rare = read("rare");
  EXPECT_TRUE(rare.find("i16").equal(values({3}, at::kShort)));
  EXPECT_TRUE(rare.find("u8").equal(values({4}, at::kByte)));
  EXPECT_EQ(rare.find("u").scalar_type(), at::kUInt16);
  EXPECT_TRUE(rare.find("u").to(at::kInt).equal(at::tensor({1, 65535}, at::kInt)));
  EXPECT_TRUE(at::view_as_real(rare.find("c")).equal(at::tensor({1.f, 2.f}).view({1, 2})));
}

TEST_F(TorchCheckpointTest, FindsTheStateDictOfATrainingCheckpoint) {
  const auto checkpoint = read("training");
  expect_golden(checkpoint, "training");
  const auto moment = checkpoint.find("optimizer.state.0.exp_avg");
  EXPECT_EQ(moment.sizes(), (std::vector<int64_t>{3, 2}));
  const auto dict = find_state_dict(checkpoint);
  EXPECT_EQ(dict.key, "model");
  EXPECT_EQ(dict.prefix, "module.");
  ASSERT_EQ(dict.tensors.size(), 2u);
  EXPECT_EQ(dict.tensors[0].first, "linear.weight");
  EXPECT_TRUE(dict.tensors[0].second.equal(checkpoint.find("model.module.linear.weight")));
  const auto state = find_state_dict(checkpoint, "optimizer.state");
  EXPECT_EQ(state.tensors.size(), 6u);
  EXPECT_EQ(state.tensors[0].first, "0.step");
  EXPECT_THAT(
      message_of([&] { find_state_dict(checkpoint, "mode"); }),
      HasSubstr("no tensors lie under \"mode\"; the file has model (2 tensors), optimizer"));
}

// A checkpoint of tensors with these names, each within the dict that `groups` names.
TorchCheckpoint named(const std::vector<std::pair<std::string, std::string>>& names) {
  TorchCheckpoint checkpoint;
  for (const auto& [name, group] : names) {
    checkpoint.tensors.emplace_back(name, at::zeros({1}));
    checkpoint.groups.push_back(group);
  }
  return checkpoint;
}

TEST_F(TorchCheckpointTest, TellsWrappersFromSubmodulesOfTheSameName) {
  const auto flat = find_state_dict(named({{"model.weight", ""}, {"head.weight", ""}}));
  EXPECT_EQ(flat.key, "");
  EXPECT_EQ(flat.tensors[0].first, "model.weight");
  const auto wrapped = find_state_dict(named({{"mean", ""}, {"model.w", "model"}}));
  EXPECT_EQ(wrapped.key, "model");
  ASSERT_EQ(wrapped.tensors.size(), 1u);
  EXPECT_EQ(wrapped.tensors[0].first, "w");
  EXPECT_EQ(find_state_dict(named({{"model.w", "model"}, {"state_dict.w", "state_dict"}})).key,
            "state_dict");
  EXPECT_EQ(find_state_dict(named({{"ema.a.w", "ema.a"}})).key, "ema");
  const auto compiled =
      find_state_dict(named({{"module._orig_mod.a", ""}, {"module._orig_mod.b", ""}}));
  EXPECT_EQ(compiled.prefix, "module._orig_mod.");
  EXPECT_EQ(compiled.tensors[1].first, "b");
  EXPECT_EQ(find_state_dict(named({{"module.a", ""}, {"b", ""}})).prefix, "");
  EXPECT_THAT(message_of([] {
                find_state_dict(named({{"a.w", "a"}, {"b.w", "b"}}));
              }),
              HasSubstr("got a (1 tensor), b (1 tensor); name one"));
  EXPECT_THAT(message_of([] { find_state_dict({}); }), HasSubstr("holds no tensors"));
  TorchCheckpoint module;
  module.modules = {{"model", "Net"}};
  EXPECT_THAT(message_of([&] { find_state_dict(module); }),
              HasSubstr("save dict(model.state_dict())"));
}

TEST_F(TorchCheckpointTest, ReadsPlacesBeyond4GB) {
  const uint64_t hole = 5'000'000'000;
  const auto archive =
      made::zip({{"big/data.pkl",
                  made::pickle(made::dict_of(made::tensor(made::storage("0", 3), 1, {2}, {1})))},
                 {"big/data/0", made::number(1.f) + made::number(2.f) + made::number(3.f), hole}});
  std::ofstream out(file("big.pth"), std::ios::binary);
  for (const auto& [place, bytes] : archive.parts) out.seekp(std::streamoff(place)) << bytes;
  out.close();
  ASSERT_GT(std::filesystem::file_size(file("big.pth")), hole);
  EXPECT_TRUE(read_torch_checkpoint(file("big.pth")).find("x").equal(at::tensor({2.f, 3.f})));
}

TEST_F(TorchCheckpointTest, ReadsWhatPython2Wrote) {
  // SHORT_BINSTRING keys, an OrderedDict from a list of pairs, the older tensor maker.
  const auto storage = "(U\x07storage" + made::global("torch", "FloatStorage") + "U\x01\x30U\x03" +
                       "cpu" + made::integer(2) + "tQ";
  const auto tensor = made::global("torch._utils", "_rebuild_tensor") + "(" + storage +
                      made::integer(0) + made::tuple({2}) + made::tuple({1}) + "tR";
  const auto body = made::global("collections", "OrderedDict") + "(](](U\x01w" + tensor + "eetR";
  const auto read =
      read_made(made::legacy(body, {{"0", 2, made::number(4.f) + made::number(5.f)}}));
  EXPECT_TRUE(read.find("w").equal(at::tensor({4.f, 5.f})));
}

}  // namespace
}  // namespace vmr::store
