// A 30 s film to 1 frame/s of 224 x 224; of one film also 3 frames/s of 320 x 240, and both from
// one pass. Peers: torchcodec, OpenCV's VideoCapture, the ffmpeg program without non-reference
// frames.
#include "bench_case.h"
#include "bench_media.h"
#include "vmr/media/decode.h"

int main(int argc, char** argv) {
  using namespace vmr;
  media::FrameJob stills, motion;
  stills.fps = 1;
  stills.width = stills.height = 224;
  motion.fps = 3;
  motion.width = 320;
  motion.height = 240;
  for (const int height : {720, 360}) {
    for (const int gop : {12, 250}) {
      const auto path = bench::film(height, gop);
      const auto name = std::to_string(height) + "p gop " + std::to_string(gop);
      const auto add = [&](const std::string& suffix, std::vector<media::FrameJob> jobs) {
        media::DecodePlan plan;
        plan.frame_jobs = std::move(jobs);
        bench::add({name + suffix, 1, "films/s"}, [path, plan] { media::decode(path, plan); });
      };
      add("", {stills});
      if (height == 360 && gop == 12) {
        add(", 3 fps", {motion});
        add(", 1 and 3 fps", {stills, motion});
      }
    }
  }
  return bench::run(argc, argv);
}
