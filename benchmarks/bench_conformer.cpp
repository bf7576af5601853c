// The audio Conformer of UT-CMVMR (6 layers of 512), batch 8 of 398 x 80; peer: the same in eager
// PyTorch.
#include "bench_case.h"
#include "vmr/nn/conformer.h"

int main(int argc, char** argv) {
  using namespace vmr;
  torch::manual_seed(1);
  nn::Conformer model(nn::ConformerOptions(80, 100));
  const auto x = torch::randn({8, 398, 80});
  const auto labels = torch::arange(8);
  bench::add({"forward, batch 8", 1, "clips/s", 8}, [model, x]() mutable {
    torch::NoGradGuard no_gradients;
    model->eval();
    model->forward(x);
  });
  bench::add({"forward and backward, batch 8", 1, "clips/s", 8}, [model, x, labels]() mutable {
    model->train();
    model->zero_grad();
    torch::cross_entropy_loss(model->forward(x), labels).backward();
  });
  return bench::run(argc, argv);
}
