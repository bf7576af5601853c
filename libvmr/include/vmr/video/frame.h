// Frame preparation: resize, grey conversion and the clips a video Conformer reads. Frames are
// uint8 RGB in, uint8 out; models scale them. Every function looks at one frame at a time, so a
// batch gives the same bits as its frames one by one. Each result is a new contiguous CPU tensor.
// Letters: n frames, h height, w width in pixels, c channels (interleaved).
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vmr::video {

// How pixels are resampled. "Same bits as X" is tested against X for up, down and odd scales.
enum class ResizeKernel {
  opencv_bilinear,  // INTER_LINEAR on uint8: 2 x 2 neighbours, no antialiasing (flow trajectory)
  opencv_area,      // INTER_AREA on uint8: box mean when shrinking
  // The same two on value / 255 in float32, then times 255 with the fraction cut off: what UT-CMVMR
  // writes to its video store. About half a grey level darker than the uint8 kernels.
  opencv_bilinear_float,
  opencv_area_float,
  pillow_bilinear,  // antialiased triangle, the same bits as Pillow (ResNet, I3D)
  pillow_bicubic,   // antialiased cubic a = -1/2, the same bits as Pillow (CLIP)
};

// Which axis the Pillow kernels shrink first decides the last bit. Pillow up to 12, which made the
// published features, always works along the width first; Pillow 13 along the height first where
// h - height is above 0 and above 2 (w - width), as in a film 640 high and 360 wide -> 224 x 224.
enum class PillowVersion { up_to_12, from_13 };

// `frames` [n, h, w, c] or [h, w, c] uint8, n >= 0 -> the same rank with `height` x `width` pixels.
// The aspect ratio is not kept. The Pillow kernels are our own and always there; Pillow treats each
// channel alone as we do except for alpha, which it premultiplies: pass colour channels only.
// Requires: 1 <= c <= 4; h, w, height, width in 1..32768.
// Throws: InvalidArgument; NotBuilt for an OpenCV kernel in a build without OpenCV.
at::Tensor resize(const at::Tensor& frames, int64_t height, int64_t width, ResizeKernel kernel,
                  PillowVersion pillow = PillowVersion::from_13);

// `frames` [..., 3] uint8 RGB -> [...] uint8 luma (BT.601) in 15-bit fixed point,
//   grey = (9798 R + 19235 G + 3735 B + 16384) >> 15,        (255, 0, 0) -> 76,
// the same bits as OpenCV's RGB2GRAY. `bgr_weights` applies the weights of R and B exchanged, as
// UT-CMVMR's pre-training does to its RGB frames: (255, 0, 0) -> 29.
// Throws: InvalidArgument.
at::Tensor to_grey(const at::Tensor& frames, bool bgr_weights = false);

// Which frames make up the clips of a film of `frames` frames: clip_frames indices per clip, clip
// after clip. Half a clip or less yields nothing; a film of at most one clip is filled up with its
// last frame; a longer one is cut to max_frames, then a remainder of at most half a clip is dropped
// and a larger one filled up.
//   frames = 2 -> {};  3 -> {0,1,2,2};  6 -> {0,1,2,3};  7 -> {0,1,2,3,4,5,6,6};  31 -> 0..27
// Requires: frames >= 0, clip_frames >= 1, max_frames >= 1. Throws: InvalidArgument.
std::vector<int64_t> clip_frame_indices(int64_t frames, int64_t clip_frames = 4,
                                        int64_t max_frames = 30);

struct GreyClipOptions {
  int64_t clip_frames = 4;   // frames side by side in a clip; at 1 frame/s also its seconds
  int64_t max_frames = 30;   // of the film; 30 with clips of 4 gives at most 7 clips
  bool bgr_weights = false;  // see to_grey; true repeats UT-CMVMR's own numbers
};

void validate(const GreyClipOptions& options);

// `frames` [n, h, w, 3] uint8 RGB at the rate the model wants (1/s) -> [clips, h, clip_frames * w]
// uint8: the grey frames of clip_frame_indices, each clip's joined along the width in time order.
// Too few frames give [0, h, clip_frames * w]. Always uint8: a model divides by 255 itself, which
// keeps stored clips at a quarter of the size.
// Throws: InvalidArgument.
at::Tensor grey_clips(const at::Tensor& frames, const GreyClipOptions& options = {});

}  // namespace vmr::video
