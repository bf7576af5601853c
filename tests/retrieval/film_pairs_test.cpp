// Pins that generated films find their track and their place in it, and that films of other tracks
// stay at the null level; the whole measurement is benchmarks/bench_fit.cpp.
#include "support/film_pairs.h"

#include <gtest/gtest.h>

namespace vmr::test {
namespace {

constexpr int64_t kFilms = 8;

const PairOptions kOptions{.track_seconds = 100, .film_seconds = 40};

const std::vector<FilmPair>& pairs() {
  static const auto made = [] {
    std::vector<FilmPair> list;
    for (int64_t i = 0; i < kFilms; ++i) list.push_back(make_pair(i, kOptions));
    return list;
  }();
  return made;
}

TEST(FilmPairs, FindTheirTrackByTheHiddenTruth) {
  std::vector<retrieval::TrackRhythm> tracks;
  for (const auto& pair : pairs()) tracks.push_back(pair.truth);
  const auto figures = measure(pairs(), tracks);
  EXPECT_GE(figures.exact, 2.0 / 8);  // others lie a bar or a part away, as good by all there is
  EXPECT_EQ(figures.first, 1);
  EXPECT_GT(figures.own_median, 6);
  EXPECT_LT(std::abs(figures.other_median), 0.5);
  EXPECT_LT(figures.other_high, 3.5);  // of 56 pairs the third highest
}

TEST(FilmPairs, OtherTracksScoreNothingHoweverShortTheFilm) {
  PairOptions options;
  std::vector<retrieval::TrackRhythm> tracks;
  for (int64_t i = 0; i < 16; ++i) tracks.push_back(make_pair(i, options).truth);
  options.seed = 5077;  // films of other songs
  for (const double seconds : {3, 5, 8, 20, 60}) {
    options.film_seconds = seconds;
    std::vector<double> scores;
    for (int64_t i = 0; i < 16; ++i) {
      for (const auto& fit :
           retrieval::synchronise_all(make_pair(i, options).film, tracks, {}, 2)) {
        scores.push_back(fit.score);
      }
    }
    std::sort(scores.begin(), scores.end());
    EXPECT_LT(std::abs(scores[scores.size() / 2]), 0.5) << seconds;
    EXPECT_LT(scores[scores.size() * 95 / 100], 3.5) << seconds;
  }
}

TEST(FilmPairs, FewOffsetsAreRight) {
  int right = 0, asked = 0;
  for (const auto& pair : pairs()) {
    EXPECT_TRUE(is_right(pair, pair.offset_seconds + 0.03));
    EXPECT_FALSE(is_right(pair, pair.offset_seconds + 30 / pair.tempo_bpm));  // half a beat
    for (int i = 0; i < 10; ++i, ++asked) right += is_right(pair, 6.0 * i + 0.123);
  }
  EXPECT_LE(right, asked / 20);
}

TEST(FilmPairs, FindTheirTrackByWhatIsHeard) {
  std::vector<retrieval::TrackRhythm> heard, with_beats;
  for (int64_t i = 0; i < kFilms; ++i) {
    heard.push_back(heard_rhythm(i, kOptions));
    with_beats.push_back(heard.back());
    with_beats.back().beats_seconds = pairs()[size_t(i)].truth.beats_seconds;
    with_beats.back().down_beats_seconds = pairs()[size_t(i)].truth.down_beats_seconds;
    with_beats.back().beat_confidence = 1;
  }
  const auto true_beats = measure(pairs(), with_beats);
  EXPECT_GE(true_beats.right, 7.0 / 8);
  EXPECT_GE(true_beats.first, 7.0 / 8);
  const auto figures = measure(pairs(), heard);
  EXPECT_GE(figures.right, 6.0 / 8);
  EXPECT_GE(figures.first, 6.0 / 8);
  EXPECT_LT(figures.mean_rank, 2);  // chance: 4.5
  EXPECT_GT(figures.own_median, 3);
  EXPECT_LT(std::abs(figures.other_median), 0.5);
  EXPECT_LT(figures.other_high, 3.5);  // of 56 pairs the third highest
}

}  // namespace
}  // namespace vmr::test
