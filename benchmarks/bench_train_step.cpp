// One training step of UT-CMVMR at the published dims: batch of 1024 pairs with real negatives, all
// loss terms, backward, clipped gradients, Adam.
#include "bench_case.h"
#include "vmr/model/ut_cmvmr.h"

namespace {

using namespace vmr;

constexpr int64_t kBatch = 1024, kClips = 7;

at::Tensor classes(int64_t count) { return torch::randint(count, {kBatch, kClips}, torch::kLong); }

data::FeatureMap music(const at::Tensor& mask) {
  return {{"conformer_audio", {torch::randn({kBatch, kClips, 512}), mask}},
          {"rhythm", {torch::stack({classes(18), classes(49), classes(65)}, 2), mask}}};
}

data::FeatureMap video(const at::Tensor& mask) {
  return {{"conformer_video", {torch::randn({kBatch, kClips, 512}), mask}},
          {"clip_flow", {classes(65), mask}}};
}

}  // namespace

int main(int argc, char** argv) {
  torch::manual_seed(1);
  const auto model = std::make_shared<model::UtCmvmr>(model::UtCmvmrOptions());
  const auto mask = torch::ones({kBatch, kClips}, torch::kBool);
  data::PairBatch batch;
  batch.music = music(mask);
  batch.video = video(mask);
  batch.negative_music = music(mask);
  batch.negative_video = video(mask);
  batch.text = torch::nn::functional::normalize(torch::randn({kBatch, 768}));
  batch.track_ids = torch::arange(kBatch);
  const auto optimiser =
      std::make_shared<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions(3e-4));
  for (const int threads : {1, 2}) {
    bench::add({"ut_cmvmr batch 1024", threads, "steps/s"}, [model, batch, optimiser] {
      model->train();
      optimiser->zero_grad();
      model->loss(batch).total().backward();
      torch::nn::utils::clip_grad_norm_(model->parameters(), 3.0);
      optimiser->step();
    });
  }
  return bench::run(argc, argv);
}
