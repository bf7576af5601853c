// Pins what a generated library promises: files, manifest, truth, splits, determinism, resuming,
// and a ceiling that falls with difficulty.
#include "vmr/synth/library.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/file_io.h"
#include "synth/library_plan.h"
#include "synth/truth_json.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/media/probe.h"
#include "vmr/store/manifest.h"

namespace vmr::synth {
namespace {

namespace fs = std::filesystem;

class Library : public testing::Test {
 protected:
  Library() {
    root_ =
        fs::temp_directory_path() / ("vmr-synth-" + std::to_string(::getpid()) + "-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
  }
  ~Library() override { fs::remove_all(root_); }

  static LibraryOptions small() {
    LibraryOptions options;
    options.tracks = 3;
    options.films_per_track = 1;
    options.min_seconds = 2;
    options.max_seconds = 3;
    options.width = 96;
    options.height = 64;
    options.threads = 2;
    return options;
  }

  static nlohmann::json truth(const fs::path& folder, const std::string& id) {
    return nlohmann::json::parse(detail::read_file(folder / "truth" / (id + ".json")));
  }

  fs::path root_;
};

TEST_F(Library, IsFilmsAndSongsWithTheirTruth) {
  const LibrarySummary summary = generate_library(root_, small());
  EXPECT_EQ(summary.rendered, 6);
  EXPECT_TRUE(summary.failed.empty());
  EXPECT_FALSE(summary.stopped);
  EXPECT_GT(summary.media_seconds, 3 * (2 + 3) - 1e-6);
  const store::Manifest manifest = store::read_manifest(summary.manifest);
  EXPECT_EQ(manifest.of("film").size(), 3u);
  for (const auto& item : manifest.items) {
    const nlohmann::json told = truth(root_, item.id);
    const media::MediaInfo info = media::probe(item.path);
    EXPECT_NEAR(info.duration_seconds, std::stod(item.fields.at("duration")), 0.08) << item.id;
    EXPECT_EQ(told["tags"][0], item.tags[0]);
    EXPECT_TRUE(item.split == "train" || item.split == "valid" || item.split == "test");
    EXPECT_FALSE(item.fields.at("title").empty());
    if (item.kind == "film") {
      EXPECT_EQ(told["labels"]["texture"], item.fields.at("texture"));
      EXPECT_EQ(told["motion_pixels_per_second"].size(), told["frames"]);
      EXPECT_EQ(item.split, manifest.find("music", item.track)->split);
    } else {
      EXPECT_EQ(told["labels"]["instruments"], item.fields.at("instruments"));
      EXPECT_GT(told["beats"].size(), 2u);
    }
  }
}

TEST_F(Library, IsTheSameWhateverTheThreads) {
  LibraryOptions one = small();
  one.threads = 1;
  generate_library(root_ / "a", one);
  generate_library(root_ / "b", small());
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "a")) {
    if (!entry.is_regular_file()) continue;
    const fs::path other = root_ / "b" / fs::relative(entry.path(), root_ / "a");
    EXPECT_EQ(hash_file(entry.path()), hash_file(other)) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 6 + 6 + 2);  // media, truth, manifest and library.json
}

TEST_F(Library, GoesOnWhereItWasStopped) {
  generate_library(root_ / "whole", small());
  std::stop_source source;
  LibraryOptions options = small();
  options.threads = 1;
  RunControl control;
  control.stop = source.get_token();
  control.on_progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.total, 6);
    if (progress.done == 3) source.request_stop();
  };
  const LibrarySummary first = generate_library(root_ / "parts", options, control);
  EXPECT_TRUE(first.stopped);
  EXPECT_EQ(first.rendered, 3);
  EXPECT_EQ(store::read_manifest(first.manifest).items.size(), 3u);
  const LibrarySummary second = generate_library(root_ / "parts", options);
  EXPECT_EQ(second.reused, 3);
  EXPECT_EQ(second.rendered, 3);
  EXPECT_EQ(hash_file(root_ / "whole" / "manifest.jsonl"), hash_file(second.manifest));
  // Another difficulty concerns the films only; more tracks leave the first as they are.
  options.difficulty = 0.8;
  options.tracks = 4;
  const LibrarySummary third = generate_library(root_ / "parts", options);
  EXPECT_EQ(third.reused, 3);
  EXPECT_EQ(third.rendered, 5);
}

