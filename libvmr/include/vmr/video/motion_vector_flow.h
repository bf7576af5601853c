// Flow from the motion vectors that a film's encoder left in its file: no pixel is looked at, so it
// costs little beside decoding. An encoder looks for what saves bits, not for what moved, so this
// follows the motion of textured pictures and is rough where they are flat; docs/motion_vectors.md
// has figures. Directions and units are optical_flow's.
//
// A vector over several frames is divided by their distance in time. Where several vectors tell of
// a pixel, those over the shortest time count, in equal parts; zeros of frames between their
// references only where no other tells, for there they often hide slow motion. What only vectors
// from the later frame into its future tell of is taken to have moved the same way before. Pixels
// of which no vector tells (intra blocks, what comes into the picture) get the mean of their
// nearest known neighbours. The functions are thread-safe, a stream is not.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace vmr::video {

// Where the encoder found a block of a frame: it is at src in the frame referred to and at dst in
// this one. Centres of the block, pixels.
struct BlockVector {
  float src_x = 0, src_y = 0;
  float dst_x = 0, dst_y = 0;
  int16_t width = 0, height = 0;
  bool from_future = false;  // the frame referred to comes after this one
};

// The vectors of one frame. Times are in any one unit.
struct BlockMotion {
  double time = 0;
  // Of the frames that blocks refer to; NaN where not known: the neighbouring frame is taken.
  double past_time = std::numeric_limits<double>::quiet_NaN();
  double future_time = std::numeric_limits<double>::quiet_NaN();
  int64_t height = 0, width = 0;    // of the picture that positions are in, pixels
  std::vector<BlockVector> blocks;  // none in intra frames
};

struct MotionVectorFlow {
  at::Tensor flow;     // [pairs, 2, h, w] float32, pixels of the h x w picture; right, down
  at::Tensor covered;  // [pairs] float32: share of the pixels of which a vector tells
};

// `frames` in the order of presentation -> the flow from each to the next, at height x width pixels
// whatever the film's size. A pair without any vector (an intra frame) is all zero and covered 0.
// Throws: InvalidArgument for times that do not rise, a size or block out of range.
MotionVectorFlow flow_from_motion_vectors(const std::vector<BlockMotion>& frames, int64_t height,
                                          int64_t width);

// The same frame by frame, for trajectories: vectors of all frames between two kept ones are
// followed from one to the next. A pair without any vector moves as the pair before it. The field
// is kept at a quarter of the size, which is finer than nearly all blocks.
class MotionVectorStream {
 public:
  // Pixels of the picture that lengths are counted in. Throws: InvalidArgument.
  MotionVectorStream(int64_t height, int64_t width);
  ~MotionVectorStream();
  MotionVectorStream(MotionVectorStream&&) noexcept;
  MotionVectorStream& operator=(MotionVectorStream&&) noexcept;

  // The next frame. Throws: as flow_from_motion_vectors.
  void push(BlockMotion frame);
  // The mean length of the way from the frame that was pushed last when this was called before (at
  // first: from the first frame) to the frame pushed last, pixels.
  float take();
  // The mean share of the picture of which a vector told, over all pairs; 0 for none.
  double covered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::video
