// Pins fitting from files: music is analysed once and found again, bad files are listed, the film's
// cuts are timed by its own frames, the page holds what it promises.
#include "vmr/pipeline/fit.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/film_pairs.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/pipeline/fit_report.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kSongSeconds = 24, kFilmSeconds = 10, kOffset = 7.3;

synth::TrackState state_of(int song) {
  synth::TrackState state;
  state.tempo_bpm = song == 0 ? 96 : 131;
  state.end_tempo_bpm = state.tempo_bpm;
  state.seconds = kSongSeconds;
  state.seed = uint64_t(song + 1);
  return state;
}

// A film of two pictures that change places on beats of song 0, from kOffset on.
std::vector<double> write_film(const fs::path& path) {
  std::vector<double> cuts;
  int beat = 0;
  for (const double time : synth::plan_song(state_of(0)).beats) {
    const double seconds = time - kOffset;
    if (seconds < 0.4 || seconds > kFilmSeconds - 0.4 || ++beat % 2 != 0) continue;
    cuts.push_back(std::round(seconds * 25) / 25);
  }
  media::FilmWriter writer(path, {.width = 160, .height = 120, .fps = 25, .channels = 0});
  for (int frame = 0; frame < int(kFilmSeconds * 25); ++frame) {
    const auto shot = std::count_if(cuts.begin(), cuts.end(),
                                    [&](double cut) { return frame >= std::lround(cut * 25); });
    auto picture = at::full({120, 160, 3}, shot % 2 == 0 ? 30 : 120, at::kByte);
    const int64_t place = 10 + std::abs(frame * 2 % 160 - 80);  // there and back: a jump is a cut
    picture.narrow(0, shot % 2 == 0 ? 20 : 70, 30).narrow(1, place, 40).fill_(220);
    picture.select(2, shot % 2 == 0 ? 0 : 2).fill_(200);
    writer.add_frame(picture);
  }
  writer.finish();
  return cuts;
}

void write_music(const fs::path& folder) {
  fs::create_directories(folder / "deeper");
  for (int song = 0; song < 2; ++song) {
    const auto path = song == 0 ? folder / "right.flac" : folder / "deeper" / "wrong.flac";
    media::write_audio(path,
                       {synth::render_song(state_of(song)).samples, double(synth::kSongRateHz), 0});
  }
  std::ofstream(folder / "broken.mp3") << "this is no sound";
  std::ofstream(folder / "notes.txt") << "not looked at";
}

TEST(Fit, RanksAFoldersMusicAndAnalysesItOnce) {
  const test::TempFolder folder;
  const auto cuts = write_film(folder / "film.mp4");
  write_music(folder / "music");
  const auto film = analyse_film_rhythm(folder / "film.mp4");
  const auto rhythm = film_rhythm(film);
  EXPECT_NEAR(rhythm.duration_seconds, kFilmSeconds, 0.05);
  ASSERT_EQ(rhythm.cuts.size(), cuts.size());
  for (size_t i = 0; i < cuts.size(); ++i) EXPECT_NEAR(rhythm.cuts[i].seconds, cuts[i], 0.001);

  const auto music = analyse_music({folder / "music"}, folder / "store");
  EXPECT_EQ(music.summary.extracted, 2);
  ASSERT_EQ(music.summary.failures.size(), 1u);
  EXPECT_THAT(music.summary.failures[0].id, HasSubstr("broken.mp3"));
  ASSERT_EQ(music.tracks.size(), 2u);

  const auto hits = fit(film, folder / "store", music.tracks);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].hit.metadata.at("title"), "right");
  EXPECT_GT(hits[0].hit.score, hits[1].hit.score + 2);
  EXPECT_GT(hits[0].fit.beats_hit, 0.9);
  // On a beat grid as on the true offset; which beat, energy decides.
  const auto beats = synth::plan_song(state_of(0)).beats;
  const double period = beats[1] - beats[0];
  const double apart = std::remainder(hits[0].fit.offset_seconds - kOffset, period);
  EXPECT_LT(std::abs(apart), 0.04);

  // A second time, renamed: nothing is decoded.
  fs::rename(folder / "music" / "right.flac", folder / "music" / "renamed.flac");
  const auto again = analyse_music({folder / "music"}, folder / "store");
  EXPECT_EQ(again.summary.extracted, 0);
  EXPECT_EQ(again.tracks.size(), 2u);
  EXPECT_EQ(fit(film, folder / "store", again.tracks)[0].fit.score, hits[0].fit.score);
  EXPECT_EQ(analyse_stored_music(folder / "store").tracks.size(), 2u);

  write_fit_report(folder / "page.html", film, folder / "store", hits);
  std::stringstream page;
  page << std::ifstream(folder / "page.html").rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("<video controls src=\"film.mp4\""));
  EXPECT_THAT(page.str(), HasSubstr("Play with the film"));
  EXPECT_THAT(page.str(), HasSubstr("right.flac</span>"));
  EXPECT_THAT(page.str(), HasSubstr("data:audio/mp4;base64,"));
}

