// Which packets of a video stream can be left out of decoding without changing any other frame.
// Internal to media.
#pragma once

#include <cstdint>

#include "media/ffmpeg_handles.h"

namespace vmr::media::detail {

struct PacketKind {
  // Nothing from here on refers to anything before, and nothing from here on is shown earlier.
  bool fresh_start = false;
  // No other frame refers to this one.
  bool unreferenced = false;
};

// H.264 and HEVC are read down to their NAL units, because a container's key-frame flag also stands
// for pictures that are no clean start (open groups, recovery points).
class PacketKinds {
 public:
  explicit PacketKinds(const AVStream* stream);

  // Whether this codec's packets can be told apart at all.
  bool known() const { return codec_ != Codec::other; }
  PacketKind of(const AVPacket* packet) const;

 private:
  enum class Codec { h264, hevc, self_contained_keys, other };
  template <typename Visit>
  bool for_each_unit(const AVPacket* packet, Visit visit) const;

  Codec codec_ = Codec::other;
  int length_bytes_ = 0;  // before each NAL unit; 0: start codes
};

}  // namespace vmr::media::detail
