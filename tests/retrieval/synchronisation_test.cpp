// Pins synchronise: hand-worked offsets, errors and standard scores, the null level, the edges.
#include "vmr/retrieval/synchronisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <thread>

#include "retrieval/null_level.h"
#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace {

std::vector<double> grid(double first, double period, double end) {
  std::vector<double> times;
  for (double time = first; time < end; time += period) times.push_back(time);
  return times;
}

std::vector<TimedEvent> events(const std::vector<double>& times) {
  std::vector<TimedEvent> list;
  for (const double time : times) list.push_back({time, 1});
  return list;
}

// Beats whose tempo drifts, so that one place alone fits.
std::vector<double> drifting_beats(double seconds) {
  std::vector<double> beats;
  for (double now = 0.3; now < seconds; now += 0.45 + 0.0008 * now) beats.push_back(now);
  return beats;
}

// Every third beat from `offset` on, as cuts of a film.
FilmRhythm film_cut_to(const std::vector<double>& beats, double offset, double seconds) {
  FilmRhythm film;
  film.duration_seconds = seconds;
  int number = 0;
  for (const double beat : beats) {
    if (beat <= offset || beat >= offset + seconds || ++number % 3 != 0) continue;
    film.cuts.push_back({beat - offset, 1});
  }
  return film;
}

double value_of(const Synchronisation& fit, const std::string& name) {
  for (const auto& part : fit.parts) {
    if (part.name == name) return part.value;
  }
  return NAN;
}

TEST(Synchronise, FindsTheOffsetToTheMillisecond) {
  TrackRhythm track{.duration_seconds = 120, .beats_seconds = drifting_beats(120)};
  for (const double offset : {0.0, 17.348, 59.999}) {
    const auto film = film_cut_to(track.beats_seconds, offset, 60);
    const auto fit = synchronise(film, track);
    EXPECT_NEAR(fit.offset_seconds, offset, 0.0025) << offset;
    EXPECT_LT(*fit.cut_error_mean_ms, 2.5);
    EXPECT_EQ(fit.beats_hit, 1);
    EXPECT_GT(fit.score, 4);
    EXPECT_NEAR(total_of(fit.parts), fit.score, 1e-9);
    EXPECT_EQ(fit.stretch, 1);
  }
}

TEST(Synchronise, IsAStandardScoreOfRandomPlaces) {
  // Windows of 30 ms around beats half a second apart: mean w sqrt(2 pi) / T = 0.15, mean square
  // w sqrt(pi) / T = 0.106, so sd = 0.29 (but for tails beyond three widths); four cuts on beats
  // score (1 - 0.15) / 0.29 * sqrt(4).
  TrackRhythm track{.duration_seconds = 60, .beats_seconds = grid(0.25, 0.5, 60)};
  FilmRhythm film{.duration_seconds = 20, .cuts = events({2, 5.5, 11, 17})};
  const auto fit = synchronise(film, track, {.beats_on_cuts = 2});
  const double mean = 0.03 * std::sqrt(2 * M_PI) / 0.5;
  const double sd = std::sqrt(0.03 * std::sqrt(M_PI) / 0.5 - mean * mean);
  ASSERT_EQ(fit.parts.size(), 2u);
  EXPECT_EQ(fit.parts[0].name, "beats_on_cuts");
  EXPECT_NEAR(fit.parts[0].value, 2 * (1 - mean) / sd, 0.06);
  EXPECT_DOUBLE_EQ(fit.parts[0].weight, 1);  // the only part there is, whatever its share
  EXPECT_NEAR(std::fmod(fit.offset_seconds, 0.5), 0.25, 0.0011);
}

TEST(Synchronise, StaysWithinTheTrackWhereTheEndIsBest) {
  // Lengths whose last place on the grid of 10 ms is rounded past the track's end.
  for (const auto& [film_seconds, track_seconds] : {std::pair{8.0, 32.4}, {60.0, 14.2}}) {
    FilmRhythm film{.duration_seconds = film_seconds};
    TrackRhythm track{.duration_seconds = track_seconds};
    const double last = std::max(0.0, track_seconds - film_seconds);
    for (const double time : {0.4, 1.5, 2.9, 4.0, 6.2}) {
      film.cuts.push_back({time, 1});
      track.beats_seconds.push_back(last + time);
    }
    const auto fit = synchronise(film, track);
    EXPECT_NEAR(fit.offset_seconds, last, 1e-9);
    EXPECT_LE(fit.offset_seconds, last);
    EXPECT_EQ(synchronise_at(film, track, fit.offset_seconds).score, fit.score);
  }
}