TEST(Fit, RanksHitsOfAMatcherAnew) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");
  write_music(folder / "music");
  const auto film = analyse_film_rhythm(folder / "film.mp4");
  std::vector<retrieval::Hit> hits(3);
  const fs::path paths[] = {folder / "music" / "deeper" / "wrong.flac",
                            folder / "music" / "right.flac", folder / "gone.flac"};
  for (size_t i = 0; i < 3; ++i) {
    hits[i].id = "t" + std::to_string(i);
    hits[i].parts = {{"embedding", 0.5 - 0.01 * double(i), 1}};
    hits[i].score = retrieval::total_of(hits[i].parts);
    hits[i].metadata["path"] = paths[i].string();
  }
  const auto failures = rank_with_fit(hits, film, folder / "store", 0.1);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].id, "t2");
  EXPECT_EQ(hits[0].id, "t1");
  // The matcher's score, and a tenth of what fitting alone finds.
  const auto alone =
      fit(film, folder / "store", analyse_music({paths[1]}, folder / "store").tracks);
  EXPECT_NEAR(hits[0].score, 0.49 + 0.1 * alone[0].hit.score, 1e-9);
  EXPECT_EQ(hits[0].offset_seconds, alone[0].fit.offset_seconds);
  for (const auto& hit : hits) {
    if (hit.id == "t2") {
      EXPECT_DOUBLE_EQ(hit.score, 0.48);
    }
  }
}

TEST(Fit, TakesThePicturesEndFromWhoKnowsIt) {
  const test::TempFolder folder;
  write_film(folder / "film.mp4");
  const auto probed = analyse_film_rhythm(folder / "film.mp4");
  const auto told = analyse_film_rhythm(folder / "film.mp4", {}, 0, 9.5);
  EXPECT_EQ(told.duration_seconds, 9.5);
  EXPECT_NEAR(probed.duration_seconds, kFilmSeconds, 1e-6);
  ASSERT_EQ(film_rhythm(told).cuts.size(), film_rhythm(probed).cuts.size());
}

TEST(Fit, WaitsForWhoWritesTheStore) {
  const test::TempFolder folder;
  write_music(folder / "music");
  const auto right = folder / "music" / "right.flac";
  analyse_music({right}, folder / "store");
  store::StoreOptions writing;
  writing.writable = true;
  auto other = store::FeatureStore::open(folder / "store", writing);
  // What is there needs no writer.
  EXPECT_EQ(analyse_music({right}, folder / "store", {}, {}, 0).tracks.size(), 1u);
  EXPECT_THAT([&] { analyse_music({folder / "music"}, folder / "store", {}, {}, 0.3); },
              testing::ThrowsMessage<StoreError>(HasSubstr("is being written by process")));
  std::vector<std::string> said;
  RunControl control;
  control.on_log = [&](LogLevel, const std::string& message) {
    said.push_back(message);
    other.reset();  // its writer ends only now
  };
  const auto music = analyse_music({folder / "music"}, folder / "store", {}, control);
  EXPECT_EQ(music.tracks.size(), 2u);
  EXPECT_EQ(music.summary.extracted, 1);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("is being written by another; waiting for it"));
}

