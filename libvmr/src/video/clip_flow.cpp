#include "vmr/video/clip_flow.h"

#include <ATen/ops/empty.h>

#include "video/flow_pairs.h"
#include "video/tensor_checks.h"
#include "vmr/video/frame.h"

namespace vmr::video {

void validate(const ClipRule& rule) {
  VMR_CHECK(rule.clip_frames >= 2, "ClipRule: clip_frames must be >= 2, got ", rule.clip_frames);
  VMR_CHECK(rule.max_frames >= 1, "ClipRule: max_frames must be >= 1, got ", rule.max_frames);
}

at::Tensor clip_flow_measures(const at::Tensor& frames, const FlowOptions& options,
                              const ClipRule& rule) {
  validate(options);
  validate(rule);
  const at::Tensor grey = detail::require_flow_input(frames, "clip_flow_measures");
  const auto indices = clip_frame_indices(grey.size(0), rule.clip_frames, rule.max_frames);
  const int64_t per_clip = rule.clip_frames - 1;
  const auto clips = static_cast<int64_t>(indices.size()) / rule.clip_frames;
  std::vector<detail::FramePair> pairs;
  for (int64_t clip = 0; clip < clips; ++clip) {
    for (int64_t k = 0; k < per_clip; ++k) {
      const int64_t at = clip * rule.clip_frames + k;
      pairs.emplace_back(indices[at], indices[at + 1]);
    }
  }
  const auto magnitudes = detail::mean_magnitudes(grey, pairs, options);
  at::Tensor measures = at::empty({clips}, grey.options().dtype(at::kFloat));
  auto* measure = measures.mutable_data_ptr<float>();
  for (int64_t clip = 0; clip < clips; ++clip) {
    double sum = 0.0;
    for (int64_t k = 0; k < per_clip; ++k) sum += magnitudes[clip * per_clip + k];
    measure[clip] = static_cast<float>(sum / static_cast<double>(per_clip));
  }
  return measures;
}

}  // namespace vmr::video
