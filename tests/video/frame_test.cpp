// Pins frame preparation: Pillow's resize bit for bit, OpenCV's grey bit for bit, the clip rule by
// hand.
#include "vmr/video/frame.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "support/message_of.h"
#include "video/texture.h"
#include "vmr/core/error.h"

namespace vmr::video {
namespace {

using vmr::test::message_of;

using test::golden;
using test::hash_of;
using test::noise_image;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<int64_t> bytes(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  const auto* data = flat.const_data_ptr<uint8_t>();
  return {data, data + flat.numel()};
}

at::Tensor image_of(const nlohmann::json& item) {
  const auto shape = item.at("from").get<std::vector<int64_t>>();
  return noise_image(shape[0], shape[1], shape[2], item.at("seed"));
}

TEST(Resize, HasTheSameBitsAsPillow) {
  const auto cases = golden("frame.json").at("resize");
  ASSERT_GE(cases.size(), 60u);
  int orders_differ = 0;
  for (const auto& item : cases) {
    const auto kernel = item.at("kernel") == "pillow_bicubic" ? ResizeKernel::pillow_bicubic
                                                              : ResizeKernel::pillow_bilinear;
    const at::Tensor image = image_of(item);
    const at::Tensor out = resize(image, item.at("to")[0], item.at("to")[1], kernel);
    if (item.contains("values")) {
      EXPECT_EQ(bytes(out), item.at("values").get<std::vector<int64_t>>());
    }
    EXPECT_EQ(hash_of(out), item.at("hash").get<std::string>())
        << item.at("from") << " -> " << item.at("to") << " " << item.at("kernel");
    EXPECT_EQ(
        hash_of(resize(image, item.at("to")[0], item.at("to")[1], kernel, PillowVersion::up_to_12)),
        item.at("width_first_hash").get<std::string>());
    orders_differ += item.at("hash") != item.at("width_first_hash");
  }
  EXPECT_GE(orders_differ, 10);
}

TEST(Resize, AveragesWithTriangleWeightsByHand) {
  // 4 -> 2 pixels: centre 1, weights at 0.5, 1.5, 2.5, 3.5 of a triangle of radius 2, cut at 0.
  at::Tensor row = at::empty({1, 4, 1}, at::kByte);
  for (int i = 0; i < 4; ++i) row.mutable_data_ptr<uint8_t>()[i] = static_cast<uint8_t>(70 * i);
  // Weights 3, 3, 1 over 7: (0*3 + 70*3 + 140*1) / 7 = 50; mirrored: (70 + 140*3 + 210*3) / 7.
  EXPECT_THAT(bytes(resize(row, 1, 2, ResizeKernel::pillow_bilinear)), ElementsAre(50, 160));
}

TEST(Resize, TreatsABatchAsItsFramesOneByOne) {
  const std::vector<at::Tensor> frames = {noise_image(31, 45, 3, 1), noise_image(31, 45, 3, 2)};
  const at::Tensor both = resize(at::stack(frames), 17, 20, ResizeKernel::pillow_bicubic);
  for (int64_t i = 0; i < 2; ++i)
    EXPECT_TRUE(both.select(0, i).equal(resize(frames[i], 17, 20, ResizeKernel::pillow_bicubic)));
  EXPECT_EQ(
      resize(at::empty({0, 31, 45, 3}, at::kByte), 17, 20, ResizeKernel::pillow_bilinear).sizes(),
      (std::vector<int64_t>{0, 17, 20, 3}));
}

TEST(Resize, ReadsTensorsThatAreNotContiguous) {
  const at::Tensor planar = noise_image(3, 31, 45, 1);  // [c, h, w]
  const at::Tensor frames = planar.permute({1, 2, 0});
  EXPECT_TRUE(resize(frames, 9, 8, ResizeKernel::pillow_bilinear)
                  .equal(resize(frames.contiguous(), 9, 8, ResizeKernel::pillow_bilinear)));
}

TEST(Resize, SaysWhatIsWrong) {
  const auto resized = [](const at::Tensor& frames, int64_t height) {
    return message_of([&] { resize(frames, height, 8, ResizeKernel::pillow_bilinear); });
  };
  EXPECT_THAT(resized(at::empty({3, 8, 8, 3}, at::kFloat), 8), HasSubstr("[3, 8, 8, 3] Float"));
  EXPECT_THAT(resized(at::empty({8, 8}, at::kByte), 8), HasSubstr("[h, w, c]"));
  EXPECT_THAT(resized(at::empty({2, 3, 8, 8}, at::kByte), 8), HasSubstr("permute"));
  EXPECT_THAT(resized(at::empty({8, 8, 3}, at::kByte), 0), HasSubstr("8 x 8 -> 0 x 8"));
  EXPECT_THAT(resized(at::empty({8, 0, 3}, at::kByte), 8), HasSubstr("8 x 0 -> 8 x 8"));
  EXPECT_THAT(resized(at::Tensor(), 8), HasSubstr("undefined"));
}

TEST(Grey, HasTheSameBitsAsOpenCv) {
  const auto grey = golden("frame.json").at("grey");
  const auto colours = grey.at("colours").get<std::vector<std::vector<uint8_t>>>();
  at::Tensor patch = at::empty({static_cast<int64_t>(colours.size()), 3}, at::kByte);
  for (size_t i = 0; i < colours.size(); ++i)
    std::copy(colours[i].begin(), colours[i].end(), patch.mutable_data_ptr<uint8_t>() + 3 * i);
  EXPECT_EQ(bytes(to_grey(patch)), grey.at("rgb").get<std::vector<int64_t>>());
  EXPECT_EQ(bytes(to_grey(patch, true)), grey.at("bgr").get<std::vector<int64_t>>());
  const at::Tensor image = image_of(grey.at("image"));
  EXPECT_EQ(hash_of(to_grey(image)), grey.at("image").at("rgb_hash").get<std::string>());
  EXPECT_EQ(hash_of(to_grey(image, true)), grey.at("image").at("bgr_hash").get<std::string>());
}

TEST(Grey, RefusesFramesWithoutThreeChannels) {
  EXPECT_THAT(message_of([] {
                to_grey(at::empty({4, 8, 8}, at::kByte));
              }),
              HasSubstr("[4, 8, 8] Byte"));
}

TEST(ClipFrameIndices, FollowTheRuleByHand) {
  EXPECT_THAT(clip_frame_indices(0), IsEmpty());
  EXPECT_THAT(clip_frame_indices(2), IsEmpty());
  EXPECT_THAT(clip_frame_indices(3), ElementsAre(0, 1, 2, 2));
  EXPECT_THAT(clip_frame_indices(4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(clip_frame_indices(5), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(clip_frame_indices(6), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(clip_frame_indices(7), ElementsAre(0, 1, 2, 3, 4, 5, 6, 6));
  // Odd clips: half of 3 is 1.5, so 1 frame is dropped and 2 are filled up.
  EXPECT_THAT(clip_frame_indices(1, 3), IsEmpty());
  EXPECT_THAT(clip_frame_indices(2, 3), ElementsAre(0, 1, 1));
  EXPECT_THAT(clip_frame_indices(4, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(clip_frame_indices(1, 1), ElementsAre(0));
}

TEST(ClipFrameIndices, CutLongFilmsToSevenClips) {
  std::vector<int64_t> expected(28);
  std::iota(expected.begin(), expected.end(), 0);
  for (const int64_t frames : {28, 29, 30, 31, 5000}) {
    EXPECT_EQ(clip_frame_indices(frames), expected) << frames;
  }
  // 27 frames leave a remainder of 3, filled up with the last frame.
  expected.back() = 26;
  EXPECT_EQ(clip_frame_indices(27), expected);
  // A limit in the middle of a clip counts before the remainder.
  EXPECT_THAT(clip_frame_indices(100, 4, 7), ElementsAre(0, 1, 2, 3, 4, 5, 6, 6));
  EXPECT_THROW(clip_frame_indices(-1), InvalidArgument);
  EXPECT_THROW(clip_frame_indices(5, 0), InvalidArgument);
  EXPECT_THROW(clip_frame_indices(5, 4, 0), InvalidArgument);
}

TEST(GreyClips, JoinFramesAlongTheWidthInTimeOrder) {
  std::vector<at::Tensor> frames;
  for (int i = 0; i < 7; ++i) frames.push_back(noise_image(5, 6, 3, i));
  const at::Tensor clips = grey_clips(at::stack(frames));
  ASSERT_EQ(clips.sizes(), (std::vector<int64_t>{2, 5, 24}));
  ASSERT_EQ(clips.scalar_type(), at::kByte);
  for (int64_t i = 0; i < 8; ++i) {
    const at::Tensor part = clips.select(0, i / 4).narrow(1, i % 4 * 6, 6);
    EXPECT_TRUE(part.equal(to_grey(frames[std::min<int64_t>(i, 6)]))) << i;
  }
  const at::Tensor exchanged = grey_clips(at::stack(frames), {.bgr_weights = true});
  EXPECT_TRUE(exchanged.select(0, 0).narrow(1, 0, 6).equal(to_grey(frames[0], true)));
}

TEST(GreyClips, AreEmptyForFilmsOfHalfAClip) {
  EXPECT_EQ(grey_clips(noise_image(5, 6, 6, 0).reshape({2, 5, 6, 3})).sizes(),
            (std::vector<int64_t>{0, 5, 24}));
  EXPECT_THROW(grey_clips(at::empty({4, 5, 6}, at::kByte)), InvalidArgument);
  EXPECT_THROW(grey_clips(at::empty({4, 5, 6, 3}, at::kByte), {.clip_frames = 0}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::video
