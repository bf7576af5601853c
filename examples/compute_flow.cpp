// How much a film moves: mean optical flow between frames a third of a second apart.
// example_compute_flow film.mp4
#include <cstdio>

#include "vmr/core/error.h"
#include "vmr/media/video_reader.h"
#include "vmr/video/frame.h"
#include "vmr/video/trajectory.h"

int main(int argc, char** argv) {
  using namespace vmr;
  if (argc != 2) {
    std::fprintf(stderr, "usage: example_compute_flow FILM\n");
    return 2;
  }
  try {
    media::FrameJob job;
    job.fps = 3;
    // Called for each needed frame, so that only small grey pictures are kept.
    job.prepare = [](const at::Tensor& rgb) {
      return video::to_grey(video::resize(rgb, 240, 320, video::ResizeKernel::opencv_bilinear));
    };
    const auto frames = media::read_frames(argv[1], job);
    const auto pixels = video::flow_trajectory(frames.pixels);
    for (int64_t i = 0; i < pixels.size(0); ++i) {
      std::printf("%.3f s  %.3f pixels\n", frames.requested_seconds[size_t(i)],
                  double(pixels.const_data_ptr<float>()[i]));
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
