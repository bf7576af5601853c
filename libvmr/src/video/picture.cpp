#include "vmr/video/picture.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "vmr/core/error.h"

namespace vmr::video {

std::string encode_jpeg(const at::Tensor& rgb, int quality) {
  VMR_CHECK(rgb.dim() == 3 && rgb.size(2) == 3 && rgb.scalar_type() == at::kByte && rgb.is_cpu(),
            "encode_jpeg: expected [height, width, 3] uint8 on the CPU, got ", rgb.sizes());
  VMR_CHECK(quality >= 1 && quality <= 100, "encode_jpeg: expected quality 1..100, got ", quality);
  const auto pixels = rgb.contiguous();
  const cv::Mat picture(static_cast<int>(pixels.size(0)), static_cast<int>(pixels.size(1)), CV_8UC3,
                        pixels.data_ptr());
  cv::Mat bgr;
  cv::cvtColor(picture, bgr, cv::COLOR_RGB2BGR);
  std::vector<uchar> bytes;
  cv::imencode(".jpg", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return {bytes.begin(), bytes.end()};
}

}  // namespace vmr::video
