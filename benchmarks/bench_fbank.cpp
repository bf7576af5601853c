// Kaldi filter banks, 80 bands, 25/10 ms, of one waveform; peer: torchaudio.compliance.kaldi.
#include <ATen/ops/randn.h>

#include "bench_case.h"
#include "vmr/audio/fbank.h"

int main(int argc, char** argv) {
  for (const int seconds : {4, 30}) {
    const auto waveform = at::randn({seconds * 16000}).mul(0.1);
    for (const int threads : {1, 2}) {
      vmr::bench::add({std::to_string(seconds) + " s", threads, "x real time", double(seconds)},
                      [waveform] { vmr::audio::fbank(waveform); });
    }
  }
  return vmr::bench::run(argc, argv);
}
