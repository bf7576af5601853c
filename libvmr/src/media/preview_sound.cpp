#include "media/preview_sound.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace vmr::media::detail {
namespace {

// As a fraction: a decimal point is read by the locale's rules.
std::string tempo_chain(double stretch) {
  constexpr int64_t kUnit = 1'000'000'000;
  return "atempo=" + std::to_string(std::llround(stretch * kUnit)) + "/" + std::to_string(kUnit);
}

AudioOptions stereo(int rate_hz, double start_seconds) {
  return {.rate_hz = double(rate_hz), .channels = 2, .start_seconds = start_seconds};
}

}  // namespace

StretchedSound::StretchedSound(const char* function, const std::filesystem::path& path,
                               const AudioOptions& options, double stretch, std::stop_token stop)
    : stream_(function, path, options, std::move(stop)) {
  if (stretch == 1) return;
  filter_.emplace(function, tempo_chain(stretch), static_cast<int>(options.rate_hz),
                  options.channels);
}

at::Tensor StretchedSound::next() {
  if (!filter_) return stream_.next();
  for (;;) {
    if (const FrameHandle frame = filter_->pull()) return samples_of(frame.get());
    const at::Tensor block = ended_ ? at::empty({0, 0}, at::kFloat) : stream_.next();
    if (ended_) return block;
    if (block.size(1) > 0) {
      filter_->push(block);
    } else {
      filter_->end();
      ended_ = true;
    }
  }
}

template <typename Source>
at::Tensor SoundQueue<Source>::read(int64_t count) {
  at::Tensor result = at::zeros({2, count}, at::kFloat);
  for (int64_t done = 0; done < count && !ended_;) {
    if (left_ == 0) {
      block_ = source_.next();
      left_ = block_.size(1);
      ended_ = left_ == 0;
    }
    const int64_t part = std::min(count - done, left_);
    if (part == 0) continue;
    result.narrow(1, done, part).copy_(block_.narrow(1, block_.size(1) - left_, part));
    done += part;
    left_ -= part;
  }
  return result;
}

PreviewSound::PreviewSound(const char* function, const PreviewFiles& files, int rate_hz,
                           double seconds, const PreviewOptions& options, std::stop_token stop)
    : total_(std::llround(seconds * rate_hz)),
      fade_in_(options.offset_seconds > 0),
      music_(function, files.music, stereo(rate_hz, std::max(options.offset_seconds, 0.0)),
             options.stretch, stop) {
  const double late = std::max(-options.offset_seconds, 0.0) / options.stretch;
  silence_ = std::llround(std::min(late, seconds) * rate_hz);
  fade_ = std::min<int64_t>(std::llround(std::min(options.fade_seconds, seconds) * rate_hz),
                            total_ - silence_);
  if (!options.film_sound_gain_db || !files.film_has_sound) return;
  film_gain_ = std::pow(10, *options.film_sound_gain_db / 20);
  film_.emplace(function, files.film, stereo(rate_hz, 0), stop);
}

// The block at position_: up over its first samples where the music is cut, down over the last.
void PreviewSound::fade(at::Tensor& block) const {
  if (fade_ <= 0) return;
  const int64_t count = block.size(1);
  const auto ramp = [&](double first, double step) {
    return ((at::arange(count, at::kDouble) * step + first) / static_cast<double>(fade_))
        .clamp(0, 1)
        .to(at::kFloat);
  };
  if (fade_in_ && position_ < fade_) block.mul_(ramp(static_cast<double>(position_) + 0.5, 1));
  if (position_ + count > total_ - fade_) {
    block.mul_(ramp(static_cast<double>(total_ - position_) - 0.5, -1));
  }
}

at::Tensor PreviewSound::next(int64_t wanted) {
  const int64_t count = std::min(wanted, total_ - position_);
  const int64_t quiet = std::clamp<int64_t>(silence_ - position_, 0, count);
  at::Tensor block = at::zeros({2, count}, at::kFloat);
  if (quiet < count) block.narrow(1, quiet, count - quiet).copy_(music_.read(count - quiet));
  fade(block);
  if (film_) block.add_(film_->read(count), film_gain_);
  position_ += count;
  return block;
}

}  // namespace vmr::media::detail
