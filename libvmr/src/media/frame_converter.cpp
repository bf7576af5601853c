#include "media/frame_converter.h"

#include <ATen/ops/empty.h>

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <cmath>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

// swscale's SIMD code writes past the end of narrow rows: it gets rows of its own.
constexpr int kRowAlignment = 64;

// The full-range twins of the YUV formats, by swscale's rule: same layout plus a range flag.
AVPixelFormat without_range(AVPixelFormat format, bool* full_range) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      *full_range = true;
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      *full_range = true;
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      *full_range = true;
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      *full_range = true;
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      *full_range = true;
      return AV_PIX_FMT_YUV411P;
    default:
      return format;
  }
}

// Copies stored rows [height][width] of RGB into the shown picture.
void place(const Orientation& orientation, const uint8_t* from, int stride, int width, int height,
           uint8_t* to) {
  const int shown_width = orientation.swaps_sides() ? height : width;
  if (orientation.degrees == 0 && !orientation.flipped) {
    for (int y = 0; y < height; ++y) {
      std::memcpy(to + int64_t(y) * width * 3, from + int64_t(y) * stride, size_t(width) * 3);
    }
    return;
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int u = x, v = y;
      switch (orientation.degrees) {
        case 90:
          u = height - 1 - y;
          v = x;
          break;
        case 180:
          u = width - 1 - x;
          v = height - 1 - y;
          break;
        case 270:
          u = y;
          v = width - 1 - x;
          break;
        default:
          break;
      }
      if (orientation.flipped) u = shown_width - 1 - u;
      std::memcpy(to + (int64_t(v) * shown_width + u) * 3, from + int64_t(y) * stride + x * 3, 3);
    }
  }
}

}  // namespace

Orientation orientation_of(const AVStream* stream) {
  Orientation orientation;
  size_t bytes = 0;
  const uint8_t* data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (!data || bytes < 9 * sizeof(int32_t)) return orientation;
  int32_t matrix[9];
  std::memcpy(matrix, data, sizeof matrix);
  // A mirrored picture has a negative determinant; take the mirror out, then read the angle.
  const double determinant = double(matrix[0]) * matrix[4] - double(matrix[1]) * matrix[3];
  orientation.flipped = determinant < 0;
  if (orientation.flipped) av_display_matrix_flip(matrix, 1, 0);
  const double angle = -av_display_rotation_get(matrix);  // clockwise, NaN for a broken matrix
  if (!std::isfinite(angle)) return {0, false, false};
  const int quarters = static_cast<int>(std::lround(angle / 90));
  orientation.degrees = ((quarters % 4) + 4) % 4 * 90;
  orientation.exact = std::abs(angle - quarters * 90) < 0.5;
  return orientation;
}

std::array<float, 2> shown_point(const Orientation& orientation, float x, float y, int width,
                                 int height) {
  const auto w = static_cast<float>(width), h = static_cast<float>(height);
  std::array<float, 2> point{x, y};
  switch (orientation.degrees) {
    case 90:
      point = {h - 1 - y, x};
      break;
    case 180:
      point = {w - 1 - x, h - 1 - y};
      break;
    case 270:
      point = {y, w - 1 - x};
      break;
    default:
      break;
  }
  if (orientation.flipped) point[0] = (orientation.swaps_sides() ? h : w) - 1 - point[0];
  return point;
}

void FrameConverter::begin(const AVFrame* frame) {
  frame_ = frame;
  for (Size& size : sizes_) size.current = false;
  if (first_width_ == 0) {
    first_width_ = orientation_.swaps_sides() ? frame->height : frame->width;
    first_height_ = orientation_.swaps_sides() ? frame->width : frame->height;
  }
}

const at::Tensor& FrameConverter::rgb(int width, int height) {
  if (width == 0) width = first_width_;
  if (height == 0) height = first_height_;
  for (Size& size : sizes_) {
    if (size.width != width || size.height != height) continue;
    if (!size.current) convert(size, width, height);
    return size.result;
  }
  sizes_.push_back({width, height, at::empty({height, width, 3}, at::kByte), {}, nullptr});
  convert(sizes_.back(), width, height);
  return sizes_.back().result;
}

void FrameConverter::prepare_scaler(Size& size, int width, int height) {
  const Source source{frame_->width, frame_->height, frame_->format, frame_->colorspace,
                      frame_->color_range};
  if (size.scaler && size.source == source) return;
  bool full_range = frame_->color_range == AVCOL_RANGE_JPEG;
  const AVPixelFormat format =
      without_range(static_cast<AVPixelFormat>(frame_->format), &full_range);
  size.scaler.reset(sws_getContext(frame_->width, frame_->height, format, width, height,
                                   AV_PIX_FMT_RGB24, SWS_BILINEAR, nullptr, nullptr, nullptr));
  if (!size.scaler) {
    const char* name = av_get_pix_fmt_name(format);
    throw MediaError(vmr::detail::concat("frames of pixel format ", name ? name : "unknown", ", ",
                                         frame_->width, " x ", frame_->height,
                                         ", cannot be converted to RGB"));
  }
  const int* matrix = sws_getCoefficients(frame_->colorspace == AVCOL_SPC_UNSPECIFIED
                                              ? SWS_CS_DEFAULT
                                              : static_cast<int>(frame_->colorspace));
  sws_setColorspaceDetails(size.scaler.get(), matrix, full_range, matrix, 1, 0, 1 << 16, 1 << 16);
  size.source = source;
}

void FrameConverter::convert(Size& size, int width, int height) {
  if (orientation_.swaps_sides()) std::swap(width, height);
  prepare_scaler(size, width, height);
  auto* out = size.result.mutable_data_ptr<uint8_t>();
  const int row = width * 3;
  const int stride = (row + 2 * kRowAlignment) / kRowAlignment * kRowAlignment;
  const bool direct =
      row % (3 * kRowAlignment) == 0 && orientation_.degrees == 0 && !orientation_.flipped;
  if (!direct) scratch_.resize(size_t(stride) * size_t(height) + kRowAlignment);
  uint8_t* planes[4] = {direct ? out : scratch_.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {direct ? row : stride, 0, 0, 0};
  sws_scale(size.scaler.get(), frame_->data, frame_->linesize, 0, frame_->height, planes, strides);
  if (!direct) place(orientation_, scratch_.data(), stride, width, height, out);
  size.current = true;
}

}  // namespace vmr::media::detail
