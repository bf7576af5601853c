// What beats found in the corpus are worth beyond the scores of eval/beat_metrics.h: time refused,
// time invented, and whether a confidence is a probability.
#pragma once

#include <span>
#include <vector>

namespace vmr::corpus {

// Share of the time between the first and the last true beat without any found: of intervals
// between true beats where neither they nor their neighbours hold a found beat, so that half and a
// third of the tempo are no refusal. Both lists rise. 0 for fewer than two true beats.
double refused_share(std::span<const double> truth, std::span<const double> found);

// Share of [0, seconds) within half a second of a beat; beats rise.
double covered_share(std::span<const double> beats, double seconds);

struct Interval {
  double low, high;
};

// Wilson's interval of 95 % for `hits` of `count`; 0 of 10 gives 0 to 0.28.
Interval wilson(double hits, double count);

struct Trust {
  double confidence;  // 0 to 1
  bool right;
};

struct ReliabilityBin {
  double count = 0, confidence = 0, right = 0;  // means of the pairs inside
};

struct Reliability {
  std::vector<ReliabilityBin> bins;  // ten of equal width
  // Expected calibration error: mean over all pairs of |mean confidence - share right| of the bin
  // that they are in. 0 is calibrated; few pairs are never 0.
  double error = 0;
  double error_by_chance = 0;  // its mean where each pair is right with its confidence
  double brier = 0;            // mean square of confidence - right
};

// Throws nothing; no pairs give zeros.
Reliability reliability(std::span<const Trust> pairs);

}  // namespace vmr::corpus
