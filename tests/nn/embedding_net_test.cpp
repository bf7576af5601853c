// Pins EmbeddingNet: the reference's outputs, keys and running averages, dropout, batch of one.
#include "vmr/nn/embedding_net.h"

#include "nn/formula_weights.h"
#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

using namespace vmr::test;

EmbeddingNet filled(int64_t hidden) {
  EmbeddingNet net(EmbeddingNetOptions(6, 5).hidden(hidden));
  fill_by_formula(*net);
  return net;
}

at::Tensor rows() { return formula_values("rows", {4, 6}); }

TEST(EmbeddingNet, GivesTheReferencesOutput) {
  const auto expected = golden("nn/parts.json");
  auto wide = filled(7), narrow = filled(0);
  wide->eval();
  narrow->eval();
  expect_golden(wide(rows()), expected["embedding_net"]);
  expect_golden(narrow(rows()), expected["embedding_net_0"]);
  EXPECT_EQ(state_keys(*wide), expected["embedding_net_keys"].get<std::vector<std::string>>());
}

TEST(EmbeddingNet, WeighsTheNewBatchByItsMomentum) {
  const auto expected = golden("nn/parts.json");
  auto net = filled(7);
  expect_golden(net(rows()), expected["embedding_net_training"], 2e-5);
  expect_golden(net->named_buffers()["net.4.running_mean"], expected["embedding_net_running_mean"]);
}

TEST(EmbeddingNet, ClonesSavesAndGivesEveryParameterAGradient) {
  for (const int64_t hidden : {7, 0}) {
    expect_clones_saves_and_learns(filled(hidden),
                                   EmbeddingNet(EmbeddingNetOptions(6, 5).hidden(hidden)),
                                   [](EmbeddingNet net) { return net(rows()); });
  }
}

TEST(EmbeddingNet, DropsActivationsInTrainingWhereAsked) {
  // With a probability near 1 nearly all activations vanish and the last bias is left.
  EmbeddingNet net(EmbeddingNetOptions(6, 5).dropout(0.999999));
  const auto bias = net->named_parameters()["net.3.bias"].detach().expand({4, 5});
  expect_near(net(rows()), bias, 1e-6);
  net->eval();
  EXPECT_FALSE(at::allclose(net(rows()), bias));
}

TEST(EmbeddingNet, RefusesWhatItCannotDo) {
  auto net = filled(0);
  EXPECT_THROW(net(rows().narrow(0, 0, 1)), InvalidArgument);  // batch statistics of one row
  EXPECT_THROW(net(torch::zeros({4, 7})), InvalidArgument);
  EXPECT_THROW(EmbeddingNet(EmbeddingNetOptions(6, 5).momentum(0)), InvalidArgument);
}

}  // namespace
}  // namespace vmr::nn
