// Pins extraction: features by hand on media with known truth, resume, failures that do not stop
// the others, and the refusal to mix options in a store.
#include "vmr/pipeline/extraction.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/audio/fbank.h"
#include "vmr/core/error.h"
#include "vmr/media/audio_reader.h"
#include "vmr/media/decode.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/video_reader.h"
#include "vmr/video/cuts.h"
#include "vmr/video/frame.h"
#include "vmr/video/trajectory.h"

namespace vmr::pipeline {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

ExtractRecipe full_recipe() {
  ExtractRecipe recipe;
  recipe.height = 64;
  recipe.width = 128;
  recipe.fbank.emplace();
  recipe.rhythm.emplace();
  recipe.beats.emplace();
  recipe.grey_clips = true;
  recipe.clip_flow.emplace();
  recipe.flow.emplace();
  recipe.flow->width = 128;
  recipe.flow->height = 64;
  recipe.cuts = true;
  return recipe;
}

void write_song(const std::filesystem::path& path, double seconds, double bpm = 120) {
  media::Audio audio;
  audio.samples = test::click_track(bpm, seconds, 16000).samples;
  audio.rate_hz = 16000;
  media::write_audio(path, audio);
}

const FeatureTrack& track(const NamedTracks& tracks, const std::string& name) {
  for (const auto& [feature, value] : tracks) {
    if (feature == name) return value;
  }
  throw std::runtime_error("no track " + name);
}

store::ManifestItem item(const std::string& id, const std::string& kind,
                         const std::filesystem::path& path, const std::string& track = "") {
  store::ManifestItem result;
  result.id = id;
  result.kind = kind;
  result.path = path;
  result.track = track;
  result.tags = {"calm"};
  result.split = "train";
  return result;
}

TEST(ExtractMusic, CutsClipsAsThePaperAndFbankEqualsTheFunction) {
  test::TempFolder folder;
  write_song(folder / "song.wav", 10.5);  // 10.5 s: two clips and 2.5 s, which is padded to a third
  const auto tracks = extract_music(folder / "song.wav", full_recipe()).tracks;
  const auto& fbank = track(tracks, "fbank");
  EXPECT_EQ(fbank.values.sizes(), (std::vector<int64_t>{3, 398, 80}));
  EXPECT_EQ(fbank.times.at(2), (Interval{8, 12}));
  const auto sound = media::read_audio(folder / "song.wav").samples[0];
  const auto second = audio::fbank(sound.slice(0, 64000, 128000).contiguous());
  EXPECT_TRUE(at::allclose(fbank.values[1], second, 1e-5, 1e-5));
  const auto& rhythm = track(tracks, "rhythm");
  EXPECT_EQ(rhythm.values.sizes(), (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(rhythm.values.scalar_type(), at::kLong);
  // 120 BPM: eight beats in four seconds, half a second apart: class 0.5 * 16.
  EXPECT_NEAR(double(rhythm.values[1][0].item<int64_t>()), 8, 1);
  EXPECT_NEAR(double(rhythm.values[1][2].item<int64_t>()), 8, 1);
  EXPECT_EQ(track(tracks, "beats").values.scalar_type(), at::kDouble);
}

TEST(ExtractMusic, TooShortSoundIsAMediaErrorThatSaysHowLongItWas) {
  test::TempFolder folder;
  write_song(folder / "short.wav", 1.5);
  EXPECT_THAT([&] { extract_music(folder / "short.wav", full_recipe()); },
              ThrowsMessage<MediaError>(HasSubstr("too short: 1.5 s")));
}

TEST(ExtractFilm, OneDecodeGivesTheSameAsSeparateCalls) {
  test::TempFolder folder;
  test::write_square_film(folder / "film.mp4", 150, 2, 1);  // 6 s at 25 frames/s, 160 x 120
  auto recipe = full_recipe();
  const auto tracks = extract_film(folder / "film.mp4", recipe).tracks;
  media::FrameJob job;
  job.fps = 3;
  const auto frames = media::read_frames(folder / "film.mp4", job);
  const auto small = video::resize(frames.pixels, 64, 128, video::ResizeKernel::opencv_bilinear);
  const auto expected = video::flow_trajectory(video::to_grey(small));
  EXPECT_TRUE(at::allclose(track(tracks, "flow").values, expected, 1e-6, 1e-6));
  EXPECT_GT(expected.max().item<float>(), 0.1f);
  job.fps = 1;
  const auto slow = media::read_frames(folder / "film.mp4", job);
  const auto grey =
      video::grey_clips(video::resize(slow.pixels, 64, 128, video::ResizeKernel::opencv_area));
  EXPECT_TRUE(at::equal(track(tracks, "grey_clips").values, grey));
  EXPECT_EQ(grey.size(0), track(tracks, "clip_flow_measures").values.size(0));
  EXPECT_EQ(track(tracks, "cuts").values.size(0), 0);
}

TEST(ExtractFilm, AFilmDecodedTwiceBecauseOfDamageGivesTheCutsAndFlowOfOnePass) {
  test::TempFolder folder;
  // Two shots, 3 s each: a moving square, then stripes in other colours.
  media::FilmWriter film(folder / "film.mp4",
                         {.width = 160, .height = 120, .channels = 0, .key_frame_every = 12});
  const test::MovingSquare square;
  const auto stripes =
      at::arange(160).div(16, "floor").remainder(2).view({1, 160, 1}) * at::tensor({40, 200, 90}) +
      at::tensor({10, 20, 120});
  for (int64_t i = 0; i < 150; ++i) {
    film.add_frame(i < 75 ? square.frame(i)
                          : stripes.roll(i, 1).expand({120, 160, 3}).to(at::kByte));
  }
  film.finish();
  // The damage comes after both: what the first try saw up to there must be forgotten.
  test::copy_film(folder / "film.mp4", folder / "damaged.mkv",
                  {.spoil_video_from = 5.1, .spoil_video_to = 5.6});
  auto recipe = full_recipe();
  recipe.flow->height = 120;
  recipe.flow->width = 160;
  const auto extracted = extract_film(folder / "damaged.mkv", recipe);
  EXPECT_FALSE(extracted.problems.empty());

  media::DecodePlan plan;
  plan.frame_jobs = {{.fps = recipe.flow->fps}};
  int restarts = 0;
  plan.on_restart = [&] { ++restarts; };
  media::decode(folder / "damaged.mkv", plan);
  EXPECT_EQ(restarts, 1);  // extract_film met the same
  plan.decode_all = true;
  const auto frames = media::decode(folder / "damaged.mkv", plan).frames[0];
  const auto flow = video::flow_trajectory(video::to_grey(frames.pixels));
  ASSERT_EQ(flow.size(0), 18);
  EXPECT_TRUE(at::allclose(track(extracted.tracks, "flow").values, flow, 1e-6, 1e-6));
  const auto cuts = video::detect_cuts(
      video::resize(frames.pixels, 48, 64, video::ResizeKernel::opencv_area), frames.shown_seconds);
  ASSERT_GE(cuts.size(), 1u);
  EXPECT_NEAR(cuts[0].seconds, 3, 0.1);
  const auto& found = track(extracted.tracks, "cuts").values;
  ASSERT_EQ(found.size(0), int64_t(cuts.size()));
  for (size_t i = 0; i < cuts.size(); ++i) {
    EXPECT_EQ(found[int64_t(i)].item<double>(), cuts[i].seconds);
  }
}

TEST(Extract, GoesOnAfterBadFilesListsThemAndResumes) {
  test::TempFolder folder;
  write_song(folder / "a.wav", 9);
  test::write_square_film(folder / "f.mp4", 150, 2, 1);
  std::ofstream(folder / "broken.mp4") << "not a film";
  store::Manifest manifest;
  manifest.items = {item("a", "music", folder / "a.wav"), item("f", "film", folder / "f.mp4", "a"),
                    item("broken", "film", folder / "broken.mp4", "a"),
                    item("gone", "film", folder / "gone.mp4", "a")};
  const auto recipe = full_recipe();
  const auto first = extract(manifest, folder / "store", recipe);
  EXPECT_EQ(first.extracted, 2);
  ASSERT_EQ(first.failures.size(), 2u);
  std::ifstream quarantine(folder / "store" / "quarantine.jsonl");
  std::string line;
  int lines = 0;
  while (std::getline(quarantine, line)) ++lines;
  EXPECT_EQ(lines, 2);

  const auto second = extract(manifest, folder / "store", recipe);
  EXPECT_EQ(second.extracted, 0);
  EXPECT_EQ(second.already_there, 2);
  const auto store = store::FeatureStore::open(folder / "store");
  EXPECT_TRUE(store->contains({"clip_flow", "film", "f"}));
  EXPECT_TRUE(stored_flow_edges(*store).has_value());
  EXPECT_EQ(stored_manifest(*store).items.size(), 4u);
}

const std::string& reason_of(const std::vector<ItemFailure>& list, const std::string& id) {
  static const std::string none = "not listed";
  for (const auto& failure : list) {
    if (failure.id == id) return failure.reason;
  }
  return none;
}

TEST(Extract, AFilmWithoutPicturesAndMusicWithoutSoundAreNamedAsSuch) {
  test::TempFolder folder;
  write_song(folder / "song.wav", 9);
  test::write_numbered_film(folder / "mute.mp4", 50, {.channels = 0});
  store::Manifest manifest;
  manifest.items = {item("sound_only", "film", folder / "song.wav"),
                    item("mute", "music", folder / "mute.mp4"),
                    item("good", "music", folder / "song.wav")};
  const auto summary = extract(manifest, folder / "store", full_recipe());
  EXPECT_EQ(summary.extracted, 1);
  ASSERT_EQ(summary.failures.size(), 2u);
  EXPECT_THAT(reason_of(summary.failures, "sound_only"), HasSubstr("has no video stream"));
  EXPECT_THAT(reason_of(summary.failures, "mute"), HasSubstr("has no sound"));
  EXPECT_TRUE(summary.damaged.empty());
}

TEST(Extract, CutMediaAreDescribedAsFarAsTheyGoAndNamed) {
  test::TempFolder folder;
  write_song(folder / "song.wav", 12);
  test::write_square_film(folder / "film.mp4", 200, 2, 1);
  const auto bytes = [&](const char* name) {
    return static_cast<int64_t>(std::filesystem::file_size(folder / name));
  };
  test::cut_file(folder / "song.wav", folder / "cut.wav", bytes("song.wav") * 6 / 10);
  // The index and the first picture are half of so short a film.
  test::cut_file(folder / "film.mp4", folder / "cut.mp4", bytes("film.mp4") * 9 / 10);
  test::cut_file(folder / "film.mp4", folder / "stub.mp4", 200);
  test::cut_file(folder / "song.wav", folder / "stub.wav", 16000);
  store::Manifest manifest;
  manifest.items = {item("cut song", "music", folder / "cut.wav"),
                    item("cut film", "film", folder / "cut.mp4"),
                    item("stub film", "film", folder / "stub.mp4"),
                    item("stub song", "music", folder / "stub.wav")};
  const auto summary = extract(manifest, folder / "store", full_recipe());
  ASSERT_EQ(summary.extracted, 2) << reason_of(summary.failures, "cut film")
                                  << reason_of(summary.failures, "cut song");
  EXPECT_THAT(reason_of(summary.damaged, "cut film"), testing::Not("not listed"));
  EXPECT_THAT(reason_of(summary.failures, "stub film"), HasSubstr("check that it is whole"));
  EXPECT_THAT(reason_of(summary.failures, "stub song"), HasSubstr("too short"));
  const auto store = store::FeatureStore::open(folder / "store");
  // 7.2 of 12 s: a clip of 4 s and one of 3.2 s; a whole song has three.
  EXPECT_EQ(store->find({"fbank", "music", "cut song"})->values.size(0), 2);
  const auto flow = store->find({"flow", "film", "cut film"})->values.size(0);
  EXPECT_GE(flow, 6);
  EXPECT_LT(flow, 23);  // 8 s whole have 24
}

TEST(Extract, TooManyBadFilesStopTheRunBeforeAnythingIsFitted) {
  test::TempFolder folder;
  test::write_square_film(folder / "f.mp4", 150, 2, 1);
  test::write_square_film(folder / "g.mp4", 150, 5, 3);
  std::ofstream(folder / "broken.mp4") << "not a film";
  store::Manifest manifest;
  manifest.items = {
      item("f", "film", folder / "f.mp4"), item("bad 1", "film", folder / "broken.mp4"),
      item("bad 2", "film", folder / "gone.mp4"), item("bad 3", "film", folder / "broken.mp4"),
      item("g", "film", folder / "g.mp4")};
  ExtractOptions options;
  options.threads = 1;
  options.max_bad = 1;
  const auto summary = extract(manifest, folder / "store", full_recipe(), options);
  EXPECT_EQ(summary.extracted, 1);
  EXPECT_FALSE(summary.interrupted);  // nobody asked for it
  ASSERT_EQ(summary.failures.size(), 2u);
  EXPECT_EQ(summary.failures[1].id, "bad 2");
  {
    const auto store = store::FeatureStore::open(folder / "store");
    EXPECT_TRUE(store->contains({"clip_flow_measures", "film", "f"}));
    EXPECT_FALSE(stored_flow_edges(*store).has_value());
    EXPECT_FALSE(store->contains({"clip_flow", "film", "f"}));
  }
  options.max_bad = -1;
  EXPECT_EQ(extract(manifest, folder / "store", full_recipe(), options).extracted, 1);
  const auto store = store::FeatureStore::open(folder / "store");
  std::vector<float> measures;
  for (const char* id : {"f", "g"}) {
    const auto values = store->find({"clip_flow_measures", "film", id})->values;
    measures.insert(measures.end(), values.const_data_ptr<float>(),
                    values.const_data_ptr<float>() + values.numel());
    EXPECT_TRUE(store->contains({"clip_flow", "film", id}));
  }
  EXPECT_EQ(video::to_json(*stored_flow_edges(*store)),
            video::to_json(video::fit_quantile_edges(measures)));
}

TEST(Extract, NamesThatAreNotUtf8AreExtractedAndKept) {
  test::TempFolder folder;
  const auto path = folder / "so\xffng \xc3\xa9.wav", gone = folder / "go\xfene.wav";
  write_song(path, 9);
  store::Manifest manifest;
  manifest.items = {item("a", "music", path), item("b", "music", gone)};
  store::write_manifest(manifest, folder / "manifest.jsonl");
  const auto read = store::read_manifest(folder / "manifest.jsonl");
  EXPECT_EQ(read.items.at(0).path, path);
  const auto summary = extract(read, folder / "store", full_recipe());
  EXPECT_EQ(summary.extracted, 1);
  EXPECT_THAT(reason_of(summary.failures, "b"), HasSubstr(gone.string()));
  const auto store = store::FeatureStore::open(folder / "store");
  EXPECT_TRUE(store->contains({"fbank", "music", "a"}));
  const auto kept = stored_manifest(*store);
  ASSERT_EQ(kept.items.size(), 2u);
  EXPECT_EQ(kept.items[0].path, path);
  EXPECT_EQ(kept.items[1].path, gone);
}

TEST(Extract, RefusesToMixOptionsInOneStore) {
  test::TempFolder folder;
  write_song(folder / "a.wav", 9);
  store::Manifest manifest;
  manifest.items = {item("a", "music", folder / "a.wav")};
  auto recipe = full_recipe();
  extract(manifest, folder / "store", recipe);
  recipe.fbank->mels = 40;
  EXPECT_THAT([&] { extract(manifest, folder / "store", recipe); },
              ThrowsMessage<InvalidArgument>(HasSubstr("the store holds \"fbank\" made with")));
}

// Tracks that come later are analysed by the store's recipe, so it must make what is there.
TEST(Extract, KeepsTheSettingsItsFeaturesWereMadeWith) {
  test::TempFolder folder;
  write_song(folder / "a.wav", 9);
  test::write_square_film(folder / "b.mp4", 150, 2, 1);
  store::Manifest music, films;
  music.items = {item("a", "music", folder / "a.wav")};
  films.items = {item("b", "film", folder / "b.mp4", "a")};
  ExtractRecipe sound;
  sound.rate_hz = 8000;
  sound.beats.emplace();
  extract(music, folder / "store", sound);
  ExtractRecipe pictures;  // 16 kHz, which matters to no feature of films
  pictures.fps = 2;
  pictures.height = pictures.width = 32;
  pictures.grey_clips = true;
  extract(films, folder / "store", pictures);
  const auto kept = stored_extract_recipe(*store::FeatureStore::open(folder / "store"));
  EXPECT_EQ(kept.rate_hz, 8000);
  EXPECT_EQ(kept.fps, 2);
  EXPECT_EQ(kept.height, 32);
  EXPECT_TRUE(kept.beats && kept.grey_clips);

  ExtractRecipe other;  // at 16 kHz
  other.energy = true;
  EXPECT_THAT([&] { extract(music, folder / "store", other); },
              ThrowsMessage<InvalidArgument>(HasSubstr("cannot share a store")));
  other.rate_hz = 8000;
  EXPECT_EQ(extract(music, folder / "store", other).extracted, 1);
}

TEST(Extract, ShardsTogetherHoldWhatOneRunHolds) {
  test::TempFolder folder;
  store::Manifest manifest;
  for (const std::string id : {"a", "b", "c"}) {
    write_song(folder / (id + ".wav"), 9, 100 + 10 * double(id[0] - 'a'));
    manifest.items.push_back(item(id, "music", folder / (id + ".wav")));
  }
  const auto recipe = full_recipe();
  extract(manifest, folder / "whole", recipe);
  for (int shard = 0; shard < 2; ++shard) {
    ExtractOptions options;
    options.shard_index = shard;
    options.shard_count = 2;
    extract(manifest, folder / "parts", recipe, options);
  }
  const auto whole = store::FeatureStore::open(folder / "whole");
  const auto parts = store::FeatureStore::open(folder / "parts");
  EXPECT_EQ(whole->keys(), parts->keys());
  for (const auto& key : whole->keys()) {
    EXPECT_TRUE(at::equal(at::nan_to_num(whole->find(key)->values),
                          at::nan_to_num(parts->find(key)->values)))
        << key.feature << " " << key.id;
  }
}

TEST(Extract, StopsCleanlyAndResumesToTheSameKeys) {
  test::TempFolder folder;
  store::Manifest manifest;
  for (int i = 0; i < 6; ++i) {
    const auto id = std::to_string(i);
    write_song(folder / (id + ".wav"), 9);
    manifest.items.push_back(item(id, "music", folder / (id + ".wav")));
  }
  std::stop_source source;
  RunControl control;
  control.stop = source.get_token();
  control.on_progress = [&](const Progress& progress) {
    if (progress.done == 2) source.request_stop();
  };
  ExtractOptions options;
  options.threads = 1;
  const auto cut = extract(manifest, folder / "store", full_recipe(), options, control);
  EXPECT_TRUE(cut.interrupted);
  EXPECT_EQ(cut.extracted, 2);
  EXPECT_TRUE(cut.failures.empty());
  const auto rest = extract(manifest, folder / "store", full_recipe());
  EXPECT_EQ(rest.already_there, 2);
  EXPECT_EQ(rest.extracted, 4);
}

}  // namespace
}  // namespace vmr::pipeline
