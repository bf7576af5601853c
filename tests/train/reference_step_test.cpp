// Pins one whole training step of UtCmvmr with the published code's behaviour switched on: loss,
// gradients, running averages and weights after Adam as the published code computes them
// (tests/golden/make_training_step.py).
#include "model/formula_items.h"
#include "train/adam.h"

namespace vmr::train {
namespace {

using namespace vmr::test;

model::UtCmvmrOptions as_published(bool positive_as_negative) {
  auto o = small();
  o.encoder.dropout = o.cross.dropout = 0;
  o.keep_prob = 1;
  o.loss.independent = 0;  // ours
  o.reference.positive_as_negative = positive_as_negative;
  o.reference.unnormalised_negatives = true;
  o.reference.unnormalised_text = true;
  o.reference.same_track_negatives = true;
  o.reference.separate_statistics = true;
  o.reference.freeze_pair_positions = true;
  return o;
}

// Norm and dot product with the probe, each to `share` of the norm; evenly spaced entries, each to
// three times that of its own size and of the root mean square: rounding does not average out.
void expect_alike(const std::string& name, const at::Tensor& value, const nlohmann::json& expected,
                  double share) {
  const double norm = expected[0], dot = expected[1];
  const auto probe = formula_values("probe." + name, value.sizes()).to(at::kDouble);
  const auto exact = value.detach().to(at::kDouble);
  // The probe's own norm bounds what an error can do to the dot product.
  const double bound = share * norm * std::max(1.0, probe.norm().item<double>()) + 1e-6;
  EXPECT_NEAR(exact.norm().item<double>(), norm, share * norm + 1e-6) << name;
  EXPECT_NEAR((exact * probe).sum().item<double>(), dot, bound) << name;
  const auto flat = exact.flatten();
  const int64_t size = flat.size(0), entries = int64_t(expected.size()) - 2;
  ASSERT_GT(entries, 0);
  const double usual = norm / std::sqrt(double(size));
  for (int64_t i = 0; i < entries; ++i) {
    const double entry = expected[size_t(i + 2)];
    EXPECT_NEAR(flat[i * size / entries].item<double>(), entry,
                3 * share * (std::abs(entry) + usual) + 5e-7)
        << name << " entry " << i;
  }
}

data::PairBatch exchanged(data::PairBatch b) {
  std::swap(b.music, b.negative_music);
  std::swap(b.video, b.negative_video);
  std::swap(b.text, b.negative_text);
  return b;
}

// Changes of the weights since `before`, but for those that are chance: of a bias before a batch
// norm the gradient is 0 but for rounding, and so is the direction of Adam's step.
void expect_changes(model::UtCmvmr& net, const std::map<std::string, at::Tensor>& before,
                    const nlohmann::json& expected, const nlohmann::json& gradients) {
  for (const auto& item : net.named_parameters()) {
    const auto found = expected.find(item.key());
    if (found == expected.end() || gradients.at(item.key()).at(0).get<double>() < 1e-5) continue;
    expect_alike(item.key(), item.value() - before.at(item.key()), *found, 5e-3);
  }
}

std::map<std::string, at::Tensor> weights_of(const model::UtCmvmr& net) {
  std::map<std::string, at::Tensor> weights;
  for (const auto& item : net.named_parameters()) {
    weights[item.key()] = item.value().detach().clone();
  }
  return weights;
}

void expect_step(const char* key, bool positive_as_negative) {
  const auto expected = golden("nn/training_step.json").at(key);
  model::UtCmvmr net(as_published(positive_as_negative));
  fill_by_formula(net);
  net.train();
  const auto before = weights_of(net);
  TrainerOptions options;
  options.learning_rate = 3e-4;
  options.clip_norm = 3;
  Adam adam(net, options);
  adam.clear_gradients();
  const auto terms = net.loss(batch());
  terms.total().backward();
  adam.clip_gradients();
  EXPECT_NEAR(terms.total().item<double>(), expected.at("loss").get<double>(), 1e-5);
  ASSERT_EQ(terms.monitors.front().first, "match_accuracy");
  EXPECT_NEAR(terms.monitors.front().second, expected.at("match_accuracy").get<double>(), 1e-6);

  size_t compared = 0;
  for (const auto& item : net.named_parameters()) {
    const auto found = expected.at("gradients").find(item.key());
    if (found == expected.at("gradients").end() || !item.value().requires_grad()) continue;
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    expect_alike(item.key(), item.value().grad(), *found, 1e-4);
    ++compared;
  }
  // All but the pair positions, which the published code does not train.
  EXPECT_EQ(compared, expected.at("gradients").size() - 1);
  EXPECT_FALSE(net.named_parameters()["pos_emb1D"].requires_grad());

  adam.step(options.learning_rate);
  expect_changes(net, before, expected.at("changes"), expected.at("gradients"));
  for (const auto& item : net.named_buffers()) {
    const auto found = expected.at("averages").find(item.key());
    if (found == expected.at("averages").end()) continue;
    expect_alike(item.key(), item.value(), *found, 1e-5);
  }

  // The first step is nearly lr * sign(gradient); with other items the second weighs two gradients.
  const auto after = weights_of(net);
  adam.clear_gradients();
  const auto second = net.loss(exchanged(batch()));
  second.total().backward();
  adam.clip_gradients();
  adam.step(options.learning_rate);
  EXPECT_NEAR(second.total().item<double>(), expected.at("second").at("loss").get<double>(), 1e-4);
  expect_changes(net, after, expected.at("second").at("changes"), expected.at("gradients"));
}

TEST(ReferenceStep, EqualsThePublishedCode) { expect_step("step", false); }

TEST(ReferenceStep, EqualsThePublishedCodeWithPositivesAsNegatives) {
  expect_step("step_positive_as_negative", true);
}

}  // namespace
}  // namespace vmr::train
