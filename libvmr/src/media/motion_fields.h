// Motion vectors of decoded frames in the shown picture, and when the frames they refer to begin.
// FFmpeg says of a vector only whether its reference comes before or after. Taken is the nearest
// frame on that side which was decoded earlier and which others may refer to: encoders number their
// references by that order, and nearly all blocks use the first. Internal to media.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "media/frame_converter.h"
#include "media/packet_kinds.h"
#include "vmr/media/decode.h"

namespace vmr::media::detail {

class MotionFields {
 public:
  MotionFields(const AVStream* stream, Orientation orientation);

  // Every packet, in the order of decoding, before its frame is asked for.
  void sent(const AVPacket* packet);
  // Of the frame shown in [begin, end) seconds; frames come in the order of presentation.
  MotionField of(const AVFrame* frame, double begin, double end);

 private:
  void find_references(const AVFrame* frame, MotionField& field);

  Orientation orientation_;
  PacketKinds kinds_;
  bool references_between_;  // frames between others may be referred to themselves (H.264)
  double tick_seconds_;
  int64_t packets_ = 0;
  std::map<int64_t, int64_t> order_;       // time stamp -> number of the packet
  std::map<int64_t, int64_t> references_;  // those of order_ that others may refer to
};

}  // namespace vmr::media::detail
