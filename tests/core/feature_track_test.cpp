// Pins row times, the checks of a track and what a provenance fingerprint depends on.
#include "vmr/core/feature_track.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "vmr/core/error.h"

namespace vmr {
namespace {

TEST(RowTimes, RegularGridIsHalfOpenAndStartsWhereToldTo) {
  const auto times = RowTimes::regular(3, 0.5, 0.25, 1.0);
  EXPECT_EQ(times.size(), 3);
  EXPECT_EQ(times.at(2), (Interval{1.0, 2.0}));
  EXPECT_TRUE(times.at(0).contains(0.5));
  EXPECT_FALSE(times.at(0).contains(1.5));
  EXPECT_THROW(times.at(3), InvalidArgument);
}

TEST(RowTimes, ExplicitRowsRefuseAnEndBeforeItsStart) {
  EXPECT_THROW(RowTimes::explicit_rows({{2.0, 1.0}}), InvalidArgument);
  EXPECT_EQ(RowTimes::explicit_rows({{0, 1}, {5, 6}}).at(1), (Interval{5, 6}));
}

TEST(FeatureTrack, RefusesRowsWithoutTimes) {
  FeatureTrack track{at::zeros({2, 3}), RowTimes::regular(3, 0, 1, 1), {}};
  EXPECT_THROW(validate(track), InvalidArgument);
  track.times = RowTimes::regular(2, 0, 1, 1);
  EXPECT_NO_THROW(validate(track));
  track.values = at::zeros({3, 2}).t();
  EXPECT_THROW(validate(track), InvalidArgument);
}

TEST(Provenance, FingerprintIgnoresTheMediaAndNothingElse) {
  const Provenance base{"fbank", "1", "{}", "", "a"};
  auto other = base;
  other.media_hash = "b";
  EXPECT_EQ(base.fingerprint(), other.fingerprint());
  for (auto field : {&Provenance::extractor, &Provenance::version, &Provenance::options,
                     &Provenance::weights_hash}) {
    auto changed = base;
    changed.*field += "x";
    EXPECT_NE(base.fingerprint(), changed.fingerprint());
  }
}

}  // namespace
}  // namespace vmr
