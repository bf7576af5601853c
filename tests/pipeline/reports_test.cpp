// Pins where the pages show things: the outline of a sound, and sound and cuts on the film's clock
// wherever the track begins.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "pipeline/alignment_figure.h"
#include "pipeline/sound_peaks.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/report.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr double kRateHz = 8000;

TEST(SoundPeaks, ColumnsHoldTheLowestAndHighestSampleOfAllChannels) {
  const test::TempFolder folder;
  // 2.5 s: the left channel steps up each half second, the right one has one dip at 1.2 s.
  auto samples = at::zeros({2, 20000}, at::kFloat);
  for (int64_t step = 0; step < 5; ++step) {
    samples[0].narrow(0, step * 4000, 4000).fill_(0.1 * double(step + 1));
  }
  samples[1].narrow(0, 9600, 1).fill_(-0.75);
  media::write_audio(folder / "a.wav", {samples, kRateHz, 0});
  // Half a second each, from one second before the sound to half a second after it.
  const auto peaks = detail::sound_peaks(folder / "a.wav", -1, 0.5, 8);
  ASSERT_EQ(peaks.low.size(), 8u);
  for (const size_t silent : {0, 1, 7}) {
    EXPECT_TRUE(std::isnan(peaks.low[silent]) && std::isnan(peaks.high[silent])) << silent;
  }
  for (size_t i = 2; i < 7; ++i) {
    EXPECT_FLOAT_EQ(peaks.high[i], 0.1f * float(i - 1));
    EXPECT_FLOAT_EQ(peaks.low[i], i == 4 ? -0.75f : 0.0f);
  }
  EXPECT_THROW(detail::sound_peaks(folder / "none.wav", 0, 1, 4), MediaError);
}

TEST(SoundPeaks, LongSoundIsReadInPiecesWithoutGaps) {
  const test::TempFolder folder;
  auto samples = at::full({1, int64_t(150 * kRateHz)}, 0.25, at::kFloat);
  for (const double seconds : {59.999, 60.0, 149.9}) {
    samples[0][int64_t(std::llround(seconds * kRateHz))] = 0.5 + seconds / 1000;
  }
  media::write_audio(folder / "long.wav", {samples, kRateHz, 0});
  const auto peaks = detail::sound_peaks(folder / "long.wav", 0, 1, 151);
  for (size_t i = 0; i < 150; ++i) {
    const double high = i == 59 ? 0.559999 : i == 60 ? 0.56 : i == 149 ? 0.6499 : 0.25;
    EXPECT_NEAR(peaks.high[i], high, 1e-6) << i;
  }
  EXPECT_TRUE(std::isnan(peaks.high[150]));
}

// The columns of the drawn sound, from where it begins: how far it reaches above the lowest line.
std::vector<double> drawn_tops(const std::string& html, int64_t& first) {
  const size_t path = html.find("class=\"sound\"");
  std::vector<double> tops;
  if (path == std::string::npos) return tops;
  const size_t begin = html.find(" d=\"M", path) + 5;
  std::istringstream steps(html.substr(begin, html.find('"', begin) - begin));
  double y = 0;
  steps >> first >> y;
  for (std::string step; char letter = char(steps.get());) {
    double value = 0;
    steps >> value;
    if (!steps || (letter == 'h' && value < 0)) break;  // the way back, along the lowest samples
    if (letter == 'v') y += value;
    if (letter == 'h') tops.push_back(y);
  }
  return tops;
}

TEST(AlignmentFigure, DrawsTheSoundWhereItIsHeardInTheFilm) {
  const test::TempFolder folder;
  // One burst 2 s into a track of 6 s, under a film of 10 s.
  auto samples = at::full({1, int64_t(6 * kRateHz)}, 0.125, at::kFloat);
  samples.narrow(1, int64_t(2 * kRateHz), int64_t(0.1 * kRateHz)).fill_(0.5);
  media::write_audio(folder / "track.wav", {samples, kRateHz, 0});
  retrieval::FilmRhythm film;
  film.duration_seconds = 10;
  film.cuts = {{5.0, 1}, {7.0, 1}};
  retrieval::TrackRhythm track;
  track.duration_seconds = 6;
  track.beats_seconds = {2.0};
  for (const double stretch : {1.0, 0.8}) {
    SCOPED_TRACE(stretch);
    retrieval::Synchronisation fit;
    fit.offset_seconds = -1.6;
    fit.stretch = stretch;
    const auto peaks =
        detail::sound_peaks(folder / "track.wav", fit.offset_seconds,
                            stretch * 10 / double(detail::kPeakColumns), detail::kPeakColumns);
    const auto html = detail::alignment_figure(film, track, fit, peaks);
    int64_t first = 0;
    const auto tops = drawn_tops(html, first);
    const auto column = [&](double heard) { return (heard + 1.6) / stretch * 100; };
    EXPECT_NEAR(double(first), column(0), 1);
    EXPECT_NEAR(double(tops.size()), column(6) - column(0), 2);
    const auto highest = std::min_element(tops.begin(), tops.end());
    EXPECT_NEAR(double(first + (highest - tops.begin())), column(2), 1);
    // Full scale is the loudest: lanes of 72 pixels, the middle at 144.
    EXPECT_NEAR(*highest, 108, 0.11);
    EXPECT_NEAR(tops.back(), 144 - 36 * 0.25, 0.11);
    EXPECT_THAT(html, HasSubstr("<line x1=\"" + std::to_string(std::lround(column(2))) + ".0\""));
  }
}

