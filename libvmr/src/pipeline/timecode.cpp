#include "vmr/pipeline/timecode.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

constexpr char kKnown[] =
    "expected 23.976, 24, 25, 29.97, 29.97ndf, 30, 47.952, 48, 50, 59.94, 59.94ndf, 60 or another "
    "whole number to 60 frames/s";

// Numbers left out in nine of ten minutes.
int64_t dropped(const FrameRate& rate) { return rate.drop_frame ? rate.nominal / 15 : 0; }

}  // namespace

void validate(const FrameRate& rate) {
  VMR_CHECK(rate.nominal >= 1 && rate.nominal <= 60, "FrameRate: nominal is ", rate.nominal,
            ", expected 1 to 60");
  VMR_CHECK(!rate.ntsc || rate.nominal == 24 || rate.nominal == 30 || rate.nominal == 48 ||
                rate.nominal == 60,
            "FrameRate: ntsc with nominal ", rate.nominal, ", expected 24, 30, 48 or 60");
  VMR_CHECK(!rate.drop_frame || (rate.ntsc && rate.nominal % 30 == 0),
            "FrameRate: drop_frame is for 29.97 and 59.94 frames/s only");
}

FrameRate frame_rate_of(double frames_per_second) {
  // Whole rates lie 0.1 % beside the others.
  const auto near = [&](double rate) { return std::abs(frames_per_second / rate - 1) < 2e-4; };
  for (const int nominal : {24, 30, 48, 60}) {
    if (near(nominal * 1000.0 / 1001)) return {nominal, true, nominal % 30 == 0};
  }
  const double whole = std::round(frames_per_second);
  VMR_CHECK(whole >= 1 && whole <= 60 && near(whole), "frame rate is ", frames_per_second, ", ",
            kKnown);
  return {static_cast<int>(whole)};
}

FrameRate parse_frame_rate(const std::string& text) {
  constexpr std::string_view kNonDrop = "ndf";
  const bool non_drop = text.ends_with(kNonDrop);
  const char* end = text.data() + text.size() - (non_drop ? kNonDrop.size() : 0);
  double value = 0;
  const auto read = std::from_chars(text.data(), end, value);
  VMR_CHECK(read.ec == std::errc() && read.ptr == end && std::isfinite(value), "frame rate is \"",
            text, "\", ", kKnown);
  FrameRate rate = frame_rate_of(value);
  VMR_CHECK(!non_drop || rate.drop_frame, "frame rate is \"", text, "\", ", kKnown);
  if (non_drop) rate.drop_frame = false;
  return rate;
}

std::string to_string(const FrameRate& rate) {
  validate(rate);
  if (!rate.ntsc) return std::to_string(rate.nominal);
  const char* number = rate.nominal == 24   ? "23.976"
                       : rate.nominal == 30 ? "29.97"
                       : rate.nominal == 48 ? "47.952"
                                            : "59.94";
  const bool said = rate.nominal % 30 != 0 || rate.drop_frame;
  return std::string(number) + (said ? "" : "ndf");
}

int64_t frame_at(double seconds, const FrameRate& rate) {
  return std::llround(seconds * rate.per_second());
}

std::string timecode(int64_t frame, const FrameRate& rate) {
  validate(rate);
  VMR_CHECK(frame >= 0, "timecode: frame is ", frame, ", expected 0 or more");
  const int64_t left_out = dropped(rate), minute = 60 * rate.nominal - left_out;
  // The first minute of ten leaves out none.
  const int64_t ten_minutes = 10 * minute + left_out;
  int64_t number = frame % (24 * 6 * ten_minutes);
  const int64_t tens = number / ten_minutes, rest = number % ten_minutes;
  number += 9 * left_out * tens;
  if (rest >= minute + left_out) number += left_out * ((rest - left_out) / minute);
  const int64_t seconds = number / rate.nominal;
  char text[64];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d%c%02d", int(seconds / 3600),
                int(seconds / 60 % 60), int(seconds % 60), rate.drop_frame ? ';' : ':',
                int(number % rate.nominal));
  return text;
}

int64_t parse_timecode(const std::string& text, const FrameRate& rate) {
  validate(rate);
  int parts[4] = {};  // hours, minutes, seconds, frames
  bool good = text.size() == 11;
  for (int i = 0; good && i < 4; ++i) {
    const char* begin = text.data() + 3 * i;
    good = std::from_chars(begin, begin + 2, parts[i]).ptr == begin + 2 && parts[i] >= 0 &&
           (i == 3 || begin[2] == ':' || (i == 2 && begin[2] == ';'));
  }
  good = good && parts[0] < 24 && parts[1] < 60 && parts[2] < 60 && parts[3] < rate.nominal;
  VMR_CHECK(good, "timecode is \"", text, "\", expected HH:MM:SS:FF with frames below ",
            rate.nominal);
  const int64_t minutes = int64_t(parts[0]) * 60 + parts[1];
  VMR_CHECK(parts[2] != 0 || parts[3] >= dropped(rate) || minutes % 10 == 0, "timecode is \"", text,
            "\", which drop-frame leaves out; the next is frame ", dropped(rate));
  const int64_t number = (minutes * 60 + parts[2]) * rate.nominal + parts[3];
  return number - dropped(rate) * (minutes - minutes / 10);
}

}  // namespace vmr::pipeline
