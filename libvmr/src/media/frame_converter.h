// Turns decoded frames into RGB as shown: colour matrix and range of the file, rotation, size.
// Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "media/ffmpeg_handles.h"

namespace vmr::media::detail {

// How the stored picture lies in the shown one: shown = flip(turned(stored)).
struct Orientation {
  int degrees = 0;       // clockwise turn: 0, 90, 180, 270
  bool flipped = false;  // mirrored left to right after the turn
  bool exact = true;     // false: the file asked for another angle, the nearest is taken

  bool swaps_sides() const { return degrees == 90 || degrees == 270; }
};

// From the stream's display matrix; the identity where there is none.
Orientation orientation_of(const AVStream* stream);

// A point of the stored picture of this size, in the shown picture.
std::array<float, 2> shown_point(const Orientation& orientation, float x, float y, int width,
                                 int height);

// Keeps one scaler and one buffer per size asked for, and what it made of the current frame.
class FrameConverter {
 public:
  explicit FrameConverter(Orientation orientation) : orientation_(orientation) {}

  // Forgets the results for the frame before; `frame` must stay alive until the next call.
  void begin(const AVFrame* frame);
  // [height, width, 3] uint8, valid until the next begin(); 0 x 0: as stored, where later frames of
  // another size follow the first one's. Throws: MediaError.
  const at::Tensor& rgb(int width, int height);

 private:
  struct Source {
    int width = 0, height = 0, format = 0, colorspace = 0, range = 0;
    bool operator==(const Source&) const = default;
  };
  struct Size {
    int width, height;  // asked for
    at::Tensor result;
    Source source;  // what the scaler was made for
    ScalerHandle scaler;
    bool current = false;
  };
  void prepare_scaler(Size& size, int width, int height);
  void convert(Size& size, int width, int height);

  Orientation orientation_;
  const AVFrame* frame_ = nullptr;
  int first_width_ = 0, first_height_ = 0;  // as shown
  std::vector<Size> sizes_;
  std::vector<uint8_t> scratch_;
};

}  // namespace vmr::media::detail
