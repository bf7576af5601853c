// Optical flow of neighbouring frames, 320 x 240, 3 frames/s of the 360p film; peer: the same calls
// of OpenCV from Python on the same pixels (flow_frames.raw).
#include <fstream>

#include "bench_case.h"
#include "bench_media.h"
#include "vmr/media/video_reader.h"
#include "vmr/video/frame.h"
#include "vmr/video/optical_flow.h"

int main(int argc, char** argv) {
  using namespace vmr;
  media::FrameJob job;
  job.fps = 3;
  job.max_frames = 9;
  job.prepare = [](const at::Tensor& rgb) {
    return video::to_grey(video::resize(rgb, 240, 320, video::ResizeKernel::opencv_bilinear));
  };
  const auto grey = media::read_frames(bench::film(360, 12), job).pixels;
  std::ofstream(bench::media_folder() / "flow_frames.raw", std::ios::binary)
      .write(reinterpret_cast<const char*>(grey.const_data_ptr<uint8_t>()), grey.numel());
  const std::pair<const char*, video::FlowMethod> methods[] = {
      {"farneback", video::FlowMethod::farneback},
      {"dis medium", video::FlowMethod::dis_medium},
      {"dis fast", video::FlowMethod::dis_fast},
      {"dis ultrafast", video::FlowMethod::dis_ultrafast}};
  for (const auto& [name, method] : methods) {
    for (const int threads : {1, 2}) {
      bench::add({name, threads, "pairs/s", double(grey.size(0) - 1)},
                 [grey, method = method, threads] {
                   video::optical_flow(grey, {.method = method, .threads = threads});
                 });
    }
  }
  return bench::run(argc, argv);
}
