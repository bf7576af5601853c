// Optical flow of neighbouring frames, 3 frames/s of the 360p film at several sizes, one pair and a
// run of them; peer: the same calls of OpenCV from Python on the same pixels (flow_<size>.raw).
#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

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

// Farneback's with the default options, a pair of a run (docs/design/0007-own-farneback.md): three
// iterations, the expansion and the pyramid of each level's pixels.
double operations(int64_t width, int64_t height) {
  double pixels = 0;
  for (int level = 0; level <= 3 && (std::min(width, height) >> level) >= 32; ++level) {
    pixels += double((width >> level) * (height >> level));
  }
  return pixels * (3 * 142 + 137 + 30);
}

void add(const std::string& name, const at::Tensor& grey, video::FlowMethod method,
         double operations = 0) {
  for (const int threads : {1, 2}) {
    bench::add({.name = name,
                .threads = threads,
                .unit = "pairs/s",
                .items = double(grey.size(0) - 1),
                .operations = operations},
               [=] { video::optical_flow(grey, {.method = method, .threads = threads}); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Of 1080p 8: 64 fields would take a gigabyte and OpenCV half a minute, for the same rate.
  const struct {
    int64_t width, height, pairs;
  } sizes[] = {{224, 224, 64}, {320, 240, 64}, {640, 480, 64}, {1920, 1080, 8}};
  const std::pair<const char*, video::FlowMethod> others[] = {
      {"farneback_opencv ", video::FlowMethod::farneback_opencv},
      {"dis medium ", video::FlowMethod::dis_medium},
      {"dis fast ", video::FlowMethod::dis_fast},
      {"dis ultrafast ", video::FlowMethod::dis_ultrafast}};
  for (const auto& [width, height, pairs] : sizes) {
    const auto grey = frames_of(width, height, pairs + 1);
    const std::string size = std::to_string(width) + "x" + std::to_string(height);
    const auto one = grey.slice(0, 0, 2), few = grey.slice(0, 0, 9);
    const double work = operations(width, height);
    add("farneback " + size + ", 1 pair", one, video::FlowMethod::farneback, work);
    add("farneback " + size + ", " + std::to_string(grey.size(0) - 1) + " pairs", grey,
        video::FlowMethod::farneback, work);
    for (const auto& [name, method] : others) {
      add(name + size + ", 1 pair", one, method);
      add(name + size + ", 8 pairs", few, method);
    }
  }
  return bench::run(argc, argv);
}
