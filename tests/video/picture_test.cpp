// Pins pictures: colours both ways, and pictures that are none or too large.
#include "vmr/video/picture.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "vmr/core/error.h"

namespace vmr::video {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

at::Tensor flat_picture(int64_t height, int64_t width) {
  return at::tensor({200, 100, 20}, at::kByte).expand({height, width, 3}).contiguous();
}

std::string png_of(const cv::Mat& picture) {
  std::vector<uchar> bytes;
  cv::imencode(".png", picture, bytes);
  return {bytes.begin(), bytes.end()};
}

auto decoding(const std::string& bytes, int64_t max_pixels = 1000000) {
  return [=] { decode_picture(bytes, max_pixels); };
}

auto refused_with(const std::string& text) {
  return ThrowsMessage<InvalidArgument>(HasSubstr(text));
}

TEST(Picture, JpegKeepsColoursAndSize) {
  const auto picture = flat_picture(24, 40);
  const auto decoded = decode_picture(encode_jpeg(picture, 95));
  ASSERT_EQ(decoded.sizes(), (at::IntArrayRef{24, 40, 3}));
  EXPECT_LE((decoded.to(at::kInt) - picture.to(at::kInt)).abs().max().item<int>(), 3);
}

TEST(Picture, PngIsReadExactly) {
  cv::Mat bgr(2, 3, CV_8UC3);
  for (int i = 0; i < 18; ++i) bgr.data[i] = uchar(10 * i);
  const auto decoded = decode_picture(png_of(bgr));
  const auto expected = at::arange(18).mul(10).to(at::kByte).view({2, 3, 3}).flip(2);
  EXPECT_TRUE(decoded.equal(expected));
  const cv::Mat grey(2, 2, CV_8UC1, cv::Scalar(7));
  EXPECT_TRUE(decode_picture(png_of(grey)).equal(at::full({2, 2, 3}, 7, at::kByte)));
}

TEST(Picture, SizesAreReadBeforeAnythingIsUnpacked) {
  auto png = png_of(cv::Mat(2, 2, CV_8UC3, cv::Scalar(1, 2, 3)));
  png.replace(16, 8, std::string("\x00\x01\x00\x00\x00\x01\x00\x00", 8));  // 65536 x 65536
  EXPECT_THAT(decoding(png), refused_with("the picture has 65536 x 65536"));
  const auto jpeg = encode_jpeg(flat_picture(24, 40));
  EXPECT_THAT(decoding(jpeg, 24 * 40 - 1), refused_with("40 x 24"));
  EXPECT_EQ(decode_picture(jpeg, 24 * 40).size(0), 24);
}

TEST(Picture, RefusesOtherFormatsAndDamage) {
  EXPECT_THAT(decoding(""), refused_with("expected a JPEG or PNG"));
  EXPECT_THAT(decoding("GIF89a, and what follows it"), refused_with("expected a JPEG or PNG"));
  EXPECT_THAT(decoding("\xff\xd8"), refused_with("states no size"));
  EXPECT_THAT(decoding(std::string("\xff\xd8\xff\xe0\x00\x00", 6)), refused_with("states no size"));
  const auto jpeg = encode_jpeg(flat_picture(24, 40));
  for (size_t length = 0; length < std::min<size_t>(jpeg.size(), 200); ++length) {
    EXPECT_THAT(decoding(jpeg.substr(0, length)), testing::Throws<InvalidArgument>()) << length;
  }
  const auto png = png_of(cv::Mat(9, 9, CV_8UC3, cv::Scalar(1, 2, 3)));
  EXPECT_THAT(decoding(png.substr(0, 30)), testing::Throws<InvalidArgument>());
}

}  // namespace
}  // namespace vmr::video
