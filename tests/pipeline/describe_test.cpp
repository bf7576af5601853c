// Pins `describe`: every listed feature can be made, has one time a row, and unknown names help.
#include "vmr/pipeline/describe.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/films.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

TEST(Describe, MakesEveryFeatureItLists) {
  test::TempFolder folder;
  test::write_square_film(folder / "film.mp4", 150, 2, 1);
  for (const auto& [name, text] : describable_features()) {
    const auto track = describe(folder / "film.mp4", name).track;
    EXPECT_NO_THROW(validate(track)) << name;
    EXPECT_FALSE(text.empty());
  }
  // 6 s at 16 kHz: 1 + (96000 - 400) / 160 frames.
  const auto fbank = describe(folder / "film.mp4", "fbank").track;
  EXPECT_EQ(fbank.values.sizes(), (std::vector<int64_t>{598, 80}));
  EXPECT_NEAR(fbank.times.at(100).start_seconds, 1.0, 1e-9);
}

TEST(Describe, SaysWhatIsWrongWithTheFile) {
  test::TempFolder folder;
  test::write_square_film(folder / "film.mp4", 400, 2, 1);
  EXPECT_TRUE(describe(folder / "film.mp4", "flow").problems.empty());
  std::filesystem::resize_file(folder / "film.mp4",
                               std::filesystem::file_size(folder / "film.mp4") * 3 / 4);
  for (const char* feature : {"flow", "onset", "rhythm"}) {
    EXPECT_FALSE(describe(folder / "film.mp4", feature).problems.empty()) << feature;
  }
}

TEST(Describe, NamesTheNearestFeature) {
  EXPECT_THAT(
      [] { describe("none.mp4", "fbanc"); },
      testing::ThrowsMessage<InvalidArgument>(testing::HasSubstr("did you mean \"fbank\"?")));
}

TEST(ToCsv, WritesTimesAndValuesOfEachRow) {
  const FeatureTrack track{at::tensor({1.5, 2.0, 3.0, 4.0}, at::kDouble).view({2, 2}),
                           RowTimes::regular(2, 0, 0.5, 1),
                           {}};
  EXPECT_EQ(to_csv(track), "start_seconds,end_seconds,v0,v1\n0,1,1.5,2\n0.5,1.5,3,4\n");
}

TEST(ToCsv, WritesMomentsOnce) {
  const FeatureTrack cuts{
      at::tensor({1.5, 2.0}, at::kDouble), RowTimes::explicit_rows({{1.5, 1.5}, {2.0, 2.0}}), {}};
  EXPECT_TRUE(is_moments(cuts));
  EXPECT_EQ(to_csv(cuts), "seconds\n1.5\n2\n");
  const FeatureTrack curve{cuts.values, RowTimes::regular(2, 0, 1, 1), {}};
  EXPECT_FALSE(is_moments(curve));
}

}  // namespace
}  // namespace vmr::pipeline
