// Pins flow from motion vectors to hand-worked fields: place, sign, distance of the reference,
// choice between vectors, gaps, size; and the way followed over several frames.
#include "vmr/video/motion_vector_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/message_of.h"
#include "vmr/core/error.h"

namespace vmr::video {
namespace {

using vmr::test::message_of;

using ::testing::HasSubstr;

// A block of 16 x 16 that is centred on (x, y) now and came there by (dx, dy).
BlockVector came(float x, float y, float dx, float dy) {
  return {x - dx, y - dy, x, y, 16, 16, false};
}
// The same whose match in the frame after lies by (dx, dy) from it.
BlockVector goes(float x, float y, float dx, float dy) {
  return {x + dx, y + dy, x, y, 16, 16, true};
}

// A frame of 48 x 16 pixels, three blocks, at this time.
BlockMotion frame(double time, std::vector<BlockVector> blocks = {}) {
  BlockMotion motion;
  motion.time = time;
  motion.height = 16;
  motion.width = 48;
  motion.blocks = std::move(blocks);
  return motion;
}

// Values along row 7 of one component of the first pair's field.
std::vector<float> row(const MotionVectorFlow& found, int64_t component) {
  const auto* values = found.flow.const_data_ptr<float>() +
                       (component * found.flow.size(2) + 7) * found.flow.size(3);
  return {values, values + found.flow.size(3)};
}

std::vector<float> stretches(std::vector<std::pair<int, float>> parts) {
  std::vector<float> values;
  for (const auto& [count, value] : parts) values.insert(values.end(), size_t(count), value);
  return values;
}

float covered(const MotionVectorFlow& found) { return found.covered[0].item<float>(); }

TEST(FlowFromMotionVectors, LiesWhereTheBlocksCameFrom) {
  const auto found = flow_from_motion_vectors(
      {frame(0), frame(1, {came(8, 8, 4, 0), came(24, 8, 4, 0), came(40, 8, 4, 0)})}, 16, 48);
  ASSERT_EQ(found.flow.sizes(), (std::vector<int64_t>{1, 2, 16, 48}));
  EXPECT_EQ(row(found, 0), stretches({{48, 4.f}}));
  EXPECT_EQ(row(found, 1), stretches({{48, 0.f}}));
  EXPECT_FLOAT_EQ(covered(found), 44.f / 48);  // nothing came from the four columns on the right
  const auto down = flow_from_motion_vectors(
      {frame(0), frame(1, {came(8, 8, 0, 2), came(24, 8, 0, -2), came(40, 8, 0, 2)})}, 16, 48);
  EXPECT_EQ(row(down, 1), stretches({{16, 2.f}, {16, -2.f}, {16, 2.f}}));
}

TEST(FlowFromMotionVectors, DividesByTheTimeToTheReference) {
  auto second = frame(0.08, {came(8, 8, 6, 3), came(24, 8, 6, 3), came(40, 8, 6, 3)});
  second.past_time = -0.04;  // three frames of 0.04 s
  const auto found = flow_from_motion_vectors({frame(0.04), second}, 16, 48);
  for (const float u : row(found, 0)) EXPECT_FLOAT_EQ(u, 2);
  for (const float v : row(found, 1)) EXPECT_FLOAT_EQ(v, 1);
  second.past_time = std::nan("");
  EXPECT_EQ(row(flow_from_motion_vectors({frame(0.04), second}, 16, 48), 0)[0], 6);
}

TEST(FlowFromMotionVectors, TakesTheVectorsOverTheShortestTimeInEqualParts) {
  auto first = frame(1, {goes(8, 8, 2, 0), goes(24, 8, 2, 0)});
  auto second = frame(2, {came(24, 8, 8, 0), came(40, 8, 8, 0)});
  first.future_time = 2;
  second.past_time = 0;  // over two frames, so that 4 pixels remain of 8
  const auto shorter = flow_from_motion_vectors({first, second}, 16, 48);
  EXPECT_EQ(row(shorter, 0), stretches({{32, 2.f}, {16, 4.f}}));  // 44 to 48: a gap beside 4
  second.past_time = 1;  // as short: 8 pixels from columns 8 to 40
  const auto equal = flow_from_motion_vectors({first, second}, 16, 48);
  EXPECT_EQ(row(equal, 0), stretches({{8, 2.f}, {24, 5.f}, {16, 8.f}}));
}

TEST(FlowFromMotionVectors, DoubtsZerosOfFramesBetweenTheirReferences) {
  auto first = frame(1, {goes(8, 8, 0, 0), goes(24, 8, 0, 0), goes(40, 8, 3, 0)});
  first.past_time = 0;
  first.future_time = 2;
  auto second = frame(2, {came(8, 8, 2, 0), came(40, 8, 2, 0)});
  second.past_time = 0;  // one pixel a frame, over a longer time
  const auto found = flow_from_motion_vectors({first, second}, 16, 48);
  EXPECT_EQ(row(found, 0), stretches({{15, 1.f}, {16, 0.f}, {1, 1.f}, {16, 3.f}}));
}

TEST(FlowFromMotionVectors, FallsBackOnTheMotionThatFollows) {
  auto second = frame(1, {came(8, 8, 2, 0), goes(24, 8, 6, 0), goes(8, 8, 6, 0)});
  second.past_time = 0;
  second.future_time = 3;  // two frames on: 3 pixels a frame
  const auto found = flow_from_motion_vectors({frame(0), second}, 16, 48);
  // came: columns -2 to 14 with 2; goes: 13 to 29 with 3, and never over a past vector.
  EXPECT_EQ(row(found, 0), stretches({{14, 2.f}, {34, 3.f}}));
  EXPECT_FLOAT_EQ(covered(found), 29.f / 48);
}

TEST(FlowFromMotionVectors, FillsGapsFromBothSides) {
  const auto found =
      flow_from_motion_vectors({frame(0), frame(1, {came(8, 8, 2, 0), came(40, 8, 4, 0)})}, 16, 48);
  // 0 to 14 known, 28 to 44 known, and a gap of 14 between.
  EXPECT_EQ(row(found, 0), stretches({{21, 2.f}, {27, 4.f}}));
  EXPECT_FLOAT_EQ(covered(found), 30.f / 48);
}

TEST(FlowFromMotionVectors, IsZeroWithoutVectorsAndEmptyBelowTwoFrames) {
  const auto none = flow_from_motion_vectors({frame(0), frame(1)}, 16, 48);
  EXPECT_EQ(none.flow.abs().max().item<float>(), 0);
  EXPECT_EQ(covered(none), 0);
  EXPECT_EQ(flow_from_motion_vectors({frame(0)}, 16, 48).flow.size(0), 0);
  EXPECT_EQ(flow_from_motion_vectors({}, 16, 48).covered.numel(), 0);
}

TEST(FlowFromMotionVectors, CountsInPixelsOfTheWantedSize) {
  const auto found = flow_from_motion_vectors(
      {frame(0), frame(1, {came(8, 8, 4, 2), came(24, 8, 4, 2), came(40, 8, 4, 2)})}, 8, 96);
  EXPECT_EQ(row(found, 0), stretches({{96, 8.f}}));
  EXPECT_EQ(row(found, 1), stretches({{96, 1.f}}));
}

TEST(FlowFromMotionVectors, SaysWhatIsWrong) {
  const auto flow = [](const std::vector<BlockMotion>& frames, int64_t h = 16, int64_t w = 48) {
    return message_of([&] { flow_from_motion_vectors(frames, h, w); });
  };
  EXPECT_THAT(flow({frame(1), frame(1)}), HasSubstr("times that rise, got 1 after 1"));
  EXPECT_THAT(flow({frame(std::nan(""))}), HasSubstr("times that rise"));
  EXPECT_THAT(flow({frame(0)}, 0), HasSubstr("48 x 0"));
  EXPECT_THAT(flow({frame(0)}, 16, 20000), HasSubstr("1 to 16384"));
  EXPECT_THAT(flow({BlockMotion{.time = 0}}),
              HasSubstr("size of the picture in pixels, got 0 x 0"));
  EXPECT_THAT(flow({frame(0, {came(8, 8, std::nanf(""), 0)})}), HasSubstr("within 1e+06 pixels"));
  EXPECT_THAT(flow({frame(0, {{0, 0, 0, 0, 0, 16}})}), HasSubstr("1 x 1 pixel or more"));
  EXPECT_THAT(message_of([] { MotionVectorStream(16, 0); }), HasSubstr("MotionVectorStream"));
}

TEST(MotionVectorStream, FollowsThePictureFromOneTakeToTheNext) {
  MotionVectorStream stream(16, 48);
  EXPECT_EQ(stream.take(), 0);
  stream.push(frame(0));
  // The left third goes a third of the picture to the right, the rest stands.
  const auto step = [](double time) {
    return frame(time, {came(24, 8, 16, 0), came(24, 8, 0, 0), came(40, 8, 0, 0)});
  };
  stream.push(step(1));
  EXPECT_FLOAT_EQ(stream.take(), 16.f / 3);
  stream.push(step(2));
  stream.push(step(3));
  EXPECT_FLOAT_EQ(stream.take(), 16.f / 3);  // it has come to what stands
  EXPECT_DOUBLE_EQ(stream.covered(), 1);
  stream.push(frame(4));  // an intra frame moves on as the one before
  EXPECT_FLOAT_EQ(stream.take(), 16.f / 3);
  EXPECT_DOUBLE_EQ(stream.covered(), 0.75);
  EXPECT_EQ(stream.take(), 0);
  EXPECT_THAT(message_of([&] { stream.push(frame(4)); }), HasSubstr("got 4 after 4"));
}

}  // namespace
}  // namespace vmr::video
