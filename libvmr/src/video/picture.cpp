#include "vmr/video/picture.h"

#include <ATen/ops/empty.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "vmr/core/error.h"

namespace vmr::video {
namespace {

struct Size {
  int64_t height = 0, width = 0;
};

int64_t big_endian(const std::string& bytes, size_t place, int count) {
  int64_t value = 0;
  for (int i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[place + size_t(i)]);
  }
  return value;
}

// Of the frame header, the segment SOF; 0 x 0 where there is none.
Size jpeg_size(const std::string& bytes) {
  size_t place = 2;
  while (place + 9 <= bytes.size() && bytes[place] == '\xff') {
    const int marker = static_cast<unsigned char>(bytes[place + 1]);
    if (marker == 0xff) {  // filling
      ++place;
      continue;
    }
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) return {big_endian(bytes, place + 5, 2), big_endian(bytes, place + 7, 2)};
    place += 2 + size_t(big_endian(bytes, place + 2, 2));
  }
  return {};
}

Size size_of(const std::string& bytes) {
  if (bytes.starts_with("\xff\xd8")) return jpeg_size(bytes);
  constexpr size_t kPngSize = 16;  // behind the signature and the head of the first chunk
  const bool png = bytes.starts_with("\x89PNG\r\n\x1a\n") && bytes.size() >= kPngSize + 8;
  VMR_CHECK(png, "expected a JPEG or PNG picture");
  return {big_endian(bytes, kPngSize + 4, 4), big_endian(bytes, kPngSize, 4)};
}

}  // namespace

at::Tensor decode_picture(const std::string& bytes, int64_t max_pixels) {
  const auto size = size_of(bytes);
  VMR_CHECK(size.height > 0 && size.width > 0, "a damaged picture: it states no size");
  VMR_CHECK(size.height <= max_pixels / size.width, "expected at most ", max_pixels,
            " pixels, the picture has ", size.width, " x ", size.height);
  cv::Mat bgr;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    bgr = cv::imdecode(raw, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& error) {
    throw InvalidArgument("a damaged picture: " + error.err);
  }
  VMR_CHECK(!bgr.empty(), "a damaged picture: it cannot be decoded");
  const auto pixels = at::empty({bgr.rows, bgr.cols, 3}, at::kByte);
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, pixels.data_ptr());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return pixels;
}

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
