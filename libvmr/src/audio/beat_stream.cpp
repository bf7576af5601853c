#include "vmr/audio/beat_stream.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "audio/beat_hearing.h"
#include "audio/beat_stream_tracker.h"
#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

// Frames heard at once, behind which the beats are decided anew: half a second, or one where beats
// need not be foretold, which is as good then and costs half.
constexpr int64_t kShortBlock = 50, kLongBlock = 100;
// Beats are decided a little further on than they must, so that one which the next window moves
// forward does not fall between two decisions.
constexpr double kSlackSeconds = 0.05;
constexpr double kLongestLatency = 2;

}  // namespace

// Samples wait in `block` until it holds those of block_frames frames. So what is computed depends
// on the place in the stream only, and not on the pieces.
struct BeatStream::Impl {
  explicit Impl(const BeatStreamOptions& from)
      : options(from),
        spectrum(detail::tracker_spectrum(from.rate_hz)),
        tracker(spectrum),
        block_frames(from.latency_seconds < 1 ? kShortBlock : kLongBlock),
        block(at::zeros({(block_frames - 1) * spectrum.hop_samples + spectrum.fft_samples})),
        filled(spectrum.fft_samples / 2) {  // silence before the stream: frame 0 stands on sample 0
    spectrum.padding = FramePadding::none;
  }

  double seconds(int64_t samples) const { return static_cast<double>(samples) / options.rate_hz; }

  // The block is full.
  std::vector<StreamBeat> hear_block() {
    const int64_t step = block_frames * spectrum.hop_samples;
    const double now = seconds(pushed) - options.latency_seconds;
    auto beats = tracker.hear(detail::log_mel_rows(block, spectrum).squeeze(0),
                              {now, now + seconds(step) + kSlackSeconds});
    filled = block.numel() - step;
    block.narrow(0, 0, filled).copy_(block.narrow(0, step, filled).clone());
    return beats;
  }

  BeatStreamOptions options;
  LogMelOptions spectrum;
  detail::StreamTracker tracker;
  int64_t block_frames;
  at::Tensor block;
  int64_t filled;      // samples of the block
  int64_t pushed = 0;  // samples in all
  bool flushed = false;
};

void validate(const BeatStreamOptions& options) {
  const auto check = [](bool good, const char* field, double value, const char* rule) {
    VMR_CHECK(good, "BeatStreamOptions: ", field, " = ", value, ", but it must be ", rule);
  };
  check(options.rate_hz >= 4000 && options.rate_hz <= 96000, "rate_hz", options.rate_hz,
        "4000 to 96000");
  check(options.latency_seconds >= 0 && options.latency_seconds <= kLongestLatency,
        "latency_seconds", options.latency_seconds, "0 to 2");
}

BeatStream::BeatStream(const BeatStreamOptions& options) {
  validate(options);
  impl_ = std::make_unique<Impl>(options);
}

BeatStream::BeatStream(BeatStream&&) noexcept = default;
BeatStream& BeatStream::operator=(BeatStream&&) noexcept = default;
BeatStream::~BeatStream() = default;

std::vector<StreamBeat> BeatStream::push(const at::Tensor& samples) {
  VMR_CHECK(!impl_->flushed,
            "BeatStream::push: the stream was flushed; make a new one for more sound");
  detail::check_waveform("BeatStream::push", samples, false, false);
  const auto piece = samples.detach().to(at::kCPU).contiguous();
  detail::check_samples("BeatStream::push", piece);
  std::vector<StreamBeat> beats;
  for (int64_t done = 0; done < piece.numel();) {
    const int64_t count = std::min(piece.numel() - done, impl_->block.numel() - impl_->filled);
    impl_->block.narrow(0, impl_->filled, count).copy_(piece.narrow(0, done, count));
    done += count;
    impl_->filled += count;
    impl_->pushed += count;
    if (impl_->filled < impl_->block.numel()) continue;
    const auto decided = impl_->hear_block();
    beats.insert(beats.end(), decided.begin(), decided.end());
  }
  return beats;
}

std::vector<StreamBeat> BeatStream::flush() {
  VMR_CHECK(!impl_->flushed, "BeatStream::flush: the stream was flushed before");
  impl_->flushed = true;
  auto& block = impl_->block;
  const auto& spectrum = impl_->spectrum;
  // The frames that stand on a sample which came in; what they miss behind it is silence.
  const int64_t centres = impl_->filled - spectrum.fft_samples / 2;
  const int64_t frames =
      std::min((centres + spectrum.hop_samples - 1) / spectrum.hop_samples, impl_->block_frames);
  if (frames <= 0) return {};
  const int64_t samples = (frames - 1) * spectrum.hop_samples + spectrum.fft_samples;
  block.narrow(0, impl_->filled, block.numel() - impl_->filled).zero_();
  const double end = impl_->seconds(impl_->pushed);
  return impl_->tracker.hear(detail::log_mel_rows(block.narrow(0, 0, samples), spectrum).squeeze(0),
                             {end - impl_->options.latency_seconds, end});
}

}  // namespace vmr::audio
