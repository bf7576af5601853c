// Pins that checkpoints give back every bit, that hashes tell weights apart, and what is said about
// files that do not fit or are damaged.
#include "vmr/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>

#include "train/toy_task.h"
#include "vmr/core/error.h"

namespace vmr::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

torch::nn::Sequential make_net(uint64_t seed, int64_t width = 3) {
  torch::manual_seed(seed);
  torch::nn::Sequential net(torch::nn::Linear(2, width), torch::nn::BatchNorm1d(width));
  net->forward(torch::randn({8, 2}));  // moves the running statistics
  return net;
}

template <typename Exception, typename Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no exception";
}

void cut_file(const fs::path& path, int64_t bytes) {
  fs::resize_file(path, fs::file_size(path) - static_cast<uint64_t>(bytes));
}

void flip_last_byte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-1, std::ios::end);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(-1, std::ios::end);
  file.put(byte);
}

TEST(Checkpoint, GivesBackParametersBuffersStateAndModel) {
  const TemporaryFolder folder;
  auto net = make_net(1);
  const fs::path path = folder.path() / "a";
  write_checkpoint(path, *net, {{"kind", "toy"}, {"width", 3}},
                   {{{"exp_avg.0.weight", torch::ones({3, 2})}}, {{"position", "{}"}}});
  auto other = make_net(2);
  EXPECT_NE(weights_hash(*net), weights_hash(*other));
  load_weights(path, *other);
  EXPECT_EQ(weights_hash(*net), weights_hash(*other));
  EXPECT_EQ(state_dict(*net).size(), 7u);  // two weights, two biases, mean, variance, count
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_TRUE(torch::equal(state_dict(*net)[i].second, state_dict(*other)[i].second));
  }
  EXPECT_EQ(read_model_json(path), (nlohmann::json{{"kind", "toy"}, {"width", 3}}));
  const auto state = read_trainer_state(path);
  ASSERT_EQ(state.tensors.size(), 1u);
  EXPECT_TRUE(torch::equal(state.tensors[0].second, torch::ones({3, 2})));
  EXPECT_EQ(state.metadata.at("position"), "{}");
}

TEST(Checkpoint, ReplacesOneOfTheSameNameAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  write_checkpoint(path, *make_net(1), {});
  write_checkpoint(path, *make_net(2), {});
  auto net = make_net(3);
  load_weights(path, *net);
  EXPECT_EQ(weights_hash(*net), weights_hash(*make_net(2)));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
  // A folder that cannot be made is reported and leaves nothing.
  std::ofstream(folder.path() / "file") << "x";
  EXPECT_THROW(write_checkpoint(folder.path() / "file" / "b", *net, {}), StoreError);
}

TEST(WeightsHash, SeesValuesNamesAndShapesButNotTheDevice) {
  auto net = make_net(1);
  const std::string hash = weights_hash(*net);
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(hash, weights_hash(*make_net(1)));
  {
    const torch::NoGradGuard no_grad;
    net->named_buffers()["1.running_mean"][0] += 1e-6;
  }
  EXPECT_NE(hash, weights_hash(*net));
  // The same bytes in another shape.
  torch::nn::Sequential a(torch::nn::Linear(2, 3)), b(torch::nn::Linear(3, 2));
  const torch::NoGradGuard no_grad;
  for (auto& parameter : a->parameters()) parameter.zero_();
  for (auto& parameter : b->parameters()) parameter.zero_();
  EXPECT_NE(weights_hash(*a), weights_hash(*b));
}

TEST(LoadStateDict, ListsEveryKeyThatDoesNotFitAndChangesNothing) {
  auto net = make_net(1);
  const std::string before = weights_hash(*net);
  auto tensors = state_dict(*net);
  for (auto& [name, tensor] : tensors) tensor = torch::ones_like(tensor);
  tensors[0].second = torch::ones({5, 2});
  tensors[1].first = "0.offset";
  const auto message =
      message_of<InvalidArgument>([&] { load_state_dict(tensors, *net, "weights.pt"); });
  EXPECT_THAT(message, HasSubstr("weights.pt"));
  EXPECT_THAT(message, HasSubstr("Missing: 0.bias."));
  EXPECT_THAT(message, HasSubstr("Unexpected: 0.offset."));
  EXPECT_THAT(message, HasSubstr("Wrong shape: 0.weight [5, 2] instead of [3, 2]."));
  EXPECT_EQ(weights_hash(*net), before);
}

TEST(Checkpoint, NamesTheDamagedFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  auto net = make_net(1);
  const auto damage = [&](const std::function<void()>& body) {
    write_checkpoint(path, *make_net(2), {}, {{{"x", torch::ones({4})}}, {}});
    body();
    return message_of<StoreError>([&] { load_weights(path, *net); }) + " | " +
           message_of<StoreError>([&] { read_trainer_state(path); });
  };
  EXPECT_THAT(damage([&] { cut_file(path / "weights.safetensors", 4); }),
              HasSubstr("a/weights.safetensors"));
  EXPECT_THAT(damage([&] { flip_last_byte(path / "weights.safetensors"); }),
              HasSubstr("a/weights.safetensors is damaged"));
  EXPECT_THAT(damage([&] { flip_last_byte(path / "trainer.safetensors"); }),
              HasSubstr("no exception | checkpoint: " + path.string() + "/trainer.safetensors"));
  EXPECT_THAT(damage([&] { cut_file(path / "model.json", 9); }), HasSubstr("a/model.json"));
  EXPECT_THAT(damage([&] { fs::remove(path / "model.json"); }), HasSubstr("a/model.json"));
  EXPECT_THAT(damage([&] {
                std::ofstream(path / "model.json") << R"({"format": 2, "model": {},
      "weights_hash": ""})";
              }),
              HasSubstr("format 2"));
}

TEST(ListCheckpoints, SortsByStepAndIgnoresOtherNames) {
  const TemporaryFolder folder;
  EXPECT_TRUE(list_checkpoints(folder).empty());
  EXPECT_THROW(find_best_checkpoint(folder), StoreError);
  const fs::path inner = folder.path() / "checkpoints";
  for (const char* name : {"step-00000020", "step-00000003", "step-100000000", "step-3.damaged",
                           "step-00000004.part12", "other"}) {
    fs::create_directories(inner / name);
  }
  EXPECT_THAT(
      list_checkpoints(folder),
      ElementsAre(inner / "step-00000003", inner / "step-00000020", inner / "step-100000000"));
  EXPECT_EQ(find_best_checkpoint(folder), inner / "step-100000000");
  std::ofstream(folder.path() / "best.json") << R"({"checkpoint": "step-00000003"})";
  EXPECT_EQ(find_best_checkpoint(folder), inner / "step-00000003");
}

}  // namespace
}  // namespace vmr::train
