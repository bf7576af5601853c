#include "media/audio_sink.h"

#include <ATen/Functions.h>

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

constexpr double kHoleSeconds = 0.05;  // smaller steps are a container's rounding
constexpr double kLongestHole = 600;   // longer ones are broken time stamps
constexpr double kMostSilence = 3600;  // of all holes: more is a file that lies about its time
constexpr double kLongestOverlap = 1;  // more is a clock that starts anew, not sound sent twice
constexpr int64_t kSilenceBlock = 16384;

template <typename Sample>
void to_float(const AVFrame* frame, int channels, int64_t skip, int64_t count, double zero,
              double scale, std::vector<std::vector<float>>& planes, bool mean) {
  const bool planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame->format));
  const auto factor = static_cast<float>(mean ? scale / channels : scale);
  const auto offset = static_cast<float>(zero);
  for (int channel = 0; channel < channels; ++channel) {
    const auto* from = reinterpret_cast<const Sample*>(frame->extended_data[planar ? channel : 0]) +
                       (planar ? skip : skip * channels + channel);
    const int64_t step = planar ? 1 : channels;
    float* to = planes[mean ? 0 : size_t(channel)].data();
    if (mean && channel > 0) {
      for (int64_t i = 0; i < count; ++i) {
        to[i] += (static_cast<float>(from[i * step]) - offset) * factor;
      }
    } else {
      for (int64_t i = 0; i < count; ++i) {
        to[i] = (static_cast<float>(from[i * step]) - offset) * factor;
      }
    }
  }
}

AVChannelLayout layout_of(int channels) {
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, channels);
  return layout;
}

std::vector<uint8_t*> pointers(std::vector<std::vector<float>>& planes) {
  std::vector<uint8_t*> result;
  for (auto& plane : planes) result.push_back(reinterpret_cast<uint8_t*>(plane.data()));
  return result;
}

}  // namespace

AudioSink::AudioSink(Input& input, const AudioOptions& options, Keeps keeps)
    : input_(input), options_(options), keeps_(keeps) {}

void AudioSink::start(const AVFrame* frame) {
  const bool first = rate_ == 0;
  if (!first) {
    flush();
    input_.note(vmr::detail::concat("the sound changes from ", channels_, " channels at ", rate_,
                                    " Hz to ", frame->ch_layout.nb_channels, " at ",
                                    frame->sample_rate));
  }
  rate_ = frame->sample_rate;
  channels_ = frame->ch_layout.nb_channels;
  format_ = frame->format;
  if (rate_ <= 0 || channels_ <= 0 || channels_ > 64) {
    input_.fail(vmr::detail::concat("the sound has ", channels_, " channels at ", rate_, " Hz"));
  }
  if (first) {
    out_channels_ = options_.channels > 0 ? options_.channels : channels_;
    out_rate_ = options_.rate_hz > 0 ? std::llround(options_.rate_hz) : rate_;
    const auto rate = static_cast<double>(out_rate_);
    first_ = std::llround(options_.start_seconds * rate);
    if (options_.duration_seconds > 0) {
      limit_ = first_ + std::llround(options_.duration_seconds * rate);
    }
  } else {
    earlier_ = produced_;
    position_ = 0;
  }
  mixed_channels_ = out_channels_ == 1 || channels_ == 1 ? 1 : channels_;
  planes_.assign(size_t(mixed_channels_), {});
  out_planes_.assign(size_t(out_channels_), {});
  resampler_.reset();
  if (out_rate_ == rate_ && mixed_channels_ == out_channels_) return;

  AVChannelLayout in = mixed_channels_ == channels_ ? frame->ch_layout : layout_of(mixed_channels_);
  if (in.order != AV_CHANNEL_ORDER_NATIVE) in = layout_of(mixed_channels_);
  // One channel is copied to all: swresample's centre-to-sides gain is not wanted.
  AVChannelLayout out = mixed_channels_ == 1               ? layout_of(1)
                        : mixed_channels_ == out_channels_ ? in
                                                           : layout_of(out_channels_);
  SwrContext* resampler = nullptr;
  int result =
      swr_alloc_set_opts2(&resampler, &out, AV_SAMPLE_FMT_FLTP, static_cast<int>(out_rate_), &in,
                          AV_SAMPLE_FMT_FLTP, rate_, kSilentLogOffset, nullptr);
  resampler_.reset(resampler);
  if (result >= 0) {
    // Mixing down must not amplify: float output has no limit of its own.
    av_opt_set_double(resampler, "rematrix_maxval", 1.0, 0);
    result = swr_init(resampler);
  }
  if (result < 0) {
    input_.fail(vmr::detail::concat("cannot resample ", channels_, " channels at ", rate_,
                                    " Hz to ", out_channels_, " at ", out_rate_, ": ",
                                    error_text(result)));
  }
}

