// Pins BertEncoder: outputs and keys of BERT, XLM-R and MPNet as in the package transformers,
// padding, and what every module must do.
#include "vmr/text/bert_encoder.h"

#include "nn/formula_weights.h"
#include "vmr/core/error.h"
#include "vmr/nn/initialise.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::text {
namespace {

using namespace vmr::test;

struct Case {
  const char* name;
  BertEncoderOptions options;
};

// The configurations of make_text.py.
std::vector<Case> cases() {
  const auto small = [](BertKind kind, int64_t positions) {
    return BertEncoderOptions(kind, 50, 16)
        .layers(2)
        .heads(4)
        .feed_forward(24)
        .positions(positions);
  };
  return {{"bert", small(BertKind::bert, 24)},
          {"xlm_r", small(BertKind::xlm_r, 26).pad_id(1).token_types(1).norm_eps(1e-5)},
          {"mpnet", small(BertKind::mpnet, 162).pad_id(1).norm_eps(1e-5)}};
}

BertEncoder filled(const BertEncoderOptions& options) {
  BertEncoder net(options);
  fill_by_formula(*net);
  net->eval();
  return net;
}

// Two rows, the second short.
struct Batch {
  at::Tensor ids, mask;
};
Batch make_batch(const BertEncoderOptions& options, int64_t time, int64_t shorter) {
  const auto row = at::arange(2 * time, at::kLong).view({2, time}) * 7 + 5;
  Batch batch{row.remainder(options.vocabulary() - 3) + 3, at::ones({2, time}, at::kBool)};
  batch.ids[1].narrow(0, shorter, time - shorter).fill_(options.pad_id());
  batch.mask[1].narrow(0, shorter, time - shorter).fill_(false);
  return batch;
}

class BertEncoderTest : public testing::TestWithParam<Case> {
 protected:
  BertEncoderOptions options = GetParam().options;
};

TEST_P(BertEncoderTest, GivesThePublishedOutputsAndKeys) {
  const auto expected = golden("text/networks.json").at(GetParam().name);
  const int64_t time = expected["time"], shorter = expected["short_time"];
  auto net = filled(options);
  EXPECT_EQ(net->max_time(), time);
  EXPECT_EQ(state_keys(*net), expected["keys"].get<std::vector<std::string>>());
  const auto [ids, mask] = make_batch(options, time, shorter);
  const auto out = net(ids, mask);
  const auto pick = [](int64_t length) {
    return torch::tensor({int64_t{0}, length / 2, length - 1});
  };
  expect_golden(out[0].index_select(0, pick(time)), expected["full"]);
  expect_golden(out[1].index_select(0, pick(shorter)), expected["short"]);
  expect_golden(nn::masked_mean(out, mask), expected["mean"]);
}

TEST_P(BertEncoderTest, PaddingDoesNotChangeRealOutputs) {
  auto net = filled(options);
  auto [ids, mask] = make_batch(options, 20, 9);
  const auto alone = net(ids.narrow(0, 1, 1).narrow(1, 0, 9));
  expect_near(net(ids, mask)[1].narrow(0, 0, 9), alone[0]);
  ids[1].narrow(0, 9, 11).fill_(17);  // whatever stands there
  expect_near(net(ids, mask)[1].narrow(0, 0, 9), alone[0]);
  expect_near(net(ids, mask)[0], net(ids.narrow(0, 0, 1))[0]);
}

TEST_P(BertEncoderTest, ClonesSavesAndGivesEveryParameterAGradient) {
  const auto [ids, mask] = make_batch(options, 20, 9);
  expect_clones_saves_and_learns(
      filled(options), BertEncoder(options),
      [ids = ids, mask = mask](BertEncoder net) { return net(ids, mask); });
}

TEST_P(BertEncoderTest, TrainingDiffersByDropoutOnly) {
  auto net = filled(options);
  const auto ids = make_batch(options, 12, 5).ids;
  const auto expected = net(ids);
  net->train();
  torch::manual_seed(1);
  EXPECT_FALSE(at::allclose(net(ids), expected));
  auto without = filled(BertEncoderOptions(options).dropout(0));
  without->train();
  expect_near(without(ids), expected, 1e-6);
}

TEST_P(BertEncoderTest, RefusesWhatItHasNoRowsFor) {
  auto net = filled(options);
  EXPECT_THROW(net(torch::full({1, net->max_time() + 1}, 5)), InvalidArgument);
  EXPECT_NO_THROW(net(torch::full({1, net->max_time()}, 5)));
  EXPECT_THROW(net(torch::full({1, 3}, 50)), InvalidArgument);
  EXPECT_THROW(net(torch::full({1, 3}, -1)), InvalidArgument);
  EXPECT_THROW(net(torch::ones({1, 3})), InvalidArgument);
  EXPECT_THROW(BertEncoder(BertEncoderOptions(options).heads(3)), InvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Kinds, BertEncoderTest, testing::ValuesIn(cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace vmr::text
