// Pins vmr convert: the weights it writes, what it lists, and its exit codes.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/process.h"
#include "store/checkpoint_bytes.h"
#include "support/temp_folder.h"
#include "vmr/store/safetensors.h"

namespace vmr {
namespace {

using test::run_vmr;
using testing::HasSubstr;

std::string golden(const std::string& name) {
  return (std::filesystem::path(VMR_TEST_DATA) / "torch_checkpoint" / name).string();
}

TEST(Convert, WritesTheStateDictOfATrainingCheckpoint) {
  test::TempFolder folder;
  const auto out = (folder / "w.safetensors").string();
  const auto result = run_vmr({"convert", golden("training.pth"), out, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto document = result.json();
  EXPECT_EQ(document.at("key"), "model");
  EXPECT_EQ(document.at("removed_prefix"), "module.");
  EXPECT_EQ(document.at("tensors"),
            nlohmann::json::parse(R"([{"name":"linear.weight","shape":[3,2],"dtype":"float32"},
                                      {"name":"linear.bias","shape":[3],"dtype":"float32"}])"));
  const auto written = store::read_safetensors(out);
  const auto expected = store::read_safetensors(golden("expected.safetensors"));
  ASSERT_EQ(written.tensors.size(), 2u);
  for (const auto& [name, tensor] : written.tensors) {
    EXPECT_TRUE(tensor.equal(expected.find("training/model.module." + name))) << name;
  }
  const auto state = run_vmr({"convert", golden("training.pth"), out, "--key", "optimizer.state"});
  EXPECT_EQ(state.exit_code, 0) << state.error;
  EXPECT_THAT(state.out, HasSubstr("0.exp_avg  [3,2]  float32"));
  EXPECT_THAT(state.out, HasSubstr("6 tensors written"));
}

TEST(Convert, LeavesTheFileItReadsAlone) {
  test::TempFolder folder;
  const auto file = (folder / "w.pth").string();
  std::filesystem::copy_file(golden("training.pth"), file);
  const auto result = run_vmr({"convert", file, (folder / "." / "w.pth").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("is the file to read; name another one to write"));
  EXPECT_EQ(std::filesystem::file_size(file), std::filesystem::file_size(golden("training.pth")));
}

TEST(Convert, ListsAllThatAFileHolds) {
  const auto document = run_vmr({"convert", golden("mixed.pth"), "--list", "--json"}).json();
  EXPECT_EQ(document.at("format"), "zip");
  EXPECT_EQ(document.at("tensors").size(), 17u);
  EXPECT_EQ(document.at("values")[0], nlohmann::json::parse(R"({"name":"epoch","value":"3"})"));
  EXPECT_EQ(document.at("objects")[0].at("type"), "argparse.Namespace");
  const auto text = run_vmr({"convert", golden("mixed.pth"), "--list"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("bf16  [3]  bfloat16\n"));
  EXPECT_THAT(text.out, HasSubstr("options = argparse.Namespace\n"));
}

TEST(Convert, RefusesOneFlippedBitOfATensor) {
  test::TempFolder folder;
  std::ifstream in(golden("state_dict.pth"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const float first = -7;  // of the first tensor
  const auto place = bytes.find(std::string(reinterpret_cast<const char*>(&first), sizeof first));
  ASSERT_NE(place, bytes.npos);
  bytes[place] ^= 1;
  const auto file = (folder / "w.pth").string(), out = (folder / "w.safetensors").string();
  std::ofstream(file, std::ios::binary) << bytes;
  const auto result = run_vmr({"convert", file, out});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr(file + ": the entry state_dict/data/0 is damaged"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Convert, SaysWhyItCannotInOneLine) {
  test::TempFolder folder;
  const auto out = (folder / "w.safetensors").string();
  const auto expect = [&](const std::vector<std::string>& arguments, int code, const char* why) {
    const auto result = run_vmr(arguments);
    EXPECT_EQ(result.exit_code, code) << why;
    EXPECT_THAT(result.error, HasSubstr(why));
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_FALSE(std::filesystem::exists(out));
  };
  expect({"convert", golden("module.pth"), out}, 3, "save dict(model.state_dict())");
  expect({"convert", golden("expected.safetensors"), out}, 3, "expected a file of torch.save");
  expect({"convert", golden("rare.pth"), out}, 3, "rare.pth: u has a dtype the format lacks");
  expect({"convert", golden("training.pth"), out, "--key", "ema"}, 2,
         "training.pth: no tensors lie under \"ema\"; the file has model");
  const auto numbers = (folder / "numbers.pth").string();
  std::ofstream(numbers, std::ios::binary) << store::made::legacy("}");
  expect({"convert", numbers, out}, 3, (numbers + ": the file holds no tensors").c_str());
  expect({"convert", golden("training.pth")}, 2, "got neither");
}

}  // namespace
}  // namespace vmr
