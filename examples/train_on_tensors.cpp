// Training on tensors of one's own, without files or stores: pairs of music and film vectors.
#include <torch/torch.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "vmr/core/error.h"
#include "vmr/model/matching_model.h"

// 32 pairs that share a hidden vector, four tags; the negatives are the same pairs shifted by one.
vmr::data::PairBatch make_pairs() {
  torch::manual_seed(1);
  const auto hidden = torch::randn({32, 1, 16});
  const auto music = torch::cat({hidden, torch::randn({32, 1, 16})}, 2);
  const auto film = torch::cat({torch::randn({32, 1, 16}), hidden}, 2);
  const auto mask = torch::ones({32, 1}, torch::kBool);
  const auto ids = torch::arange(32), tags = ids % 4;
  const auto tag_vectors = torch::nn::functional::normalize(torch::randn({4, 32}));
  const auto shift = [](const torch::Tensor& rows) { return rows.roll(1, 0); };
  vmr::data::PairBatch batch;
  batch.music["m"] = {music, mask};
  batch.video["v"] = {film, mask};
  batch.negative_music["m"] = {shift(music), mask};
  batch.negative_video["v"] = {shift(film), mask};
  batch.track_ids = ids;
  batch.tag_ids = tags;
  batch.text = tag_vectors.index_select(0, tags);
  return batch;
}

int main() {
  try {
    const auto batch = make_pairs();
    const auto model = vmr::model::make_matching_model(
        {{"kind", "ut_cmvmr"}, {"music", "m"}, {"video", "v"}, {"music_dim", 32}, {"video_dim", 32},
         {"text_dim", 32}, {"rho_dim", 32}, {"theta_dim", 16}, {"sequence", false},
         {"rhythm_flow", false}, {"encoder_hidden", 64}, {"projection_hidden", 32},
         {"encoder", {{"dropout", 0.1}}}, {"cross", {{"dropout", 0.1}}},
         {"loss", {{"triplet", 0.1}, {"independent", 10}, {"independent_margin", 0.3}}}});
    torch::optim::Adam adam(model->parameters(), 3e-3);
    for (int step = 0; step < 150; ++step) {
      const auto terms = model->loss(batch);
      adam.zero_grad();
      terms.total().backward();
      adam.step();
      if (step % 50 == 0) std::printf("step %d: loss %.3f\n", step, terms.total().item<double>());
    }
    model->eval();
    const torch::NoGradGuard no_grad;
    const auto scores = torch::mm(model->embed_video(batch.video).squeeze(1),
                                  model->embed_music(batch.music).squeeze(1).t());
    const auto first = scores.argmax(1).eq(torch::arange(32)).sum().item<int64_t>();
    std::printf("%lld of 32 films find their music first\n", static_cast<long long>(first));
  } catch (const vmr::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
