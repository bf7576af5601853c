#include "vmr/audio/log_mel.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/maximum.h>

#include <cmath>

#include "audio/mel_bank.h"
#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

double top_hz(const LogMelOptions& options) {
  return options.high_hz == 0 ? options.rate_hz / 2 : options.high_hz;
}

// First sample of frame 0's window. A short window stands in the middle of the fft, as librosa has
// it; its place there does not change the power, only which samples it sees.
int64_t first_sample(const LogMelOptions& options) {
  if (options.padding == FramePadding::none) return 0;
  return (options.fft_samples - options.window_samples) / 2 - options.fft_samples / 2;
}

}  // namespace

LogMelOptions vggish_log_mel() {
  LogMelOptions options;
  options.fft_samples = 512;
  options.window_samples = 400;
  options.hop_samples = 160;
  options.mels = 64;
  options.low_hz = 125;
  options.high_hz = 7500;
  options.scale = MelScale::kaldi;
  options.area_norm = false;
  options.power = 1;
  options.log = MelLog::natural;
  options.offset = 0.01;
  options.floor = 0;
  options.padding = FramePadding::none;
  return options;
}

LogMelOptions musicnn_log_mel() {
  LogMelOptions options;
  options.fft_samples = options.window_samples = 512;
  options.hop_samples = 256;
  options.mels = 96;
  options.log = MelLog::log10;
  options.gain = 10000;
  options.offset = 1;
  options.floor = 0;
  return options;
}

void validate(const LogMelOptions& options) {
  const auto check = [](bool good, const char* field, auto value, const char* rule) {
    VMR_CHECK(good, "LogMelOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  const double rate = options.rate_hz;
  check(std::isfinite(rate) && rate > 0, "rate_hz", rate, "positive");
  const int64_t fft = options.fft_samples;
  check(fft >= 2 && fft <= 8192 && fft % 2 == 0, "fft_samples", fft, "even and 2 to 8192");
  check(options.window_samples >= 2 && options.window_samples <= fft, "window_samples",
        options.window_samples, "2 to fft_samples");
  check(options.hop_samples >= 1, "hop_samples", options.hop_samples, "at least 1");
  check(options.mels >= 1 && options.mels <= 4096, "mels", options.mels, "1 to 4096");
  check(options.low_hz >= 0 && options.low_hz < top_hz(options), "low_hz", options.low_hz,
        "at least 0 and below high_hz");
  check(top_hz(options) <= rate / 2, "high_hz", options.high_hz,
        "at most half of rate_hz (0: exactly that)");
  check(options.power == 1 || options.power == 2, "power", options.power, "1 or 2");
  check(std::isfinite(options.gain) && options.gain > 0, "gain", options.gain, "positive");
  check(std::isfinite(options.offset) && options.offset >= 0, "offset", options.offset,
        "at least 0");
  check(options.floor >= 0, "floor", options.floor, "at least 0");
  check(options.log == MelLog::none || options.floor + options.offset > 0, "floor", options.floor,
        "positive where a logarithm is taken and offset is 0");
  check(options.top_decibels >= 0, "top_decibels", options.top_decibels, "at least 0");
}

int64_t log_mel_frames(int64_t samples, const LogMelOptions& options) {
  if (options.padding != FramePadding::none) return 1 + samples / options.hop_samples;
  if (samples < options.window_samples) return 0;
  return 1 + (samples - options.window_samples) / options.hop_samples;
}

namespace detail {

at::Tensor log_mel_rows(const at::Tensor& waveform, const LogMelOptions& options) {
  const int64_t samples = waveform.size(-1);
  VMR_CHECK(samples > 0, "log_mel: expected samples, got ", waveform.sizes());
  VMR_CHECK(options.padding != FramePadding::reflect || samples > options.fft_samples / 2,
            "log_mel: reflect padding needs more than ", options.fft_samples / 2, " samples, got ",
            samples, "; use padding zeros");
  FrameShape shape;
  shape.frames = log_mel_frames(samples, options);
  shape.first = first_sample(options);
  shape.hop = options.hop_samples;
  shape.window = options.window_samples;
  shape.fft = options.fft_samples;
  shape.reflect = options.padding == FramePadding::reflect;
  MelShape mel;
  mel.mels = options.mels;
  mel.power = options.power;
  mel.gain = options.gain;
  mel.offset = options.offset;
  mel.floor = options.floor;
  const auto bank =
      make_mel_bank({options.rate_hz, options.fft_samples, options.mels, options.low_hz,
                     top_hz(options), options.scale, options.area_norm});
  auto rows = mel_energies("log_mel", waveform.reshape({-1, samples}).contiguous(),
                           hann_periodic(options.window_samples), bank, shape, mel);
  if (options.log == MelLog::natural) rows.log_();
  if (options.log == MelLog::log10 || options.log == MelLog::decibel) rows.log10_();
  if (options.log == MelLog::decibel) rows.mul_(10);
  return rows;
}

}  // namespace detail

at::Tensor log_mel(const at::Tensor& waveform, const LogMelOptions& options) {
  validate(options);
  detail::check_waveform("log_mel", waveform, true, true);
  auto rows = detail::log_mel_rows(waveform, options);
  if (options.log == MelLog::decibel && options.top_decibels > 0 && rows.numel() > 0) {
    const auto lowest = at::amax(rows, {1, 2}, true).sub_(options.top_decibels);
    rows = at::maximum(rows, lowest);
  }
  return rows.transpose(1, 2).contiguous();
}

}  // namespace vmr::audio
