#include "media/motion_fields.h"

extern "C" {
#include <libavutil/motion_vector.h>
}

namespace vmr::media::detail {
namespace {

// Packets. No codec here looks back farther than 16, but a decoder with many threads is that many
// behind.
constexpr int64_t kRemembered = 1024;

}  // namespace

MotionFields::MotionFields(const AVStream* stream, Orientation orientation)
    : orientation_(orientation),
      kinds_(stream),
      references_between_(stream->codecpar->codec_id == AV_CODEC_ID_H264),
      tick_seconds_(av_q2d(stream->time_base)) {}

void MotionFields::sent(const AVPacket* packet) {
  if (packet->pts == AV_NOPTS_VALUE) return;
  const int64_t oldest = packets_ - kRemembered;
  const auto forgotten = [oldest](const auto& entry) { return entry.second < oldest; };
  std::erase_if(order_, forgotten);
  std::erase_if(references_, forgotten);
  order_[packet->pts] = packets_;
  if (!kinds_.known() || !kinds_.of(packet).unreferenced) references_[packet->pts] = packets_;
  ++packets_;
}

void MotionFields::find_references(const AVFrame* frame, MotionField& field) {
  const auto own = order_.find(frame->pts);
  if (frame->pts == AV_NOPTS_VALUE || own == order_.end()) return;
  for (const auto& [pts, number] : references_) {
    if (number >= own->second) continue;
    const double seconds = field.seconds + static_cast<double>(pts - frame->pts) * tick_seconds_;
    if (pts < frame->pts) {
      field.past_seconds = seconds;
    } else {
      field.future_seconds = seconds;
      break;
    }
  }
  if (!references_between_ && frame->pict_type == AV_PICTURE_TYPE_B) references_.erase(frame->pts);
}

MotionField MotionFields::of(const AVFrame* frame, double begin, double end) {
  MotionField field;
  field.seconds = begin;
  field.until_seconds = end;
  const bool swap = orientation_.swaps_sides();
  field.width = swap ? frame->height : frame->width;
  field.height = swap ? frame->width : frame->height;
  find_references(frame, field);
  const AVFrameSideData* data = av_frame_get_side_data(frame, AV_FRAME_DATA_MOTION_VECTORS);
  const size_t count = data ? data->size / sizeof(AVMotionVector) : 0;
  const auto* vectors = data ? reinterpret_cast<const AVMotionVector*>(data->data) : nullptr;
  field.vectors.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const AVMotionVector& v = vectors[i];
    const float scale = v.motion_scale > 0 ? 1.f / static_cast<float>(v.motion_scale) : 0.f;
    const auto x = static_cast<float>(v.dst_x), y = static_cast<float>(v.dst_y);
    const auto to = shown_point(orientation_, x, y, frame->width, frame->height);
    const auto from =
        shown_point(orientation_, x + static_cast<float>(v.motion_x) * scale,
                    y + static_cast<float>(v.motion_y) * scale, frame->width, frame->height);
    field.vectors.push_back({from[0], from[1], to[0], to[1], static_cast<int16_t>(swap ? v.h : v.w),
                             static_cast<int16_t>(swap ? v.w : v.h),
                             static_cast<int16_t>(v.source)});
  }
  return field;
}

}  // namespace vmr::media::detail