TEST_F(Library, ReportsWhatItCouldNotMake) {
  LibraryOptions options = small();
  fs::create_directories(root_ / "truth" / "t00001.json");  // a folder where a file should be
  const LibrarySummary summary = generate_library(root_, options);
  ASSERT_EQ(summary.failed.size(), 1u);
  EXPECT_EQ(summary.failed[0].id, "t00001");
  const store::Manifest manifest = store::read_manifest(summary.manifest);
  EXPECT_EQ(manifest.find("music", "t00001"), nullptr);
  EXPECT_EQ(manifest.of("film").size(), 2u);
}

TEST_F(Library, NamesTheOptionThatIsWrong) {
  LibraryOptions options = small();
  options.difficulty = 2;
  try {
    generate_library(root_, options);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("difficulty"), std::string::npos);
  }
}

TEST_F(Library, SplitsByTrackInTheSharesAskedWithEveryMood) {
  LibraryOptions options;
  options.tracks = 240;
  std::map<std::string, int> counts;
  std::map<std::string, std::map<int, int>> moods;
  for (const PlannedTrack& track : plan_tracks(options, {".flac"})) {
    ++counts[track.split];
    ++moods[track.split][track.state.mood];
  }
  EXPECT_EQ(counts["train"], 144);
  EXPECT_EQ(counts["valid"], 24);
  EXPECT_EQ(counts["test"], 72);
  for (const auto& [split, of_mood] : moods) {
    EXPECT_EQ(of_mood.size(), static_cast<size_t>(kMoods)) << split;
  }
}

// Writes the manifest and truth of a library without rendering it.
void write_truth_only(const fs::path& folder, const LibraryOptions& options) {
  store::Manifest manifest;
  fs::create_directories(folder / "truth");
  const auto tracks = plan_tracks(options, {".flac"});
  for (size_t i = 0; i < tracks.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    const SongTruth music = plan_song(tracks[i].state);
    manifest.items.push_back(music_item(folder, tracks[i]));
    detail::write_file_atomically(truth_path(folder, tracks[i].id),
                                  track_truth(tracks[i].id, tracks[i].state, music).dump());
    const FilmOptions film = film_options(options, index, 0);
    const Observation seen = observe(tracks[i].state, options.difficulty, options.seed, index, 0);
    const FilmScript script = write_film_script(seen, music, film);
    manifest.items.push_back(film_item(folder, tracks[i], 0, film, "dots"));
    const std::string id = film_id(tracks[i], 0);
    detail::write_file_atomically(truth_path(folder, id),
                                  film_truth(id, tracks[i].id, seen, script).dump());
  }
  store::write_manifest(manifest, folder / "manifest.jsonl");
}

double recall_at_1(const at::Tensor& scores) {
  const at::Tensor best = scores.argmax(1);
  return best.eq(at::arange(scores.size(0))).to(at::kDouble).mean().item<double>();
}

TEST_F(Library, HiddenTruthIsACeilingThatFallsWithDifficulty) {
  std::vector<double> style_only, with_cuts;
  for (const double difficulty : {0.0, 0.3, 1.0}) {
    LibraryOptions options;
    options.tracks = 72;
    options.train_share = options.valid_share = 0;
    options.difficulty = difficulty;
    options.min_seconds = options.max_seconds = 8;
    const fs::path folder = root_ / std::to_string(difficulty);
    write_truth_only(folder, options);
    const auto truth = hidden_truth_scores(folder, "test");
    ASSERT_EQ(truth.scores.sizes(), (std::vector<int64_t>{72, 72}));
    ASSERT_EQ(truth.films.size(), 72u);
    ASSERT_EQ(truth.tracks.size(), 72u);
    EXPECT_EQ(truth.films[71].substr(0, truth.tracks[71].size()), truth.tracks[71]);
    with_cuts.push_back(recall_at_1(truth.scores));
    style_only.push_back(recall_at_1(hidden_truth_scores(folder, "test", false).scores));
    EXPECT_EQ(hidden_truth_scores(folder, "train").scores.size(0), 0);
  }
  EXPECT_GT(style_only[0], 0.97);
  EXPECT_GT(style_only[1], 0.4);  // chance is 1/72
  EXPECT_LT(style_only[1], 0.9);
  EXPECT_LT(style_only[2], 0.25);
  EXPECT_GT(style_only[2], 2.0 / 72);
  EXPECT_GE(with_cuts[1], style_only[1]);
  EXPECT_LT(with_cuts[2], with_cuts[1]);
}

}  // namespace
}  // namespace vmr::synth
