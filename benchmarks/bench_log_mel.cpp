// librosa's log-mel spectrogram (128 bands, 2048/512) of 30 s waveforms on the CPU and, where there
// is a device, on CUDA; peer: the same in eager torch, on the CPU also librosa.
#include <ATen/ops/randn.h>

#include "bench_case.h"
#include "vmr/audio/log_mel.h"
#include "vmr/core/device.h"

int main(int argc, char** argv) {
  using namespace vmr;
  const auto waveform = at::randn({30 * 16000}).mul(0.1);
  for (const int threads : {1, 2}) {
    bench::add({"cpu 30 s", threads, "x real time", 30}, [waveform] { audio::log_mel(waveform); });
  }
  if (cuda_available()) {
    for (const int batch : {1, 64}) {
      const auto there = at::randn({batch, 30 * 16000}).mul(0.1).to(at::kCUDA);
      // Reading one value waits for the device.
      bench::add(
          {"cuda batch " + std::to_string(batch) + " x 30 s", 1, "x real time", 30.0 * batch},
          [there] { audio::log_mel(there).flatten().select(0, 0).item(); });
    }
  }
  return bench::run(argc, argv);
}
