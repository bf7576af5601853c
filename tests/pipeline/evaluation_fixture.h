// Runs of three kinds of model on a store filled by formula (no media), and rankings by tags
// written out plainly: what the tests of `evaluate` share.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "nn/formula_weights.h"
#include "pipeline/manifest_json.h"
#include "pipeline/protocols.h"
#include "pipeline/tiny_system.h"
#include "support/temp_folder.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {

using Ids = std::vector<int64_t>;

inline const std::vector<std::string> kTags = {"angry", "calm", "sad", "wild"};

// Test: tracks m0..m7 with one or two films, m8 without; of three tags, some tracks of two.
inline store::Manifest manifest() {
  store::Manifest result;
  const auto add = [&](const std::string& id, const std::string& kind, const std::string& split,
                       const std::string& tag, const std::string& track = "") {
    result.items.push_back({id, kind, id + ".mp4", track, {tag}, split, {}});
  };
  for (int i = 0; i < 12; ++i) {
    const auto id = std::to_string(i);
    add("t" + id, "music", "train", kTags[i % 4]);
    add("g" + id, "film", "train", kTags[i % 4], "t" + id);
    if (i < 9) add("m" + id, "music", "test", kTags[1 + i % 3]);
    const int track = i % 8;
    const int tag = 1 + (i < 8 ? track % 3 : (track + 1) % 3);
    add("f" + id, "film", "test", kTags[size_t(tag)], "m" + std::to_string(track));
  }
  return result;
}

inline Recipe recipe_of(const std::string& name) {
  auto document = test::tiny_recipe();
  document["name"] = name;
  auto& model = document["model"];
  if (name == "cbvmr") {
    model = nlohmann::json::parse(R"({"kind": "cbvmr", "music_hidden": [16], "video_hidden": [16],
                            "embedding_dim": 8})");
    document["sampler"] = {{"kind", "shuffled"}, {"batch", 8}};
  }
  if (name == "dam") {
    model["tags"] = 4;
    document["loss"] = {{"tag_softmax", 1}};
  }
  return parse_recipe(document, name + ".json");
}

class EvaluationFixture : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempFolder;
    const auto store = store::FeatureStore::open(root() / "store", {.writable = true});
    const auto items = manifest();
    store->put_note("manifest", manifest_to_json(items).dump());
    for (const auto& item : items.items) {
      const auto put = [&](const std::string& feature, const at::Tensor& values) {
        store->put({{{feature, item.kind, item.id},
                     {values.contiguous(), RowTimes::regular(3, 0, 4, 4), {feature}}}});
      };
      const auto classes = [&](at::IntArrayRef shape) {
        return (test::formula_values(item.id + "c", shape) * 8 + 8).floor().to(at::kLong);
      };
      const bool film = item.kind == "film";
      put(film ? "conformer_video" : "conformer_audio", test::formula_values(item.id, {3, 16}));
      put(film ? "clip_flow" : "rhythm", film ? classes({3}) : classes({3, 3}));
    }
    for (const std::string name : {"dam", "plain", "cbvmr"}) {
      train_matching(recipe_of(name), root() / "store", root() / name);
    }
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::filesystem::path root() { return folder_->path(); }
  static nlohmann::json evaluated(const std::string& run, EvaluateOptions options = {}) {
    options.resamples = 10;
    return evaluate(root() / run, root() / "store", options);
  }
  static Evaluated opened(const std::string& run, const EvaluateOptions& options = {}) {
    return load_items(open_source(root() / run, root() / "store", options), options, {});
  }
  static at::Tensor independent(const Evaluated& e, Distance distance) {
    return train::embedding_scores(train::embed_films(*e.model, e.items),
                                   train::embed_music(*e.model, e.items), e.model->score_slices(),
                                   distance);
  }

  static inline test::TempFolder* folder_ = nullptr;
};
// Which of the three tags of the split each film and each track has.
struct Carried {
  std::vector<std::set<int64_t>> films, tracks;
  explicit Carried(const Evaluated& e) : tracks(e.items.tracks().size()) {
    for (int64_t film = 0; film < e.items.size(); ++film) {
      const auto tag = e.items.tags()[size_t(e.items.tag_of_film()[size_t(film)])];
      const auto place = std::find(kTags.begin() + 1, kTags.end(), tag) - kTags.begin() - 1;
      films.push_back({place});
      tracks[size_t(e.items.track_of_film()[size_t(film)])].insert(place);
    }
  }
};

// The gallery in the order of the tags, the items of a tag by score, those without a tag last.
inline Ids order(const at::Tensor& scores, const at::Tensor& closeness,
                 const std::vector<std::set<int64_t>>& carried) {
  Ids result;
  const auto by_score = eval::ranking(scores, scores.size(0));
  const auto append = [&](const auto& wanted) {
    for (const int64_t item : by_score) {
      const bool there = std::find(result.begin(), result.end(), item) != result.end();
      if (!there && wanted(item)) result.push_back(item);
    }
  };
  for (const int64_t tag : eval::ranking(closeness, closeness.size(0))) {
    append([&](int64_t item) { return carried[size_t(item)].count(tag) > 0; });
  }
  append([](int64_t) { return true; });
  return result;
}

// Mean rank both ways of rankings by tags. film_close [films, 3], track_close [tracks, 3].
inline std::pair<double, double> mean_ranks(const Evaluated& e, const at::Tensor& scores,
                                            const at::Tensor& film_close,
                                            const at::Tensor& track_close) {
  const Carried carried(e);
  const auto& track_of = e.items.track_of_film();
  double films = 0, tracks = 0;
  std::set<int64_t> asking(track_of.begin(), track_of.end());
  for (int64_t film = 0; film < e.items.size(); ++film) {
    const auto list = order(scores[film], film_close[film], carried.tracks);
    films += 1 + double(std::find(list.begin(), list.end(), track_of[size_t(film)]) - list.begin());
  }
  for (const int64_t track : asking) {
    const auto list = order(scores.select(1, track), track_close[track], carried.films);
    const auto right = [&](int64_t film) { return track_of[size_t(film)] == track; };
    tracks += 1 + double(std::find_if(list.begin(), list.end(), right) - list.begin());
  }
  return {films / double(e.items.size()), tracks / double(asking.size())};
}

inline void expect_ranks(const nlohmann::json& document,
                         const std::pair<double, double>& expected) {
  EXPECT_NEAR(document.at("video_to_music").at("mean_rank").get<double>(), expected.first, 1e-9);
  EXPECT_NEAR(document.at("music_to_video").at("mean_rank").get<double>(), expected.second, 1e-9);
}

}  // namespace vmr::pipeline
