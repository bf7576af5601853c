// Figures of small random galleries: each true pair among so many items drawn at random, as the
// code of CMVAE (arXiv 2107.07268) evaluates and as papers with galleries of another size can be
// compared. The draws depend on the seed and on which film has which track, not on the scores:
// every model is asked the same. Thread-safe: plain functions.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "vmr/eval/retrieval_metrics.h"

namespace vmr::eval {

struct SampledOptions {
  int64_t negatives = 100;
  std::vector<int64_t> ks = {10, 15, 20, 25};
  int64_t repeats = 1;  // draws, whose means are averaged
  uint64_t seed = 1;
  bool inverse_popularity = false;  // a pair weighs 1 / films of its track, all together 1
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const SampledOptions& options);

struct SampledFigure {
  double value = 0;      // mean of the repeats
  double deviation = 0;  // of their means, n - 1; 0 for a single one
  double chance = 0;     // of recall: k over the items of a pair's gallery, mean over the pairs
};

struct SampledFigures {
  int64_t pairs = 0;
  int64_t gallery = 0;                      // negatives + 1, or all there are
  std::map<int64_t, SampledFigure> recall;  // share of pairs whose item is among the first k
  std::map<int64_t, SampledFigure> ndcg;    // ln 2 / ln(rank + 1) where it is, else 0
};

struct SampledBothWays {
  SampledFigures video_to_music;  // a film, its track among others
  SampledFigures music_to_video;  // for each film its track asks for it among films of other tracks
};

// scores: both [films, tracks], float32 or float64, on the CPU; film_tracks[i] is the column of
// film i's track. Of equal scores the lower index ranks first, NaN last. Example: a track with the
// third score among it and 100 others has recall@10 1 and NDCG@10 ln 2 / ln 4 = 0.5.
// Throws: InvalidArgument for wrong shapes, columns out of range, negatives, repeats or ks below 1.
SampledBothWays sampled_negatives(const DirectedScores& scores,
                                  std::span<const int64_t> film_tracks,
                                  const SampledOptions& options = {});

// {"negatives", "repeats", "weights", "video_to_music": {"pairs", "gallery", "recall": {"10":
// {"value", "deviation", "chance"}}, "ndcg": {"10": {"value", "deviation"}}}, "music_to_video"}
nlohmann::json sampled_document(const SampledBothWays& figures, const SampledOptions& options);

}  // namespace vmr::eval
