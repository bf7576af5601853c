// Links libvmr and uses it without any file: the filter bank of a tone, and its beats.
#include <ATen/ATen.h>

#include <cstdio>

#include "vmr/audio/fbank.h"
#include "vmr/core/version.h"

int main() {
  const auto tone = at::sin(at::arange(16000) * (2 * 3.14159265 * 440 / 16000));
  const auto bank = vmr::audio::fbank(tone.to(at::kFloat));
  std::printf("libvmr %s: fbank of one second is %lld x %lld\n", vmr::version().c_str(),
              static_cast<long long>(bank.size(0)), static_cast<long long>(bank.size(1)));
  return bank.size(0) == 98 && bank.size(1) == 80 ? 0 : 1;
}
