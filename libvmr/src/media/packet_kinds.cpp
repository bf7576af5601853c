#include "media/packet_kinds.h"

namespace vmr::media::detail {

PacketKinds::PacketKinds(const AVStream* stream) {
  const AVCodecParameters* parameters = stream->codecpar;
  // Two fields in two packets make one frame there: packets and frames are not one to one.
  const bool interlaced = parameters->field_order != AV_FIELD_UNKNOWN &&
                          parameters->field_order != AV_FIELD_PROGRESSIVE;
  const bool has_configuration = parameters->extradata_size > 22 && parameters->extradata[0] == 1;
  switch (parameters->codec_id) {
    case AV_CODEC_ID_H264:
      codec_ = interlaced ? Codec::other : Codec::h264;
      if (has_configuration) length_bytes_ = (parameters->extradata[4] & 3) + 1;
      break;
    case AV_CODEC_ID_HEVC:
      codec_ = interlaced ? Codec::other : Codec::hevc;
      if (has_configuration) length_bytes_ = (parameters->extradata[21] & 3) + 1;
      break;
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_PNG:
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_DNXHD:
      codec_ = interlaced ? Codec::other : Codec::self_contained_keys;
      break;
    default:
      break;
  }
}

// Calls visit(first bytes, bytes left) for each NAL unit; false where the packet is malformed.
template <typename Visit>
bool PacketKinds::for_each_unit(const AVPacket* packet, Visit visit) const {
  const uint8_t* data = packet->data;
  const int64_t size = packet->size;
  if (length_bytes_ > 0) {
    int64_t place = 0;
    while (place + length_bytes_ <= size) {
      int64_t length = 0;
      for (int i = 0; i < length_bytes_; ++i) length = length << 8 | data[place + i];
      place += length_bytes_;
      if (length > size - place) return false;
      if (length > 0) visit(data + place);
      place += length;
    }
    return place == size;
  }
  for (int64_t i = 0; i + 3 < size; ++i) {
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) {
      visit(data + i + 3);
      i += 2;
    }
  }
  return true;
}

PacketKind PacketKinds::of(const AVPacket* packet) const {
  const bool key = packet->flags & AV_PKT_FLAG_KEY;
  PacketKind kind;
  if (codec_ == Codec::self_contained_keys) {
    kind.fresh_start = key;
    return kind;
  }
  int pictures = 0, fresh = 0, referenced = 0;
  const bool whole = for_each_unit(packet, [&](const uint8_t* unit) {
    if (codec_ == Codec::h264) {
      const int type = unit[0] & 31;
      if (type < 1 || type > 5) return;
      ++pictures;
      fresh += type == 5;
      referenced += (unit[0] >> 5 & 3) != 0;
    } else {
      const int type = unit[0] >> 1 & 63;
      if (type > 31) return;
      ++pictures;
      fresh += type == 19 || type == 20;  // IDR without and with leading pictures that decode
      ++referenced;  // a frame that its own sub-layer does not use may still be used by another
    }
  });
  if (!whole || pictures == 0) return kind;
  kind.fresh_start = key && fresh == pictures;
  kind.unreferenced = referenced == 0;
  return kind;
}

}  // namespace vmr::media::detail