TEST(Synchronise, IgnoresTimesOutsideFilmAndTrack) {
  FilmRhythm film{.duration_seconds = 10,
                  .cuts = events({1.02, 3.04, 6.06}),
                  .motion = {.rate_hz = 10, .values = std::vector<float>(100, 1.0f)}};
  film.motion.values[31] = 4;
  TrackRhythm track{
      .duration_seconds = 60, .beats_seconds = grid(0.5, 0.5, 60), .sections = events({3.1, 30})};
  const auto plain = synchronise_at(film, track, 0);
  for (const double outside : {-5.0, 1e300}) {
    FilmRhythm longer = film;
    longer.cuts.insert(outside < 0 ? longer.cuts.begin() : longer.cuts.end(), {outside, 1});
    const auto fit = synchronise_at(longer, track, 0);
    EXPECT_EQ(fit.score, plain.score);
    EXPECT_EQ(fit.cut_error_mean_ms, plain.cut_error_mean_ms);
    EXPECT_EQ(fit.beats_hit, plain.beats_hit);
    EXPECT_EQ(motion_peaks(longer).size(), motion_peaks(film).size());
  }
  TrackRhythm late{.duration_seconds = 8, .beats_seconds = {1, 3, 8.5}};
  film.cuts = events({7.9});
  EXPECT_NEAR(*synchronise_at(film, late, 0).cut_error_mean_ms, 4900, 1e-6);
}

TEST(Synchronise, TellsTheErrorOfCutsToBeats) {
  // Five cuts are exactly on beats and one is 100 ms late.
  TrackRhythm track{.duration_seconds = 30, .beats_seconds = grid(0.2, 0.7, 30)};
  FilmRhythm film{.duration_seconds = 20, .cuts = events({1.4, 4.2, 7.0, 9.1, 13.4, 16.1})};
  const auto fit = synchronise(film, track);
  EXPECT_NEAR(*fit.cut_error_mean_ms, 100.0 / 6, 1.5);
  EXPECT_NEAR(*fit.cut_error_median_ms, 0, 1.5);
  EXPECT_NEAR(fit.beats_hit, 5.0 / 6, 1e-9);
  const auto moved = synchronise_at(film, track, fit.offset_seconds + 0.05);
  EXPECT_NEAR(*moved.cut_error_median_ms, 50, 1.5);
  EXPECT_LT(moved.score, fit.score);
  EXPECT_EQ(moved.null_level.mean, fit.null_level.mean);
}

TEST(Synchronise, DownBeatsDecideBetweenBeats) {
  TrackRhythm track{.duration_seconds = 40, .beats_seconds = grid(0.5, 0.5, 40)};
  track.down_beats_seconds = grid(1.5, 2, 40);
  FilmRhythm film{.duration_seconds = 20, .cuts = events({2, 6, 8, 14})};
  const auto fit = synchronise(film, track);
  EXPECT_NEAR(std::fmod(fit.offset_seconds, 2), 1.5, 0.0011);
}

TEST(Synchronise, LaysMotionOverEnergy) {
  TrackRhythm track{.duration_seconds = 100};
  track.energy.rate_hz = 10;
  for (int i = 0; i < 1000; ++i) {
    const bool loud = (i >= 300 && i < 420) || (i >= 600 && i < 800);
    track.energy.values.push_back(loud ? -12.0f : -30.0f);
  }
  FilmRhythm film{.duration_seconds = 30};
  film.motion.rate_hz = 25;
  // Lively from 8 to 20 s: the loud stretch of 12 s, at 30 s in the track.
  for (int i = 0; i < 750; ++i) film.motion.values.push_back(i >= 200 && i < 500 ? 6.0f : 1.0f);
  const auto fit = synchronise(film, track);
  EXPECT_NEAR(fit.offset_seconds, 22, 0.11);
  EXPECT_GT(fit.energy_correlation, 0.999);
  EXPECT_GT(value_of(fit, "energy"), 2);
}

TEST(Synchronise, MeetsSectionChangesWithChangesOfMotion) {
  TrackRhythm track{.duration_seconds = 100, .sections = {{31, 0.4}, {77, 0.2}}};
  FilmRhythm film{.duration_seconds = 30, .cuts = events({5, 12, 20})};
  film.motion.rate_hz = 25;
  for (int i = 0; i < 750; ++i) film.motion.values.push_back(i < 300 ? 1.0f : 5.0f);
  const auto fit = synchronise(film, track);
  EXPECT_NEAR(fit.offset_seconds, 31 - 12, 0.01);
  EXPECT_EQ(fit.section_agreement, 1);
}

