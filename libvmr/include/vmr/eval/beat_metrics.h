// How good beats are against annotated ones, as mir_eval.beat defines it (Davies, Degara and
// Plumbley 2009), to 1e-9 of mir_eval 0.8, and whether a tempo is right (Gouyon et al. 2006):
//   F-measure   2 hits / (found + true); a hit is a pair nearer than 70 ms, each beat in one pair
//   Cemgil      mean Gaussian error, 40 ms wide; `best` over the metrical levels
//   continuity  a found beat is correct where it and the step that led to it are within 17.5 % of
//               the nearest annotation's; `continuous` is the longest run of correct beats, `total`
//               all of them, over the longer of both lists. correct_*: the annotated level (CMLc,
//               CMLt); any_*: also its off-beats, twice and half the tempo (AMLc, AMLt)
//   information gain  how far the errors between beats are from evenly spread, in [0, 1]
// Perfect beats have 1 everywhere; off-beats have F 0, correct_total 0, any_total 1; every second
// beat has F 2/3. Thread-safe: plain functions.
#pragma once

#include <span>

namespace vmr::eval {

struct BeatScoreOptions {
  double skip_seconds = 5;       // beats before are left out on both sides, as is usual
  double window_seconds = 0.07;  // of the F-measure, on either side
};

// Throws: InvalidArgument naming the field, its value and the rule.
void validate(const BeatScoreOptions& options);

struct BeatScores {
  double f_measure = 0;
  double cemgil = 0, cemgil_best = 0;
  double correct_continuous = 0, correct_total = 0;  // CMLc, CMLt
  double any_continuous = 0, any_total = 0;          // AMLc, AMLt
  double information_gain = 0;
};

// truth, found: seconds, not falling. No beats on either side have 0 everywhere; one beat on either
// side has 0 but for the F-measure and Cemgil's. Down-beats are scored by the same f_measure.
// Throws: InvalidArgument for times that fall or are no numbers.
BeatScores score_beats(std::span<const double> truth, std::span<const double> found,
                       const BeatScoreOptions& options = {});

// 60 / median distance of beats; 0 for fewer than two.
double tempo_of(std::span<const double> beats);

struct TempoScores {
  bool accuracy_1 = false;  // within the tolerance of the true tempo
  bool accuracy_2 = false;  // or of its double, half, triple or third
};

// tolerance: 0.04 is the one of the ISMIR 2004 contest and of later results on GTZAN and Ballroom;
// MIREX allows 0.08. A found tempo of 0 (none) is wrong.
// Throws: InvalidArgument unless true_bpm > 0, found_bpm >= 0 and 0 < tolerance < 1.
TempoScores score_tempo(double true_bpm, double found_bpm, double tolerance = 0.04);

}  // namespace vmr::eval
