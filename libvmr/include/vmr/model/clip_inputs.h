// What models share that read items clip by clip: which features of films and tracks they take and
// the embeddings of rhythm and flow classes that are added to them. The settings of the UT-CMVMR
// paper (arXiv 2309.09421) are choices among these: AE and A-SE leave rhythm and flow out, SE&R
// adds them. A plain value: safe to share between threads for reading.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmr::model {

struct ClipInputOptions {
  // Feature names. Clip features are [clips, dim] float32, rhythm [clips, 3] and flow [clips] int64
  // classes.
  std::string music = "conformer_audio", video = "conformer_video";
  std::string rhythm = "rhythm", flow = "clip_flow";
  int64_t music_dim = 512, video_dim = 512;
  bool rhythm_flow = true;  // add rhythm and flow; needs music_dim divisible by 4
  int64_t max_clips = 7;    // longer items keep their first clips
  double clip_seconds = 4.0;
  std::vector<int64_t> rhythm_classes = {18, 49, 65};  // beats, strength, interval
  int64_t flow_classes = 65;
};

}  // namespace vmr::model
