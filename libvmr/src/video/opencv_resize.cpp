#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "video/resize_kernels.h"

namespace vmr::video::detail {

void opencv_resize(const uint8_t* source, int64_t h, int64_t w, int64_t c, uint8_t* target,
                   int64_t height, int64_t width, ResizeKernel kernel) {
  const bool area =
      kernel == ResizeKernel::opencv_area || kernel == ResizeKernel::opencv_area_float;
  const int interpolation = area ? cv::INTER_AREA : cv::INTER_LINEAR;
  const int type = CV_8UC(static_cast<int>(c));
  const cv::Mat from(static_cast<int>(h), static_cast<int>(w), type, const_cast<uint8_t*>(source));
  cv::Mat to(static_cast<int>(height), static_cast<int>(width), type, target);
  if (kernel == ResizeKernel::opencv_bilinear || kernel == ResizeKernel::opencv_area) {
    cv::resize(from, to, to.size(), 0, 0, interpolation);
    return;
  }
  cv::Mat unit(from.size(), CV_32FC(static_cast<int>(c))), small;
  const int64_t values = h * w * c;
  float* unit_values = unit.ptr<float>();
  for (int64_t i = 0; i < values; ++i) unit_values[i] = static_cast<float>(source[i]) / 255.0f;
  cv::resize(unit, small, to.size(), 0, 0, interpolation);
  const float* small_values = small.ptr<float>();
  for (int64_t i = 0; i < height * width * c; ++i)
    target[i] = static_cast<uint8_t>(small_values[i] * 255.0f);
}

}  // namespace vmr::video::detail
