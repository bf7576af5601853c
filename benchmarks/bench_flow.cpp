// Optical flow of neighbouring frames, 3 frames/s of the 360p film at several sizes, one pair and a
// run of them; peer: the same calls of OpenCV from Python on the same pixels (flow_<size>.raw).
#include <fstream>
#include <string>

#include "bench_case.h"
#include "bench_media.h"
#include "vmr/media/video_reader.h"
#include "vmr/video/frame.h"
#include "vmr/video/optical_flow.h"

namespace {

using namespace vmr;

at::Tensor frames_of(int64_t width, int64_t height, int64_t count) {
  media::FrameJob job;
  job.fps = 3;
  job.max_frames = count;
  job.prepare = [=](const at::Tensor& rgb) {
    return video::to_grey(video::resize(rgb, height, width, video::ResizeKernel::opencv_bilinear));
  };
  const auto grey = media::read_frames(bench::film(360, 12), job).pixels;
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  std::ofstream(bench::media_folder() / ("flow_" + size + ".raw"), std::ios::binary)
      .write(reinterpret_cast<const char*>(grey.const_data_ptr<uint8_t>()), grey.numel());
  return grey;
}

void add(const std::string& name, const at::Tensor& grey, video::FlowMethod method) {
  for (const int threads : {1, 2}) {
    bench::add({name, threads, "pairs/s", double(grey.size(0) - 1)},
               [=] { video::optical_flow(grey, {.method = method, .threads = threads}); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Of 1080p 8: 64 fields would take a gigabyte and OpenCV half a minute, for the same rate.
  const struct {
    int64_t width, height, pairs;
  } sizes[] = {{224, 224, 64}, {320, 240, 64}, {640, 480, 64}, {1920, 1080, 8}};
  for (const auto& [width, height, pairs] : sizes) {
    const auto grey = frames_of(width, height, pairs + 1);
    const std::string size = std::to_string(width) + "x" + std::to_string(height);
    add("farneback " + size + ", 1 pair", grey.slice(0, 0, 2), video::FlowMethod::farneback);
    add("farneback " + size + ", " + std::to_string(grey.size(0) - 1) + " pairs", grey,
        video::FlowMethod::farneback);
    if (width != 320) continue;
    const auto few = grey.slice(0, 0, 9);
    add("dis medium " + size, few, video::FlowMethod::dis_medium);
    add("dis fast " + size, few, video::FlowMethod::dis_fast);
    add("dis ultrafast " + size, few, video::FlowMethod::dis_ultrafast);
  }
  return bench::run(argc, argv);
}
