// What the packets of a stream say about its length. Internal to media.
#pragma once

#include <cstdint>

#include "media/input.h"

namespace vmr::media::detail {

class StreamExtent {
 public:
  void add(const AVPacket* packet);
  int64_t count() const { return count_; }  // shown packets
  int64_t begin() const { return begin_; }  // ticks, earliest
  int64_t end() const { return end_; }      // ticks, latest end
  // Notes a header that promises over 2 % (and half a second) more than there is.
  void compare_with_claim(Input& input, const AVStream* stream, const char* what) const;

 private:
  int64_t count_ = 0, begin_ = 0, end_ = 0;
};

// The same for a container that gives one length for all its streams; measured: their latest end.
void compare_with_container(Input& input, double measured_end_seconds);

}  // namespace vmr::media::detail
