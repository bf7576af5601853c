// Farneback's flow of frames that are on a CUDA device at several sizes, one pair and a run of 64:
// fields, and the mean length alone. The CPU's rate at 320 x 240 stands beside them. Without a
// device only that is measured.
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>

#include <string>

#include "bench_case.h"
#include "vmr/core/device.h"
#include "vmr/video/optical_flow.h"

namespace {

using namespace vmr;

// Smooth noise that moves by (3, 1) pixels a frame.
at::Tensor moving_frames(int64_t frames, int64_t height, int64_t width) {
  const at::Tensor noise = at::rand({1, 1, height + frames + 9, width + 3 * frames + 9});
  const at::Tensor plane = at::avg_pool2d(noise, 9, 1).sub(0.35).mul(850).clamp(0, 255)[0][0];
  at::Tensor film = at::empty({frames, height, width}, at::kByte);
  for (int64_t i = 0; i < frames; ++i) {
    const int64_t y = frames - i, x = 3 * (frames - i);
    film[i].copy_(plane.slice(0, y, y + height).slice(1, x, x + width));
  }
  return film;
}

// Reading one value waits for the device.
void wait_for(const at::Tensor& values) { values.flatten().select(0, 0).item(); }

}  // namespace

int main(int argc, char** argv) {
  const auto cpu = moving_frames(9, 240, 320);
  bench::add({"cpu 320x240, 8 pairs", 1, "pairs/s", 8}, [=] { video::optical_flow(cpu); });
  if (cuda_available()) {
    const struct {
      int64_t width, height;
    } sizes[] = {{224, 224}, {320, 240}, {640, 480}, {1920, 1080}};
    for (const auto& [width, height] : sizes) {
      const std::string size = std::to_string(width) + "x" + std::to_string(height);
      for (const int64_t pairs : {1, 64}) {
        const auto frames = moving_frames(pairs + 1, height, width).to(at::kCUDA);
        const std::string name =
            size + ", " + std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs");
        bench::add({"cuda fields " + name, 1, "pairs/s", double(pairs)},
                   [=] { wait_for(video::optical_flow(frames)); });
        bench::add({"cuda mean length " + name, 1, "pairs/s", double(pairs)},
                   [=] { wait_for(video::mean_magnitude(frames)); });
      }
    }
  }
  return bench::run(argc, argv);
}
