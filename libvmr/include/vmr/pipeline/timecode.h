// Timecode HH:MM:SS:FF after SMPTE ST 12-1: frames counted in whole "seconds" of 24, 25, 30 ...
// frames. At 24000/1001, 30000/1001 and 60000/1001 frames/s such a second lasts 1.001 s, so the
// count falls behind the clock by 3.6 s an hour. Drop-frame timecode (29.97 and 59.94 only) keeps
// up with it: each minute but every tenth leaves out its first 2 (of 60: 4) numbers; no frame is
// lost. It is written with ';' before the frames. Plain functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace vmr::pipeline {

struct FrameRate {
  int nominal = 25;         // frames counted as a second, 1 to 60
  bool ntsc = false;        // plays at nominal * 1000 / 1001; nominal is 24, 30, 48 or 60
  bool drop_frame = false;  // ntsc and nominal 30 or 60

  double per_second() const { return ntsc ? nominal * 1000.0 / 1001 : nominal; }
};

// Throws: InvalidArgument for a rate that is none of those above.
void validate(const FrameRate& rate);

// "25", "23.976", "29.97" and "59.94" (drop-frame), "29.97ndf" and "59.94ndf" (not), "30".
// Throws: InvalidArgument with the list of known rates.
FrameRate parse_frame_rate(const std::string& text);
// The rate within 0.02 % of a film's; drop-frame where there is one. Throws: as above.
FrameRate frame_rate_of(double frames_per_second);
// What parse_frame_rate reads: "29.97".
std::string to_string(const FrameRate& rate);

// The frame that begins nearest to a time. 0 s: frame 0.
int64_t frame_at(double seconds, const FrameRate& rate);

// Frame 1800 at 29.97 drop-frame: "00:01:00;02". After 24 hours it begins again.
// Requires: frame >= 0. Throws: InvalidArgument.
std::string timecode(int64_t frame, const FrameRate& rate);
// The frame a timecode names; ':' and ';' are read alike.
// Throws: InvalidArgument for other text, and for numbers that drop-frame leaves out.
int64_t parse_timecode(const std::string& text, const FrameRate& rate);

}  // namespace vmr::pipeline
