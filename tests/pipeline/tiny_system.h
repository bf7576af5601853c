// The smallest system that goes the whole way: a recipe and a library which train in seconds.
#pragma once

#include <nlohmann/json.hpp>

#include "vmr/synth/library.h"

namespace vmr::test {

inline nlohmann::json tiny_recipe() {
  return nlohmann::json::parse(R"({
    "name": "tiny",
    "extract": {"frames": {"size": [32, 48]},
      "features": {"fbank": {}, "rhythm": {}, "beats": {}, "grey_clips": {},
                   "clip_flow": {"method": "dis_ultrafast"}}},
    "pretrain": {
      "audio": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1, "batch": 16},
      "video": {"dim": 16, "layers": 1, "heads": 2, "kernel": 7, "epochs": 1, "batch": 16}},
    "model": {"kind": "ut_cmvmr", "theta_dim": 8, "rho_dim": 16, "text_dim": 16,
      "encoder_hidden": 16, "projection_hidden": 16,
      "encoder": {"heads": 2, "head_width": 4, "feed_forward": 16},
      "cross": {"heads": 2, "head_width": 4, "feed_forward": 16}},
    "sampler": {"batch": 8}, "train": {"epochs": 2, "learning_rate": 1e-3}})");
}

// 14 films of 9 to 10 s, each with a track of its own; a fifth is for validation.
inline synth::LibraryOptions tiny_library(double train_share) {
  synth::LibraryOptions library;
  library.tracks = 14;
  library.films_per_track = 1;
  library.min_seconds = 9;
  library.max_seconds = 10;
  library.width = 160;
  library.height = 120;
  library.train_share = train_share;
  library.valid_share = 0.2;
  return library;
}

}  // namespace vmr::test
