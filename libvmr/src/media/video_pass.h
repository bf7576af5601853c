// The video side of a decoding pass: packets in, taken frames out. Internal to media.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "media/frame_scheduler.h"
#include "media/frame_sink.h"
#include "media/input.h"
#include "media/motion_fields.h"
#include "media/packet_kinds.h"
#include "vmr/media/decode.h"

namespace vmr::media::detail {

// Thrown by a skipping pass where skipping cannot be known to be exact: decode the file in full.
struct NeedsFullDecode {};

class VideoPass {
 public:
  VideoPass(Input& input, const DecodePlan& plan, bool skipping);

  // Whether skipping is worth trying for this file and plan.
  static bool may_skip(const Input& input, const DecodePlan& plan);

  void add(const AVPacket* packet);
  void end();
  bool finished() const;
  void collect(Decoded& decoded);

 private:
  struct Pending {  // a packet of the group being gathered
    PacketHandle packet;
    PacketKind kind;
  };
  struct Wanted {
    double begin, end;
    std::vector<Take> takes;
  };
  // Full decoding.
  void send(const AVPacket* packet);
  void receive_all();
  void receive(AVFrame* frame);
  void hold(AVFrame* frame, double begin);
  void show_held(double end, bool last);
  double length_of(int64_t ticks) const;
  // Skipping.
  void gather(const AVPacket* packet);
  void decode_group(bool last, int64_t next_pts);
  std::map<int64_t, Wanted> wanted_of_group(bool last, int64_t next_pts);

  Input& input_;
  const DecodePlan& plan_;
  const bool skipping_;
  AVStream* stream_;
  CodecHandle codec_;
  Orientation orientation_;
  FrameScheduler scheduler_;
  FrameSink sink_;
  FrameHandle frame_, held_;
  FrameHandle ahead_;  // after a long pause: shown once a frame follows it, or at the end
  std::optional<double> held_begin_, ahead_begin_;
  double shown_until_ = 0;
  PacketKinds kinds_;
  std::vector<Pending> group_;
  int64_t group_bytes_ = 0;
  bool wants_motion_;
  std::optional<MotionFields> fields_;
  std::vector<MotionField> motion_;
  int64_t decoded_ = 0, undecodable_ = 0, misplaced_ = 0;
  int misplaced_in_a_row_ = 0;
  double clock_shift_ = 0;  // seconds added to time stamps after they jumped
};

}  // namespace vmr::media::detail
