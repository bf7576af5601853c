#include "vmr/audio/fbank.h"

#include <bit>
#include <cmath>

#include "audio/mel_bank.h"
#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

// Kaldi cuts both to whole samples.
int64_t frame_samples(const FbankOptions& options) {
  return static_cast<int64_t>(options.rate_hz * options.frame_ms * 0.001);
}
int64_t shift_samples(const FbankOptions& options) {
  return static_cast<int64_t>(options.rate_hz * options.shift_ms * 0.001);
}

double top_hz(const FbankOptions& options) {
  return options.high_hz == 0 ? options.rate_hz / 2 : options.high_hz;
}

}  // namespace

void validate(const FbankOptions& options) {
  const auto check = [](bool good, const char* field, auto value, const char* rule) {
    VMR_CHECK(good, "FbankOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(std::isfinite(options.rate_hz) && options.rate_hz > 0, "rate_hz", options.rate_hz,
        "positive");
  check(options.frame_ms > 0 && options.frame_ms * 0.001 * options.rate_hz <= 8192 &&
            frame_samples(options) >= 2,
        "frame_ms", options.frame_ms, "2 to 8192 samples long");
  check(options.shift_ms > 0 && options.shift_ms <= 1e6 && shift_samples(options) >= 1, "shift_ms",
        options.shift_ms, "at least a sample long");
  check(options.mels >= 4 && options.mels <= 4096, "mels", options.mels, "4 to 4096");
  check(options.low_hz >= 0 && options.low_hz < top_hz(options), "low_hz", options.low_hz,
        "at least 0 and below high_hz");
  check(top_hz(options) <= options.rate_hz / 2, "high_hz", options.high_hz,
        "at most half of rate_hz (0: exactly that)");
  check(options.preemphasis >= 0 && options.preemphasis <= 1, "preemphasis", options.preemphasis,
        "0 to 1");
  check(std::isfinite(options.floor) && options.floor > 0, "floor", options.floor, "positive");
  check(std::isfinite(options.input_scale) && options.input_scale > 0, "input_scale",
        options.input_scale, "positive");
}

int64_t fbank_frames(int64_t samples, const FbankOptions& options) {
  const int64_t frame = frame_samples(options);
  return samples < frame ? 0 : 1 + (samples - frame) / shift_samples(options);
}

at::Tensor fbank(const at::Tensor& waveform, const FbankOptions& options) {
  validate(options);
  detail::check_waveform("fbank", waveform, true, false);
  const int64_t samples = waveform.size(-1);
  const int64_t batch = waveform.dim() == 1 ? 1 : waveform.size(0);
  detail::FrameShape shape;
  shape.frames = fbank_frames(samples, options);
  shape.hop = shift_samples(options);
  shape.window = frame_samples(options);
  shape.fft = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(shape.window)));
  shape.remove_dc = options.remove_dc;
  shape.preemphasis = options.preemphasis;
  detail::MelShape mel;
  mel.mels = options.mels;
  mel.gain = options.input_scale * options.input_scale;
  mel.floor = options.floor;
  const auto bank = detail::make_mel_bank({options.rate_hz, shape.fft, options.mels, options.low_hz,
                                           top_hz(options), MelScale::kaldi, /*area_norm=*/false});
  auto features = detail::mel_energies("fbank", waveform.reshape({batch, samples}).contiguous(),
                                       detail::povey(shape.window), bank, shape, mel);
  features.log_();
  return waveform.dim() == 1 ? features.squeeze(0) : features;
}

}  // namespace vmr::audio
