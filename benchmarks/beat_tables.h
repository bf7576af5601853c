// What beat_checks measures of each piece, and the tables that it prints.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "support/corpus/beat_scores.h"
#include "vmr/eval/beat_metrics.h"

namespace vmr::bench {

struct CheckedPiece {
  std::string folder, name, kind;  // kind: of sound without beats, else ""
  double seconds = 0;
  bool music = false;
  double confidence = 0;
  double tempo_probability = 0;  // of the tempo of its beats, all phases together
  bool found_any = false;
  double with_beats = 0;  // sound without beats: corpus::covered_share
  // Music, against its truth.
  eval::BeatScores scores;
  eval::TempoScores tempo;
  double down_beat_f = -1;  // -1: the truth has no down-beats
  double refused = 0;       // share of the time, corpus::refused_share
  // Of streams, whose beats have a confidence each: right is within 70 ms of a true one.
  std::vector<corpus::Trust> beats;
};

// The beats of a piece are right at this F: half or double the tempo has 2/3, off-beats have 0.
inline constexpr double kRightF = 0.8;

// Markdown on stdout. Figures are means over pieces, intervals are of 95 %: percentiles of 1000
// resamples of the pieces, Wilson's for counts of pieces.
void print_quality(std::span<const CheckedPiece> pieces);
void print_refusals(std::span<const CheckedPiece> pieces);    // of music
void print_inventions(std::span<const CheckedPiece> pieces);  // beats in sound without
void print_reliability(std::span<const CheckedPiece> pieces);

}  // namespace vmr::bench
