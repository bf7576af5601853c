// One pass over a media file for everything that is wanted from it: sound, any number of frame
// jobs, motion vectors. A frame that several jobs take is decoded once, and converted once a size.
//
// Where frames are wanted at a low rate, what no wanted frame depends on is not decoded: whole
// groups of pictures between wanted frames, the rest of a group after its last wanted frame, and
// H.264 frames that nothing refers to. The result is the same bits as full decoding; a file where
// this cannot be known (other codecs, damage) is decoded in full. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "vmr/media/audio_reader.h"
#include "vmr/media/video_reader.h"

namespace vmr::media {

// Where the encoder found a block: it moved from src to dst. Pixels of the frame as shown (after
// rotation), centre of the block; quarter pixels kept where the codec has them.
struct MotionVector {
  float src_x = 0, src_y = 0;
  float dst_x = 0, dst_y = 0;
  int16_t width = 0, height = 0;  // of the block
  int16_t source = 0;             // below 0: a frame before this one; above 0: one after it
};

struct MotionField {
  double seconds = 0, until_seconds = 0;  // when the frame begins and ends
  int width = 0, height = 0;              // pixels, as shown
  // When the nearest frames begin that its blocks can refer to; NaN where there is none or the file
  // has no time stamps. H.264 lets a block refer to a farther one, which FFmpeg does not tell.
  double past_seconds = std::numeric_limits<double>::quiet_NaN();
  double future_seconds = std::numeric_limits<double>::quiet_NaN();
  std::vector<MotionVector> vectors;  // empty for intra frames and codecs without export
};

struct DecodePlan {
  std::optional<AudioOptions> audio;
  std::vector<FrameJob> frame_jobs;
  // Of every frame (H.264, MPEG-4, MPEG-2 ...); decodes in full. Without frame_jobs what only
  // pixels need is left out.
  bool motion_vectors = false;
  // Where given, gets each frame's motion in the order of presentation, on the calling thread, and
  // returns whether it wants more; Decoded::motion stays empty. An hour of 1080p holds some 30 GB.
  std::function<bool(MotionField)> on_motion;
  // Of the video decoder; changes speed only. 0: one per core. Motion vectors come from a decoder
  // that shares out slices, so they gain from threads only where frames have several slices.
  int threads = 1;
  bool decode_all = false;  // never skip; changes speed only
  // Called before a file is decoded again from its beginning, because damage was found where frames
  // were skipped: a `prepare` with a memory of earlier frames forgets them here.
  std::function<void()> on_restart;
};

struct Decoded {
  std::optional<Audio> audio;
  std::vector<Frames> frames;  // one per job, in order
  std::vector<MotionField> motion;
  std::vector<std::string> problems;  // what was wrong with the file, one sentence each
  int64_t frames_decoded = 0;         // by the video decoder: what skipping saved shows here
};

// Throws: InvalidArgument for a field out of range, or a plan that asks for nothing.
void validate(const DecodePlan& plan);

// A damaged file gives what can be decoded and says so in `problems`.
// Throws: MediaError where something asked for is not there at all; InvalidArgument for a plan out
// of range; Error when stopped.
Decoded decode(const std::filesystem::path& path, const DecodePlan& plan,
               std::stop_token stop = {});

}  // namespace vmr::media
