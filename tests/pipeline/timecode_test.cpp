// Pins timecode to hand-worked numbers at all rates that editors use, and both ways to each other.
#include "vmr/pipeline/timecode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

std::string at(int64_t frame, const char* rate) { return timecode(frame, parse_frame_rate(rate)); }

TEST(Timecode, WholeRatesCountPlainly) {
  EXPECT_EQ(at(0, "25"), "00:00:00:00");
  EXPECT_EQ(at(24, "25"), "00:00:00:24");
  EXPECT_EQ(at(25, "25"), "00:00:01:00");
  EXPECT_EQ(at(25 * 3661 + 7, "25"), "01:01:01:07");
  EXPECT_EQ(at(60 * 59 + 59, "60"), "00:00:59:59");
  EXPECT_EQ(at(24 * 86400 - 1, "24"), "23:59:59:23");
  EXPECT_EQ(at(24 * 86400, "24"), "00:00:00:00");  // a new day
}

TEST(Timecode, FilmRateDropsNothing) {
  EXPECT_EQ(at(1440, "23.976"), "00:01:00:00");
  // An hour on the clock is 86313.7 frames: 3.6 s behind, 86 frames.
  EXPECT_EQ(frame_at(3600, parse_frame_rate("23.976")), 86314);
  EXPECT_EQ(at(86314, "23.976"), "00:59:56:10");
}

TEST(Timecode, DropFrameLeavesOutTwoNumbersOfNineMinutesInTen) {
  EXPECT_EQ(at(1799, "29.97"), "00:00:59;29");
  EXPECT_EQ(at(1800, "29.97"), "00:01:00;02");
  EXPECT_EQ(at(3597, "29.97"), "00:01:59;29");  // 1798 frames later
  EXPECT_EQ(at(3598, "29.97"), "00:02:00;02");
  EXPECT_EQ(at(17981, "29.97"), "00:09:59;29");
  EXPECT_EQ(at(17982, "29.97"), "00:10:00;00");  // the tenth minute keeps all
  EXPECT_EQ(at(17982 + 1799, "29.97"), "00:10:59;29");
  EXPECT_EQ(at(17982 + 1800, "29.97"), "00:11:00;02");
  EXPECT_EQ(at(107892, "29.97"), "01:00:00;00");
  // An hour on the clock: 107892.1 frames.
  EXPECT_EQ(frame_at(3600, parse_frame_rate("29.97")), 107892);
  EXPECT_EQ(at(24 * 107892 - 1, "29.97"), "23:59:59;29");
  EXPECT_EQ(at(1800, "29.97ndf"), "00:01:00:00");
  EXPECT_EQ(at(107892, "29.97ndf"), "00:59:56:12");
}

TEST(Timecode, DropFrameAtTwiceTheRateLeavesOutFour) {
  EXPECT_EQ(at(3599, "59.94"), "00:00:59;59");
  EXPECT_EQ(at(3600, "59.94"), "00:01:00;04");
  EXPECT_EQ(at(35963, "59.94"), "00:09:59;59");
  EXPECT_EQ(at(35964, "59.94"), "00:10:00;00");
  EXPECT_EQ(at(215784, "59.94"), "01:00:00;00");
  EXPECT_EQ(at(3600, "59.94ndf"), "00:01:00:00");
}

TEST(Timecode, EveryFrameReadsBackToItself) {
  for (const char* name : {"23.976", "25", "29.97", "29.97ndf", "59.94", "60"}) {
    const FrameRate rate = parse_frame_rate(name);
    EXPECT_EQ(to_string(rate), name);
    std::string last;
    for (int64_t frame = 0; frame < 80000; ++frame) {
      const std::string text = timecode(frame, rate);
      ASSERT_EQ(parse_timecode(text, rate), frame) << name << " " << text;
      ASSERT_LT(last, text) << name;
      last = text;
    }
  }
}

TEST(Timecode, RatesOfFilmsAreRecognised) {
  EXPECT_EQ(to_string(frame_rate_of(24000.0 / 1001)), "23.976");
  EXPECT_EQ(to_string(frame_rate_of(30000.0 / 1001)), "29.97");
  EXPECT_EQ(to_string(frame_rate_of(29.9701)), "29.97");
  EXPECT_EQ(to_string(frame_rate_of(30)), "30");
  EXPECT_EQ(to_string(frame_rate_of(24.001)), "24");
  EXPECT_EQ(to_string(frame_rate_of(15)), "15");
  EXPECT_FALSE(frame_rate_of(24000.0 / 1001).drop_frame);
}

TEST(Timecode, WhatIsNoTimecodeIsRefused) {
  for (const char* text : {"24.5", "ndf", "25ndf", "abc", "", "61", "nan", "-25", "25 "}) {
    EXPECT_THROW(parse_frame_rate(text), InvalidArgument) << text;
  }
  EXPECT_THROW(validate({25, true, false}), InvalidArgument);
  EXPECT_THROW(validate({24, true, true}), InvalidArgument);
  EXPECT_THROW(timecode(-1, {}), InvalidArgument);
  for (const char* text : {"00:00:00:25", "0:00:00:00", "00:60:00:00", "24:00:00:00", "00:00:-1:00",
                           "00;00:00:00", "00:00:00:00 "}) {
    EXPECT_THROW(parse_timecode(text, {}), InvalidArgument) << text;
  }
  try {
    parse_timecode("00:01:00;01", parse_frame_rate("29.97"));
    FAIL() << "took a number that is left out";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("drop-frame leaves out; the next is frame 2"));
  }
  EXPECT_EQ(parse_timecode("00:10:00:00", parse_frame_rate("29.97")), 17982);
}

}  // namespace
}  // namespace vmr::pipeline
