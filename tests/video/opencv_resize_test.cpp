// Pins the OpenCV kernels to a newer OpenCV's results and to averages worked by hand.
#include <gtest/gtest.h>

#include "video/texture.h"
#include "vmr/video/frame.h"

namespace vmr::video {
namespace {

const std::map<std::string, ResizeKernel> kKernels = {
    {"opencv_bilinear", ResizeKernel::opencv_bilinear},
    {"opencv_area", ResizeKernel::opencv_area},
    {"opencv_bilinear_float", ResizeKernel::opencv_bilinear_float},
    {"opencv_area_float", ResizeKernel::opencv_area_float}};

// Measured between OpenCV 4.6 and 5.0: equal bits, but for bilinear_float, where a value at an
// integer may fall to either side before its fraction is cut off (2.5 % of the values, one level).
TEST(OpencvResize, AgreesWithAnotherOpencvWithinOneLevel) {
  const auto cases = test::golden("frame.json").at("opencv_resize");
  ASSERT_EQ(cases.size(), 16u);
  for (const auto& item : cases) {
    const auto shape = item.at("from").get<std::vector<int64_t>>();
    const at::Tensor out =
        resize(test::noise_image(shape[0], shape[1], shape[2], item.at("seed")), item.at("to")[0],
               item.at("to")[1], kKernels.at(item.at("kernel").get<std::string>()));
    const auto expected = item.at("values").get<std::vector<int>>();
    ASSERT_EQ(static_cast<size_t>(out.numel()), expected.size());
    int different = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const int value = out.const_data_ptr<uint8_t>()[i];
      ASSERT_NEAR(value, expected[i], 1) << item.at("kernel") << " at " << i;
      different += value != expected[i];
    }
    const bool cuts = item.at("kernel") == "opencv_bilinear_float";
    EXPECT_LE(different, cuts ? static_cast<int>(expected.size()) / 20 : 0) << item.at("kernel");
  }
}

TEST(OpencvResize, AreaIsTheMeanAndFloatCutsTheFraction) {
  at::Tensor square = at::empty({2, 2, 1}, at::kByte);
  const uint8_t values[] = {10, 20, 30, 43};  // mean 25.75
  std::copy(values, values + 4, square.mutable_data_ptr<uint8_t>());
  const auto value = [&](ResizeKernel kernel) {
    return static_cast<int>(resize(square, 1, 1, kernel).const_data_ptr<uint8_t>()[0]);
  };
  EXPECT_EQ(value(ResizeKernel::opencv_area), 26);
  EXPECT_EQ(value(ResizeKernel::opencv_area_float), 25);
}

TEST(OpencvResize, TreatsABatchAsItsFramesOneByOne) {
  const at::Tensor frames = test::noise_image(2 * 31, 45, 3, 1).reshape({2, 31, 45, 3});
  for (const auto& [name, kernel] : kKernels) {
    const at::Tensor both = resize(frames, 17, 20, kernel);
    for (int64_t i = 0; i < 2; ++i)
      EXPECT_TRUE(both.select(0, i).equal(resize(frames.select(0, i), 17, 20, kernel))) << name;
  }
}

}  // namespace
}  // namespace vmr::video
