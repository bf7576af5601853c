#include "media/sound_filter.h"

#include <ATen/ops/empty.h>

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <algorithm>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

constexpr int64_t kFrameSamples = 4096;

}  // namespace

SoundFilter::SoundFilter(const char* function, std::string chain, int rate_hz, int channels)
    : function_(function), chain_(std::move(chain)), rate_(rate_hz) {
  av_channel_layout_default(&layout_, channels);
  const CollectMessages collecting(messages_);
  build();
}

SoundFilter::~SoundFilter() {
  const CollectMessages collecting(messages_);  // some filters sum up when they go
  graph_.reset();
}

void SoundFilter::check(int result) const {
  if (result >= 0) return;
  throw MediaError(vmr::detail::concat(function_, ": the sound filter \"", chain_,
                                       "\" failed: ", error_text(result), messages_.in_brackets()));
}

void SoundFilter::build() {
  char layout[64];
  check(av_channel_layout_describe(&layout_, layout, sizeof layout));
  const std::string rate = std::to_string(rate_);
  graph_.reset(avfilter_graph_alloc());
  if (!graph_) throw std::bad_alloc();
  graph_->nb_threads = 1;  // messages are collected on the thread that asked
  const std::string form =
      "time_base=1/" + rate + ":sample_rate=" + rate + ":sample_fmt=fltp:channel_layout=" + layout;
  check(avfilter_graph_create_filter(&source_, avfilter_get_by_name("abuffer"), "in", form.c_str(),
                                     nullptr, graph_.get()));
  check(avfilter_graph_create_filter(&sink_, avfilter_get_by_name("abuffersink"), "out", nullptr,
                                     nullptr, graph_.get()));
  AVFilterInOut* outputs = avfilter_inout_alloc();  // of the source: where the chain begins
  AVFilterInOut* inputs = avfilter_inout_alloc();
  if (!outputs || !inputs) {
    avfilter_inout_free(&outputs);
    avfilter_inout_free(&inputs);
    throw std::bad_alloc();
  }
  outputs->name = av_strdup("in");
  outputs->filter_ctx = source_;
  inputs->name = av_strdup("out");
  inputs->filter_ctx = sink_;
  const std::string whole =
      chain_ + ",aformat=sample_fmts=fltp:sample_rates=" + rate + ":channel_layouts=" + layout;
  int result = avfilter_graph_parse_ptr(graph_.get(), whole.c_str(), &inputs, &outputs, nullptr);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  if (result >= 0) result = avfilter_graph_config(graph_.get(), nullptr);
  check(result);
}

void SoundFilter::push(const at::Tensor& samples) {
  const CollectMessages collecting(messages_);
  const int64_t total = samples.size(1);
  for (int64_t done = 0; done < total; done += kFrameSamples) {
    FrameHandle frame = make_frame();
    frame->nb_samples = static_cast<int>(std::min(kFrameSamples, total - done));
    frame->format = AV_SAMPLE_FMT_FLTP;
    frame->sample_rate = rate_;
    frame->pts = pushed_;
    check(av_channel_layout_copy(&frame->ch_layout, &layout_));
    check(av_frame_get_buffer(frame.get(), 0));
    for (int c = 0; c < layout_.nb_channels; ++c) {
      std::memcpy(frame->extended_data[c], samples.const_data_ptr<float>() + c * total + done,
                  size_t(frame->nb_samples) * sizeof(float));
    }
    pushed_ += frame->nb_samples;
    check(av_buffersrc_add_frame(source_, frame.get()));
  }
}

void SoundFilter::end() {
  const CollectMessages collecting(messages_);
  check(av_buffersrc_add_frame(source_, nullptr));
}

FrameHandle SoundFilter::pull() {
  const CollectMessages collecting(messages_);
  FrameHandle frame = make_frame();
  const int result = av_buffersink_get_frame(sink_, frame.get());
  if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return nullptr;
  check(result);
  return frame;
}

at::Tensor samples_of(const AVFrame* frame) {
  const int channels = frame->ch_layout.nb_channels;
  at::Tensor samples = at::empty({channels, frame->nb_samples}, at::kFloat);
  for (int c = 0; c < channels; ++c) {
    std::memcpy(samples.mutable_data_ptr<float>() + int64_t(c) * frame->nb_samples,
                frame->extended_data[c], size_t(frame->nb_samples) * sizeof(float));
  }
  return samples;
}

}  // namespace vmr::media::detail