TEST(AlignmentFigure, LeavesOutASoundThatCannotBeRead) {
  retrieval::FilmRhythm film;
  film.duration_seconds = 10;
  retrieval::TrackRhythm track;
  track.duration_seconds = 40;
  retrieval::Synchronisation fit;
  fit.offset_seconds = 10;
  const auto html = detail::alignment_figure(film, track, fit, {});
  EXPECT_THAT(html, Not(HasSubstr("class=\"sound\"")));
  // A quarter of the track, a quarter into it.
  EXPECT_THAT(html, HasSubstr("<b style=\"left:25.00%;width:25.00%\">"));
}

// The points of the page's first curve, in pixels.
std::vector<std::pair<double, double>> first_curve(const fs::path& file) {
  std::stringstream page;
  page << std::ifstream(file).rdbuf();
  const size_t begin = page.str().find("<path d=\"M") + 9;
  auto text = page.str().substr(begin, page.str().find('"', begin) - begin);
  for (char& letter : text) {
    if (letter == 'L' || letter == 'M') letter = ' ';
  }
  std::istringstream numbers(text);
  std::vector<std::pair<double, double>> points;
  for (double x, y; numbers >> x >> y;) points.emplace_back(x, y);
  return points;
}

void write_grey_film(const fs::path& path, int seconds) {
  media::FilmWriter writer(path, {.width = 64, .height = 48, .channels = 0});
  for (int frame = 0; frame < seconds * 25; ++frame) {
    writer.add_frame(at::full({48, 64, 3}, 90, at::kByte));
  }
  writer.finish();
}

TEST(MatchReport, MotionIsDrawnBetweenCutsAndWithoutRepeatedFrames) {
  const test::TempFolder folder;
  write_grey_film(folder / "film.mp4", 10);
  FilmAnalysis film;
  film.path = folder / "film.mp4";
  film.duration_seconds = 10;
  // 25 frames/s on a clock of 30: each sixth value is of a frame that was there before. One cut.
  auto flow = at::full({300}, 0.5, at::kFloat);
  for (int64_t i = 3; i < 300; i += 6) flow[i] = 0;
  flow[151] = 10;
  film.tracks.emplace_back("flow",
                           FeatureTrack{flow, RowTimes::regular(300, 0, 1 / 30.0, 1 / 30.0), {}});
  film.tracks.emplace_back(
      "cuts", FeatureTrack{at::tensor({5.0}, at::kDouble), RowTimes::explicit_rows({{5, 5}}), {}});
  write_match_report(folder / "page.html", film, {}, {.key_frames = 1});
  const auto points = first_curve(folder / "page.html");
  ASSERT_EQ(points.size(), 299u);
  // The plot is 960 x 240 pixels with margins of 64, 16, 36 and 48; its scale ends at 1.15 * 0.5.
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(points[i].first, 64 + 880 * double(i + 1) / 300, 0.02);
    EXPECT_NEAR(points[i].second, 192 - 156 * (i == 150 ? 20 : 1) / 1.15, 0.02) << i;
  }
}

TEST(MatchReport, LaysCutsOverASoundThatBeginsWithinTheFilm) {
  const test::TempFolder folder;
  write_grey_film(folder / "film.mp4", 12);
  media::write_audio(folder / "music.wav", {test::tone(440, 8, 16000), 16000, 0});
  FilmAnalysis film;
  film.path = folder / "film.mp4";
  film.duration_seconds = 12;
  film.tracks.emplace_back("cuts", FeatureTrack{at::tensor({1.0, 6.0, 11.0}, at::kDouble),
                                                RowTimes::explicit_rows({{1, 1}, {6, 6}, {11, 11}}),
                                                {}});
  retrieval::Hit hit;
  hit.id = "a";
  hit.offset_seconds = -2;  // heard from 2 to 10 s of the film: two cuts lie outside
  hit.metadata["path"] = (folder / "music.wav").string();
  const auto cut_places = [&](double offset) {
    hit.offset_seconds = offset;
    write_match_report(folder / "page.html", film, {hit}, {.key_frames = 1, .players = 0});
    std::stringstream page;
    page << std::ifstream(folder / "page.html").rdbuf();
    std::vector<double> places;
    std::string line;
    while (std::getline(page, line)) {
      if (line.find("stroke=\"#c0392b\"") == std::string::npos) continue;
      places.push_back(std::stod(line.substr(line.find("x1=\"") + 4)));
    }
    page.clear();
    page.seekg(0);
    EXPECT_THAT(page.str(), HasSubstr(offset < 0 ? "begins 2.00 s into the film" : "from 3.00 s"));
    return places;
  };
  // The plot is 960 pixels wide with margins of 64 and 16.
  EXPECT_THAT(cut_places(-2), testing::ElementsAre(testing::DoubleNear(64 + 880 * 4 / 8.0, 0.1)));
  EXPECT_THAT(cut_places(3), testing::ElementsAre(testing::DoubleNear(64 + 880 * 1 / 5.0, 0.1)));
}

}  // namespace
}  // namespace vmr::pipeline