TEST(Synchronise, FindsTheStretchWhereItIsAllowed) {
  TrackRhythm track{.duration_seconds = 90, .beats_seconds = grid(0.1, 0.5, 90)};
  // Cut to the track played 4 % faster: a beat every 0.5 / 1.04 s.
  FilmRhythm film{.duration_seconds = 60};
  for (int i = 1; i < 120; i += 1 + i % 3) film.cuts.push_back({i * 0.5 / 1.04, 1});
  const auto fit = synchronise(film, track, {.min_stretch = 0.95, .max_stretch = 1.05});
  EXPECT_NEAR(fit.stretch, 1.04, 0.001);
  EXPECT_GT(fit.score, synchronise(film, track).score + 2);
  EXPECT_LE(fit.offset_seconds + fit.stretch * 60, 90 + 1e-9);
}

TEST(Synchronise, WiderBoundsOnlyAddSpeeds) {
  const TrackRhythm track{.duration_seconds = 90, .beats_seconds = grid(0.1, 0.5, 90)};
  // Steps of 0.1 s / 40 s = 0.0025 from 1; cut to 12.6 of them.
  FilmRhythm film{.duration_seconds = 40};
  for (int i = 1; i < 80; i += 1 + i % 3) film.cuts.push_back({i * 0.5 / 1.0315, 1});
  for (const double lowest : {0.95, 0.9, 1.0}) {
    for (const double highest : {1.04, 1.05, 1.0483}) {
      const auto fit = synchronise(film, track, {.min_stretch = lowest, .max_stretch = highest});
      EXPECT_NEAR(fit.stretch, 1.0325, 1e-9) << lowest << " to " << highest;
    }
  }
  // The bound itself, where it is a step, and 1 where no step fits.
  EXPECT_NEAR(synchronise(film, track, {.max_stretch = 1.0325}).stretch, 1.0325, 1e-9);
  EXPECT_EQ(synchronise(film, track, {.min_stretch = 0.998, .max_stretch = 1.002}).stretch, 1);
}

TEST(Synchronise, DensityOfBeatsIsNoEvidence) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<double> anywhere(0, 60);
  const auto sparse_beats = drifting_beats(180);
  auto dense_beats = sparse_beats;
  for (size_t i = 0; i + 1 < sparse_beats.size(); ++i) {
    dense_beats.push_back(0.5 * (sparse_beats[i] + sparse_beats[i + 1]));
  }
  std::sort(dense_beats.begin(), dense_beats.end());
  double dense = 0, sparse = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<double> cuts;
    for (int i = 0; i < 25; ++i) cuts.push_back(anywhere(generator));
    std::sort(cuts.begin(), cuts.end());
    const FilmRhythm film{.duration_seconds = 60, .cuts = events(cuts)};
    dense += synchronise(film, {.duration_seconds = 180, .beats_seconds = dense_beats}).score / 20;
    sparse +=
        synchronise(film, {.duration_seconds = 180, .beats_seconds = sparse_beats}).score / 20;
  }
  // Both at the null level: within the standard deviation of a single offset's score.
  EXPECT_LT(std::abs(dense), 1);
  EXPECT_LT(std::abs(sparse), 1);
}

TEST(Synchronise, AShorterTrackLiesWithinTheFilm) {
  TrackRhythm track{.duration_seconds = 12, .beats_seconds = grid(0.5, 0.75, 12)};
  FilmRhythm film{.duration_seconds = 30};
  // Cuts that meet beats where the track begins at 8.1 s of the film.
  for (const int beat : {0, 2, 5, 9, 12, 14}) film.cuts.push_back({8.1 + 0.5 + 0.75 * beat, 1});
  const auto fit = synchronise(film, track);
  EXPECT_NEAR(fit.offset_seconds, -8.1, 0.0015);
  EXPECT_EQ(fit.beats_hit, 1);
  EXPECT_THROW(synchronise_at(film, track, 0.5), InvalidArgument);
}

TEST(Synchronise, WithoutMaterialTheScoreIsNothing) {
  const TrackRhythm beats{.duration_seconds = 60, .beats_seconds = grid(0.1, 0.5, 60)};
  const FilmRhythm still{.duration_seconds = 20};
  const auto none = synchronise(still, beats);
  EXPECT_EQ(none.score, 0);
  EXPECT_EQ(none.offset_seconds, 0);
  EXPECT_TRUE(none.parts.empty());
  EXPECT_FALSE(none.cut_error_mean_ms.has_value());
  const FilmRhythm cut{.duration_seconds = 20, .cuts = events({4})};
  EXPECT_EQ(synchronise(cut, {.duration_seconds = 60}).score, 0);
  // One cut can always be laid on a beat: no evidence.
  const auto one = synchronise(cut, beats);
  EXPECT_LT(*one.cut_error_mean_ms, 1.1);
  EXPECT_LT(one.score, 0.5);
  auto unsure = beats;
  unsure.beat_confidence = 0;
  EXPECT_TRUE(synchronise(cut, unsure).parts.empty());
}