// Makes the stored energy of all tracks one of an older version.
void age(const fs::path& store_folder) {
  store::StoreOptions writing;
  writing.writable = true;
  const auto store = store::FeatureStore::open(store_folder, writing);
  std::vector<std::pair<store::FeatureKey, FeatureTrack>> tracks;
  for (const auto& key : store->keys("energy", "music")) {
    tracks.emplace_back(key, *store->find(key));
    tracks.back().second.provenance.version = "0";
    tracks.back().second.values = tracks.back().second.values - 6;
  }
  store->remove_feature("energy", "music");
  store->put(tracks);
}

void write_clicks(const fs::path& path, double bpm) {
  media::write_audio(path, {test::click_track(bpm, 8, 16000).samples, 16000, 0});
}

TEST(Fit, AnalysesAnewWhatAnOlderVersionCached) {
  const test::TempFolder folder;
  fs::create_directory(folder / "music");
  write_clicks(folder / "music" / "a.wav", 100);
  write_clicks(folder / "music" / "b.wav", 120);
  const auto energy_of = [&](const std::string& id) {
    const auto store = store::FeatureStore::open(folder / "store");
    const auto track = store->find({"energy", "music", id});
    return track ? track->values.to(at::kDouble).mean().item<double>() : 0;
  };
  const auto first = analyse_music({folder / "music" / "a.wav"}, folder / "store");
  ASSERT_EQ(first.tracks.size(), 1u);
  const auto id = first.tracks[0].id;
  const double loud = energy_of(id);
  age(folder / "store");
  EXPECT_NEAR(energy_of(id), loud - 6, 1e-4);
  const auto again = analyse_music({folder / "music"}, folder / "store");
  EXPECT_EQ(again.summary.extracted, 2);
  EXPECT_EQ(again.tracks.size(), 2u);
  EXPECT_NEAR(energy_of(id), loud, 1e-9);

  // A file that changed leaves the features of what it was behind: still a cache.
  write_clicks(folder / "music" / "a.wav", 110);
  EXPECT_EQ(analyse_music({folder / "music"}, folder / "store").summary.extracted, 1);
  age(folder / "store");
  EXPECT_EQ(analyse_music({folder / "music"}, folder / "store").summary.extracted, 2);
  EXPECT_EQ(analyse_stored_music(folder / "store").tracks.size(), 2u);  // not what a.wav was
  // A link in a circle costs nothing but itself.
  fs::create_symlink(folder / "music" / "circle.wav", folder / "music" / "circle.wav");
  EXPECT_EQ(analyse_music({folder / "music"}, folder / "store").tracks.size(), 2u);

  // A store with other features is its owner's to change.
  {
    store::StoreOptions writing;
    writing.writable = true;
    FeatureTrack embedding;
    embedding.values = at::ones({1, 4});
    embedding.times = RowTimes::regular(1, 0, 8, 8);
    embedding.provenance = {"embedding", "1", "{}", "", ""};
    store::FeatureStore::open(folder / "store", writing)
        ->put({{{"embedding", "music", id}, embedding}});
  }
  age(folder / "store");
  write_clicks(folder / "music" / "c.wav", 140);
  EXPECT_THAT([&] { analyse_music({folder / "music"}, folder / "store"); },
              testing::ThrowsMessage<InvalidArgument>(HasSubstr("the store holds \"energy\"")));
}

TEST(Fit, SaysWhatIsMissing) {
  const test::TempFolder folder;
  fs::create_directories(folder / "empty");
  EXPECT_THROW(analyse_music({folder / "empty"}, folder / "store"), InvalidArgument);
  EXPECT_THROW(analyse_music({folder / "nowhere"}, folder / "store"), InvalidArgument);
  EXPECT_THROW(analyse_stored_music(folder / "nowhere"), StoreError);
  EXPECT_THROW(film_rhythm({}), InvalidArgument);
  EXPECT_FALSE(track_rhythm(NamedTracks{}).has_value());
}

}  // namespace
}  // namespace vmr::pipeline