void AudioSink::add(const AVFrame* frame, double seconds) {
  if (frame->nb_samples <= 0) return;
  if (frame->sample_rate != rate_ || frame->ch_layout.nb_channels != channels_ ||
      frame->format != format_) {
    start(frame);
    if (earlier_ > 0) seconds = NAN;
  }
  int64_t skip = 0;
  if (std::isfinite(seconds) && earlier_ == 0) {
    const double step = seconds - static_cast<double>(position_) / rate_;
    const bool beginning = position_ == 0;
    if (std::abs(step) > kLongestHole || filled_seconds_ + step > kMostSilence) {
      input_.note(
          "the sound's time stamps jump by over ten minutes, or by over an hour in all; taken as "
          "continuous");
    } else if (!beginning && step < -kLongestOverlap) {
      input_.note("the sound's time stamps jump back; taken as continuous");
    } else if (step > (beginning ? 0.5 / rate_ : kHoleSeconds)) {
      if (!beginning) {
        input_.note(vmr::detail::concat("no sound for ", step, " s at ",
                                        static_cast<double>(position_) / rate_,
                                        " s; filled with silence"));
      }
      add_silence(std::llround(step * rate_));
      filled_seconds_ += step;
    } else if (step < -(beginning ? 0.5 / rate_ : kHoleSeconds)) {
      skip = std::min<int64_t>(frame->nb_samples, std::llround(-step * rate_));
    }
  }
  convert(frame, skip);
  const int64_t count = frame->nb_samples - skip;
  if (count > 0) resample(count);
  position_ += count;
}

void AudioSink::add_silence(int64_t samples) {
  while (samples > 0) {
    const int64_t block = std::min(samples, kSilenceBlock);
    for (auto& plane : planes_) plane.assign(size_t(block), 0.f);
    resample(block);
    position_ += block;
    samples -= block;
  }
}

void AudioSink::convert(const AVFrame* frame, int64_t skip) {
  const int64_t count = frame->nb_samples - skip;
  for (auto& plane : planes_) plane.resize(size_t(count));
  const bool mean = mixed_channels_ == 1 && channels_ > 1;
  switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame->format))) {
    case AV_SAMPLE_FMT_U8:
      return to_float<uint8_t>(frame, channels_, skip, count, 128, 1.0 / (1 << 7), planes_, mean);
    case AV_SAMPLE_FMT_S16:
      return to_float<int16_t>(frame, channels_, skip, count, 0, 1.0 / (1 << 15), planes_, mean);
    case AV_SAMPLE_FMT_S32:
      return to_float<int32_t>(frame, channels_, skip, count, 0, 1.0 / (1u << 31), planes_, mean);
    case AV_SAMPLE_FMT_S64:
      return to_float<int64_t>(frame, channels_, skip, count, 0, std::ldexp(1.0, -63), planes_,
                               mean);
    case AV_SAMPLE_FMT_FLT:
      return to_float<float>(frame, channels_, skip, count, 0, 1, planes_, mean);
    case AV_SAMPLE_FMT_DBL:
      return to_float<double>(frame, channels_, skip, count, 0, 1, planes_, mean);
    default:
      input_.fail("the decoder gives samples of an unknown format");
  }
}