TEST(Synchronise, IsTheSameForAnyThreads) {
  std::vector<TrackRhythm> tracks;
  for (int i = 0; i < 9; ++i) {
    tracks.push_back(
        {.duration_seconds = 60.0 + i, .beats_seconds = grid(0.1, 0.3 + 0.04 * i, 60)});
  }
  const auto film = film_cut_to(tracks[4].beats_seconds, 7, 40);
  const auto one = synchronise_all(film, tracks, {}, 1),
             four = synchronise_all(film, tracks, {}, 4);
  ASSERT_EQ(one.size(), 9u);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].score, four[i].score);
    EXPECT_EQ(one[i].offset_seconds, four[i].offset_seconds);
    EXPECT_LE(one[i].score, one[4].score);
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(synchronise_all(film, tracks, {}, 1, stop.get_token()).empty());
}

TEST(Synchronise, StopsBetweenTheSpeedsOfOneTrack) {
  // 720 speeds of a film of half an hour: seconds of work.
  const auto beats = drifting_beats(3600);
  const TrackRhythm track{.duration_seconds = 3600, .beats_seconds = beats};
  const auto film = film_cut_to(beats, 100, 1800);
  std::stop_source stop;
  std::jthread asks([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(synchronise_all(film, {track}, {.min_stretch = 0.98, .max_stretch = 1.02}, 1,
                              stop.get_token())
                  .empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

TEST(Synchronise, RefusesWhatMakesNoSense) {
  const FilmRhythm film{.duration_seconds = 20, .cuts = events({4})};
  const TrackRhythm track{.duration_seconds = 60};
  EXPECT_THROW(synchronise({.duration_seconds = 0}, track), InvalidArgument);
  EXPECT_THROW(synchronise(film, {.duration_seconds = NAN}), InvalidArgument);
  EXPECT_THROW(synchronise(film, {.duration_seconds = 9, .beats_seconds = {2, 1}}),
               InvalidArgument);
  EXPECT_THROW(synchronise({.duration_seconds = 9, .cuts = {{1, 0}}}, track), InvalidArgument);
  EXPECT_THROW(synchronise(film, track, {.min_stretch = 1.1}), InvalidArgument);
  EXPECT_THROW(synchronise(film, track, {.energy = -1}), InvalidArgument);
}

TEST(MotionPeaks, AreWhereTheCurveSwells) {
  FilmRhythm film{.duration_seconds = 8};
  film.motion.rate_hz = 30;
  for (int i = 0; i < 240; ++i) {
    film.motion.values.push_back(float(2 + std::cos(2 * M_PI * ((i + 0.5) / 30 - 0.4))));
  }
  const auto peaks = motion_peaks(film);
  ASSERT_EQ(peaks.size(), 8u);
  for (size_t i = 0; i < peaks.size(); ++i) EXPECT_NEAR(peaks[i].seconds, 0.4 + double(i), 0.01);
  EXPECT_NEAR(peaks[3].strength, 2.0 / 3, 0.04);  // from 1 to 3
  film.motion.rate_hz = 3;
  EXPECT_TRUE(motion_peaks(film).empty());
}

TEST(NullLevel, OfTheLargestOfManyNormalValues) {
  const auto one = detail::null_of_largest(0);
  EXPECT_NEAR(one.mean, 0, 1e-3);
  EXPECT_NEAR(one.sd, 1, 1e-3);
  // At u = 3: 0.99865 exp(-100 * 0.011109) = 0.3288.
  EXPECT_NEAR(detail::share_below(3, 100), 0.3288, 1e-4);
  const auto many = detail::null_of_largest(100);
  EXPECT_NEAR(many.mean, 3.2, 0.06);
  EXPECT_NEAR(many.sd, 0.4, 0.05);
  EXPECT_EQ(detail::count_crossings({0, 1, 0, 1, 0, 1}), 3);
}

TEST(NullLevel, OfACorrelationGrowsWithSmoothness) {
  // White noise: 1 / n; an autoregressive pair of a: (1 + a^2) / (1 - a^2) / n.
  std::vector<double> white(50, 0.0), slow;
  white[0] = 1;
  for (int k = 0; k < 50; ++k) slow.push_back(std::pow(0.8, k));
  EXPECT_NEAR(detail::correlation_variance(white, white, 1000), 0.001, 1e-9);
  EXPECT_NEAR(detail::correlation_variance(slow, slow, 1000), (1 + 0.64) / (1 - 0.64) / 1000, 2e-5);
}

TEST(NullLevel, AutocorrelationOfAnAlternatingSeries) {
  std::vector<float> series;
  for (int i = 0; i < 100; ++i) series.push_back(i % 2 == 0 ? 3.0f : 1.0f);
  const auto rho = detail::autocorrelation(series, 3);
  EXPECT_NEAR(rho[1], -0.99, 1e-6);
  EXPECT_NEAR(rho[2], 0.98, 1e-6);
}

}  // namespace
}  // namespace vmr::retrieval
