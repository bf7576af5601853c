#include "vmr/video/frame.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

#include "video/grey_pixel.h"
#include "video/resize_kernels.h"
#include "video/tensor_checks.h"
#include "vmr/core/error.h"

namespace vmr::video {
namespace {

constexpr int64_t kMaxPixels = 32768;

bool is_pillow(ResizeKernel kernel) {
  return kernel == ResizeKernel::pillow_bilinear || kernel == ResizeKernel::pillow_bicubic;
}

void grey_row(const uint8_t* rgb, uint8_t* grey, int64_t pixels, detail::GreyWeights weights) {
  for (int64_t i = 0; i < pixels; ++i) grey[i] = detail::grey_of(rgb + 3 * i, weights);
}

}  // namespace

at::Tensor resize(const at::Tensor& frames, int64_t height, int64_t width, ResizeKernel kernel,
                  PillowVersion pillow) {
  const at::Tensor source =
      detail::require_uint8(frames, "resize", "uint8 frames [n, h, w, c] or [h, w, c]");
  VMR_CHECK(source.dim() == 3 || source.dim() == 4,
            "resize: expected frames [n, h, w, c] or [h, w, c], got ", detail::describe(frames));
  const int64_t n = source.dim() == 4 ? source.size(0) : 1;
  const int64_t h = source.size(-3), w = source.size(-2), c = source.size(-1);
  VMR_CHECK(c >= 1 && c <= 4, "resize: expected 1 to 4 interleaved channels in the last axis, got ",
            detail::describe(frames), "; permute [n, c, h, w] frames");
  for (const int64_t side : {h, w, height, width})
    VMR_CHECK(side >= 1 && side <= kMaxPixels, "resize: sides must be in 1..", kMaxPixels, ", got ",
              h, " x ", w, " -> ", height, " x ", width);
  std::vector<int64_t> shape(source.sizes().begin(), source.sizes().end());
  shape[shape.size() - 3] = height;
  shape[shape.size() - 2] = width;
  at::Tensor result = at::empty(shape, source.options());
  const auto* from = source.const_data_ptr<uint8_t>();
  auto* to = result.mutable_data_ptr<uint8_t>();
  if (is_pillow(kernel)) {
    const auto plan = detail::pillow_plan(h, w, c, height, width, kernel, pillow);
    std::vector<uint8_t> between;
    for (int64_t i = 0; i < n; ++i)
      detail::pillow_resize(from + i * h * w * c, to + i * height * width * c, plan, between);
    return result;
  }
  for (int64_t i = 0; i < n; ++i)
    detail::opencv_resize(from + i * h * w * c, h, w, c, to + i * height * width * c, height, width,
                          kernel);
  return result;
}

at::Tensor to_grey(const at::Tensor& frames, bool bgr_weights) {
  const at::Tensor source = detail::require_uint8(frames, "to_grey", "uint8 frames [..., 3]");
  VMR_CHECK(source.dim() >= 1 && source.size(-1) == 3, "to_grey: expected frames [..., 3], got ",
            detail::describe(frames), "; grey frames need no conversion");
  at::Tensor grey = at::empty(source.sizes().slice(0, source.dim() - 1), source.options());
  grey_row(source.const_data_ptr<uint8_t>(), grey.mutable_data_ptr<uint8_t>(), grey.numel(),
           bgr_weights ? detail::kBgrWeights : detail::kRgbWeights);
  return grey;
}

std::vector<int64_t> clip_frame_indices(int64_t frames, int64_t clip_frames, int64_t max_frames) {
  VMR_CHECK(frames >= 0, "clip_frame_indices: frames must be >= 0, got ", frames);
  VMR_CHECK(clip_frames >= 1, "clip_frame_indices: clip_frames must be >= 1, got ", clip_frames);
  VMR_CHECK(max_frames >= 1, "clip_frame_indices: max_frames must be >= 1, got ", max_frames);
  // A film shorter than a clip is a remainder with no whole clip before it.
  const int64_t kept = frames > clip_frames ? std::min(frames, max_frames) : frames;
  const int64_t remainder = kept % clip_frames;
  const bool fill_up = 2 * remainder > clip_frames;
  const int64_t total = kept - remainder + (fill_up ? clip_frames : 0);
  std::vector<int64_t> indices(total);
  std::iota(indices.begin(), indices.end(), 0);
  for (auto& index : indices) index = std::min(index, kept - 1);
  return indices;
}

void validate(const GreyClipOptions& options) {
  VMR_CHECK(options.clip_frames >= 1, "GreyClipOptions: clip_frames must be >= 1, got ",
            options.clip_frames);
  VMR_CHECK(options.max_frames >= 1, "GreyClipOptions: max_frames must be >= 1, got ",
            options.max_frames);
}

at::Tensor grey_clips(const at::Tensor& frames, const GreyClipOptions& options) {
  validate(options);
  const at::Tensor source =
      detail::require_uint8(frames, "grey_clips", "uint8 frames [n, h, w, 3]");
  VMR_CHECK(source.dim() == 4 && source.size(3) == 3,
            "grey_clips: expected frames [n, h, w, 3], got ", detail::describe(frames));
  const int64_t h = source.size(1), w = source.size(2), c = options.clip_frames;
  const auto indices = clip_frame_indices(source.size(0), c, options.max_frames);
  const auto clips = static_cast<int64_t>(indices.size()) / c;
  at::Tensor result = at::empty({clips, h, c * w}, source.options());
  const auto* rgb = source.const_data_ptr<uint8_t>();
  auto* grey = result.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < clips * c; ++i) {
    for (int64_t y = 0; y < h; ++y) {
      grey_row(rgb + (indices[i] * h + y) * w * 3, grey + ((i / c * h + y) * c + i % c) * w, w,
               options.bgr_weights ? detail::kBgrWeights : detail::kRgbWeights);
    }
  }
  return result;
}

}  // namespace vmr::video