void AudioSink::resample(int64_t samples) {
  if (!resampler_) {
    if (samples > 0) {
      for (size_t c = 0; c < out_planes_.size(); ++c) {
        out_planes_[c].assign(planes_[c].begin(), planes_[c].begin() + samples);
      }
      append(samples);
    }
    return;
  }
  const size_t made = mixed_channels_ == 1 ? 1 : out_planes_.size();
  const int64_t room = swr_get_out_samples(resampler_.get(), static_cast<int>(samples)) + 64;
  for (auto& plane : out_planes_) plane.resize(size_t(room));
  auto to = pointers(out_planes_);
  auto from = pointers(planes_);
  const int count = swr_convert(resampler_.get(), to.data(), static_cast<int>(room),
                                samples > 0 ? const_cast<const uint8_t**>(from.data()) : nullptr,
                                static_cast<int>(samples));
  if (count < 0) input_.fail("the resampler failed: " + error_text(count));
  for (size_t c = made; c < out_planes_.size(); ++c) out_planes_[c] = out_planes_[0];
  append(count);
}

void AudioSink::reserve(int64_t samples) {
  const int64_t capacity = result_.defined() ? result_.size(1) : 0;
  if (samples <= capacity) return;
  // Memory that is not touched costs nothing, so the header's claim may be generous.
  const double claim = std::min(input_.claimed_seconds(input_.audio()) + 1, 3600.0);
  int64_t grown = std::max(samples + samples / 2, capacity * 2);
  if (capacity == 0 && keeps_ == Keeps::everything) {
    const int64_t whole = static_cast<int64_t>(claim * static_cast<double>(out_rate_));
    grown = std::max(samples, limit_ >= 0 ? std::min(limit_ - first_, whole) : whole);
  }
  at::Tensor larger = at::empty({out_channels_, grown}, at::kFloat);
  for (int c = 0; c < out_channels_ && kept_ > 0; ++c) {
    std::memcpy(larger.mutable_data_ptr<float>() + c * grown,
                result_.const_data_ptr<float>() + c * capacity, size_t(kept_) * sizeof(float));
  }
  result_ = larger;
}

void AudioSink::append(int64_t samples) {
  const int64_t begin = std::max(first_ - produced_, int64_t(0));
  const int64_t end = limit_ >= 0 ? std::min(limit_ - produced_, samples) : samples;
  produced_ += samples;
  if (begin >= end) return;
  reserve(kept_ + end - begin);
  for (int c = 0; c < out_channels_; ++c) {
    std::memcpy(result_.mutable_data_ptr<float>() + c * result_.size(1) + kept_,
                out_planes_[size_t(c)].data() + begin, size_t(end - begin) * sizeof(float));
  }
  kept_ += end - begin;
}

void AudioSink::flush() {
  const int64_t exact =
      earlier_ + (position_ * out_rate_ + rate_ - 1) / rate_;  // ceil, as librosa and torchaudio
  if (resampler_) resample(0);
  if (produced_ < exact) {
    for (auto& plane : out_planes_) plane.assign(size_t(exact - produced_), 0.f);
    append(exact - produced_);
  }
  const int64_t end = limit_ >= 0 ? std::min(limit_, produced_) : produced_;
  kept_ -= std::clamp<int64_t>(end - std::max(exact, first_), 0, kept_);
  produced_ = exact;
}

at::Tensor AudioSink::take(int64_t keep) {
  const int64_t count = kept_ - keep;
  if (count <= 0) return at::empty({out_channels_, 0}, at::kFloat);
  at::Tensor block = result_.narrow(1, 0, count).clone(at::MemoryFormat::Contiguous);
  for (int c = 0; c < out_channels_; ++c) {
    float* row = result_.mutable_data_ptr<float>() + c * result_.size(1);
    std::memmove(row, row + count, size_t(keep) * sizeof(float));
  }
  kept_ = keep;
  return block;
}

bool AudioSink::full() const { return limit_ >= 0 && produced_ >= limit_; }

Audio AudioSink::finish(double end_seconds) {
  if (rate_ == 0) input_.fail("the sound stream holds no sound that can be decoded");
  if (end_seconds >= 0 && earlier_ == 0) {
    position_ = std::min(position_, int64_t(std::llround(end_seconds * rate_)));
  }
  if (!full()) flush();
  Audio audio;
  audio.rate_hz = static_cast<double>(out_rate_);
  audio.start_seconds = static_cast<double>(first_) / audio.rate_hz;
  audio.samples = kept_ > 0 ? result_.narrow(1, 0, kept_).contiguous()
                            : at::empty({out_channels_, 0}, at::kFloat);
  return audio;
}

}  // namespace vmr::media::detail
