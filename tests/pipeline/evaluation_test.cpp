// Pins what `evaluate` reports: each protocol against its definition written out plainly, both
// distances and weights, the published joint score, what is refused; and the figures of
// compare_variants. The store is filled by formula: no media.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "nn/formula_weights.h"
#include "pipeline/manifest_json.h"
#include "pipeline/protocols.h"
#include "pipeline/run_inputs.h"
#include "pipeline/tiny_system.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/variants.h"
#include "vmr/train/embed_dataset.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;
using Ids = std::vector<int64_t>;

const std::vector<std::string> kTags = {"angry", "calm", "sad", "wild"};

// Test: tracks m0..m7 with one or two films, m8 without; of three tags, some tracks of two.
store::Manifest manifest() {
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

Recipe recipe_of(const std::string& name) {
  auto document = test::tiny_recipe();
  document["name"] = name;
  auto& model = document["model"];
  if (name == "cbvmr") {
    model = json::parse(R"({"kind": "cbvmr", "music_hidden": [16], "video_hidden": [16],
                            "embedding_dim": 8})");
    document["sampler"] = {{"kind", "shuffled"}, {"batch", 8}};
  }
  if (name == "dam") {
    model["tags"] = 4;
    document["loss"] = {{"tag_softmax", 1}};
  }
  return parse_recipe(document, name + ".json");
}

class Evaluation : public testing::Test {
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
  static fs::path root() { return folder_->path(); }
  static json evaluated(const std::string& run, EvaluateOptions options = {}) {
    options.resamples = 10;
    return evaluate(root() / run, root() / "store", options);
  }
  static Evaluated opened(const std::string& run, const EvaluateOptions& options = {}) {
    return load_items(open_source(root() / run, root() / "store", options), options, {});
  }
  static at::Tensor independent(const Evaluated& e, model::Distance distance) {
    return train::embedding_scores(train::embed_films(*e.model, e.items),
                                   train::embed_music(*e.model, e.items), e.model->score_slices(),
                                   distance);
  }

  static test::TempFolder* folder_;
};
test::TempFolder* Evaluation::folder_ = nullptr;

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
Ids order(const at::Tensor& scores, const at::Tensor& closeness,
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
std::pair<double, double> mean_ranks(const Evaluated& e, const at::Tensor& scores,
                                     const at::Tensor& film_close, const at::Tensor& track_close) {
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

void expect_ranks(const json& document, const std::pair<double, double>& expected) {
  EXPECT_NEAR(document.at("video_to_music").at("mean_rank").get<double>(), expected.first, 1e-9);
  EXPECT_NEAR(document.at("music_to_video").at("mean_rank").get<double>(), expected.second, 1e-9);
}

at::Tensor unit(const at::Tensor& rows) { return rows / rows.norm(2, 1, true); }

// Vectors of the split's three tags.
at::Tensor tag_vectors(const Evaluated& e) { return e.run.tags.vectors.narrow(0, 1, 3); }

TEST_F(Evaluation, TagToTagOrdersTagsByTheQuerysOwn) {
  const auto e = opened("dam");
  const auto products = unit(tag_vectors(e)).mm(unit(tag_vectors(e)).t());
  const Carried carried(e);
  const auto closeness = [&](const std::vector<std::set<int64_t>>& own) {
    std::vector<at::Tensor> rows;
    for (const auto& tags : own) {
      auto row = at::full({3}, tags.empty() ? 0.0 : -2.0);
      for (const int64_t tag : tags) row = at::maximum(row, products[tag]);
      rows.push_back(row);
    }
    return at::stack(rows);
  };
  const auto films = closeness(carried.films), tracks = closeness(carried.tracks);
  EvaluateOptions options;
  options.protocols = {Protocol::tag_to_tag};
  const auto document = evaluated("dam", options);
  const auto& part = document.at("protocols").at("tag_to_tag");
  EXPECT_TRUE(part.at("oracle").get<bool>());
  const auto scores = independent(e, model::Distance::cosine);
  expect_ranks(part, mean_ranks(e, scores, films, tracks));
  const auto joint = *train::joint_scores(*e.model, e.items, scores);
  expect_ranks(part.at("joint"), mean_ranks(e, joint, films, tracks));
  // The plain figures stand beside it, the same as alone.
  auto alone = evaluated("dam");
  EXPECT_FALSE(alone.contains("protocols"));
  EXPECT_EQ(document.at("video_to_music"), alone.at("video_to_music"));
}

TEST_F(Evaluation, RawTagProductsPreferLongVectorsAsPublished) {
  auto e = opened("dam");
  e.run.tags.vectors = at::zeros({4, 16});
  auto vectors = e.run.tags.vectors.narrow(0, 1, 3).narrow(1, 0, 2);
  vectors.copy_(at::tensor({1.0, 0.0, 0.5, 0.9, 5.0, 5.0}).view({3, 2}));
  const auto scores = independent(e, model::Distance::cosine);
  const Carried carried(e);
  // Of a calm film: calm, wild, sad by cosine; the long vector of wild first by products.
  for (const bool raw : {false, true}) {
    e.run.recipe.reference.raw_tag_products = raw;
    const auto ranked = TagRanking(Protocol::tag_to_tag, e, {}, {}).of(scores);
    const auto film = std::find(carried.films.begin(), carried.films.end(), std::set<int64_t>{0}) -
                      carried.films.begin();
    const auto closeness = raw ? at::tensor({1.0, 0.5, 5.0}) : at::tensor({1.0, 0.48, 0.7});
    EXPECT_EQ(eval::ranking(ranked.video_to_music[film], 9),
              order(scores[film], closeness, carried.tracks));
  }
}

TEST_F(Evaluation, VideoToTagOrdersTagsByRho) {
  const auto e = opened("dam");
  const auto rho = [](const at::Tensor& vectors) {
    return unit(vectors.squeeze(1).narrow(1, 8, 16));
  };
  const auto words = rho(*e.model->embed_text(tag_vectors(e))).t();
  const auto films = rho(train::embed_films(*e.model, e.items)).mm(words);
  const auto tracks = rho(train::embed_music(*e.model, e.items)).mm(words);
  EvaluateOptions options;
  options.protocols = {Protocol::video_to_tag};
  const auto part = evaluated("dam", options).at("protocols").at("video_to_tag");
  EXPECT_FALSE(part.at("oracle").get<bool>());
  expect_ranks(part, mean_ranks(e, independent(e, model::Distance::cosine), films, tracks));
  // The tags follow rho whatever the weight of theta in the score.
  options.theta_weight = 1;
  const auto theta = opened("dam", options);
  expect_ranks(evaluated("dam", options).at("protocols").at("video_to_tag"),
               mean_ranks(e, independent(theta, model::Distance::cosine), films, tracks));
}

TEST_F(Evaluation, DamOrdersTagsByTheSurestPair) {
  const auto e = opened("dam");
  const auto all = e.model
                       ->tag_scores(*train::prepare_films(*e.model, e.items),
                                    *train::prepare_music(*e.model, e.items))
                       .narrow(2, 1, 3);             // [films, tracks, 3]
  const auto surest = [](const at::Tensor& pairs) {  // [partners, 3]
    return pairs[pairs.amax(1).argmax()];
  };
  std::vector<at::Tensor> films, tracks;
  for (int64_t film = 0; film < all.size(0); ++film) films.push_back(surest(all[film]));
  for (int64_t track = 0; track < all.size(1); ++track) {
    tracks.push_back(surest(all.select(1, track)));
  }
  EvaluateOptions options;
  options.protocols = {Protocol::full, Protocol::dam};
  const auto document = evaluated("dam", options);
  EXPECT_EQ(document.at("protocols").size(), 1u);
  expect_ranks(
      document.at("protocols").at("dam"),
      mean_ranks(e, independent(e, model::Distance::cosine), at::stack(films), at::stack(tracks)));
}

// Scores of all pairs by the definition: unit theta [8] and rho [16], weight g.
at::Tensor by_definition(const Evaluated& e, double g, bool l2) {
  const auto films = train::embed_films(*e.model, e.items).squeeze(1);
  const auto tracks = train::embed_music(*e.model, e.items).squeeze(1);
  const auto part = [&](int64_t begin, int64_t size) {
    const auto a = unit(films.narrow(1, begin, size)), b = unit(tracks.narrow(1, begin, size));
    return l2 ? -(a.unsqueeze(1) - b.unsqueeze(0)).norm(2, 2) : a.mm(b.t());
  };
  return g * part(0, 8) + (1 - g) * part(8, 16);
}

TEST_F(Evaluation, DistanceAndWeightChangeTheScoreAsDefined) {
  const auto e = opened("dam");
  EvaluateOptions options;
  for (const double weight : {0.6, 0.25}) {
    for (const bool l2 : {false, true}) {
      options.theta_weight = weight;
      options.distance = l2 ? model::Distance::l2 : model::Distance::cosine;
      const auto scores = independent(opened("dam", options), options.distance);
      EXPECT_LT((scores - by_definition(e, weight, l2)).abs().max().item<double>(), 1e-5);
      const auto document = evaluated("dam", options);
      EXPECT_EQ(document.at("distance"), l2 ? "l2" : "cosine");
      EXPECT_EQ(document.at("theta_weight"), weight);
      const auto expected = eval::rank_both_ways(scores, e.items.track_of_film());
      expect_ranks(document, {eval::mean_rank(expected.video_to_music),
                              eval::mean_rank(expected.music_to_video)});
    }
  }
  EXPECT_EQ(evaluated("dam").at("theta_weight"), 0.6);  // the published one is the default
}

TEST_F(Evaluation, ThePublishedJointScoreAveragesOverTheGallery) {
  const auto e = opened("plain");
  std::vector<int64_t> places(e.items.tracks().size());
  std::iota(places.begin(), places.end(), 0);
  std::vector<at::Tensor> rows;
  for (int64_t film = 0; film < e.items.size(); ++film) {
    rows.push_back(*e.model->score_pairs(e.items.collate_video({film}),
                                         e.items.collate_music(places),
                                         model::PairScoring::gallery_mean));
  }
  const auto expected = eval::rank_both_ways(at::cat(rows), e.items.track_of_film());
  EvaluateOptions options;
  options.joint = model::PairScoring::gallery_mean;
  options.joint_limit = 0;  // would cut to a shortlist
  options.joint_shortlist = 2;
  const auto joint = evaluated("plain", options).at("joint");
  EXPECT_EQ(joint.at("scoring"), "gallery_mean");
  EXPECT_EQ(joint.at("shortlist"), 0);
  expect_ranks(
      joint, {eval::mean_rank(expected.video_to_music), eval::mean_rank(expected.music_to_video)});
}

TEST_F(Evaluation, RefusesWhatTheRunDoesNotHave) {
  const auto refused = [&](const std::string& run, Protocol protocol, const std::string& reason,
                           const std::string& store = "store") {
    EvaluateOptions options;
    options.protocols = {protocol};
    EXPECT_THAT([&] { evaluate(root() / run, root() / store, options); },
                ThrowsMessage<InvalidArgument>(HasSubstr(reason)));
  };
  refused("plain", Protocol::dam, "no trained tag classifier");
  for (const auto protocol : {Protocol::tag_to_tag, Protocol::video_to_tag, Protocol::dam}) {
    refused("cbvmr", protocol, "takes no text");
  }
  EvaluateOptions weight;
  weight.theta_weight = 0.5;
  EXPECT_THAT([&] { evaluated("cbvmr", weight); },
              ThrowsMessage<InvalidArgument>(HasSubstr("one space")));
  fs::copy(root() / "store", root() / "other", fs::copy_options::recursive);
  for (const std::string tag : {"new", ""}) {
    auto items = manifest();
    for (auto& item : items.items) {
      if (item.id == "f3" || item.id == "m3")
        item.tags = std::vector<std::string>(!tag.empty(), tag);
    }
    store::FeatureStore::open(root() / "other", {.writable = true})
        ->put_note("manifest", manifest_to_json(items).dump());
    refused("dam", Protocol::video_to_tag, tag.empty() ? "f3 has no tag" : "f3 has the tag \"new\"",
            "other");
  }
  EXPECT_TRUE(evaluate(root() / "dam", root() / "other", {}).contains("video_to_music"));
}

TEST_F(Evaluation, TagsNeedAPartOfTheScoreAndItIsSaidBeforeTheWork) {
  auto e = opened("dam");
  auto config = e.run.model->config();
  config["theta_weight"] = 1;
  e.run.model = model::make_matching_model(config);
  EXPECT_THAT([&] { check_protocol(Protocol::video_to_tag, e.run, tagged_films(e.items)); },
              ThrowsMessage<InvalidArgument>(HasSubstr("leaves nothing of rho")));
}

TEST_F(Evaluation, ClassesOfFlowMustHaveTheRunsEdges) {
  auto run = opened("plain").run;
  fs::copy(root() / "store", root() / "edges", fs::copy_options::recursive);
  const auto store = store::FeatureStore::open(root() / "edges", {.writable = true});
  store->put_note("clip_flow_edges", video::to_json({{0, 1, 2}, "quantile"}));
  const auto check = [&] { check_inputs(run, *store, root() / "edges"); };
  check();  // a run that knows of no edges
  run.about["clip_flow_edges"] = json::parse(video::to_json({{0, 1, 2}, "quantile"}));
  check();
  run.about["clip_flow_edges"] = json::parse(video::to_json({{0, 1, 3}, "quantile"}));
  EXPECT_THAT(check, ThrowsMessage<InvalidArgument>(HasSubstr("have others of that kind")));
  run.about["clip_flow_edges"] = json::parse(video::to_json(video::reference_edges()));
  EXPECT_THAT(check, ThrowsMessage<InvalidArgument>(HasSubstr("with reference edges, those of " +
                                                              (root() / "edges").string() +
                                                              " have quantile ones")));
}

// Mean rank of tracks that rank films by embeddings, then the best two anew by joint scores.
double two_films_ranked_anew(const Evaluated& e) {
  const auto first = train::embedding_scores(train::embed_films(*e.model, e.items),
                                             train::embed_music(*e.model, e.items));
  const auto joint = *train::joint_scores(*e.model, e.items, first);
  const auto& track_of = e.items.track_of_film();
  const std::set<int64_t> asking(track_of.begin(), track_of.end());
  double ranks = 0;
  for (const int64_t track : asking) {
    auto list = eval::ranking(first.select(1, track), first.size(0));
    const auto score = [&](int64_t film) { return joint[film][track].item<float>(); };
    if (score(list[1]) > score(list[0])) std::swap(list[0], list[1]);
    const auto right = std::find_if(list.begin(), list.end(),
                                    [&](int64_t film) { return track_of[size_t(film)] == track; });
    ranks += 1 + double(right - list.begin());
  }
  return ranks / double(asking.size());
}

TEST_F(Evaluation, VariantsHaveRecallAndTimes) {
  VariantsOptions options;
  options.evaluate.resamples = 10;
  options.shortlists = {2, 12};  // 12: both whole galleries
  const auto document = compare_variants(root() / "plain", root() / "store", options);
  const auto& variants = document.at("variants");
  std::vector<std::string> names;
  for (const auto& variant : variants) {
    names.push_back(variant.at("name"));
    for (const char* direction : {"video_to_music", "music_to_video"}) {
      const auto& part = variant.at(direction);
      EXPECT_EQ(part.at("queries"), direction[0] == 'v' ? 12 : 8);
      EXPECT_EQ(part.at("gallery"), direction[0] == 'v' ? 9 : 12);
      if (names.back() == "pairwise_mean" && direction[0] == 'm') {
        EXPECT_TRUE(part.at("query_ms").is_null()) << "a track alone cannot ask it";
        continue;
      }
      EXPECT_GT(part.at("prepare_ms").get<double>(), 0);
      EXPECT_GT(part.at("query_ms").at("median").get<double>(), 0);
      EXPECT_GE(part.at("query_ms").at("p95"), part.at("query_ms").at("median"));
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"independent", "pairwise_mean", "pairwise",
                                             "shortlist", "shortlist"}));
  const auto plain = evaluated("plain");
  EvaluateOptions by_mean;
  by_mean.joint = model::PairScoring::gallery_mean;
  const auto mean = evaluated("plain", by_mean);
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    const auto figure = [&](const json& part, const char* name) {
      return part.at(direction).at(name).get<double>();
    };
    const auto rank = [&](const json& part) { return figure(part, "mean_rank"); };
    EXPECT_NEAR(rank(variants[0]), rank(plain), 1e-9);
    EXPECT_NEAR(rank(variants[1]), rank(mean.at("joint")), 1e-9);
    EXPECT_NEAR(rank(variants[2]), rank(plain.at("joint")), 1e-9);
    // A shortlist needs what both of its steps need.
    EXPECT_NEAR(figure(variants[3], "prepare_ms"),
                figure(variants[0], "prepare_ms") + figure(variants[2], "prepare_ms"), 1e-9);
    EXPECT_EQ(variants[3].at("shortlist"), 2);
    // One of the whole gallery is the joint ranking.
    EXPECT_EQ(variants[4].at("shortlist"), 12);
    EXPECT_NEAR(rank(variants[4]), rank(variants[2]), 1e-9);
  }
  // A track's shortlist holds the films that are best for it, not it among those of a film.
  EXPECT_NEAR(variants[3].at("music_to_video").at("mean_rank").get<double>(),
              two_films_ranked_anew(opened("plain")), 1e-9);
  EXPECT_THAT(variants_table(document), HasSubstr("shortlist 12"));

  EXPECT_THAT([&] { compare_variants(root() / "cbvmr", root() / "store", options); },
              ThrowsMessage<InvalidArgument>(HasSubstr("no joint scores to rank a shortlist by")));
  options.shortlists.clear();
  const auto single = compare_variants(root() / "cbvmr", root() / "store", options);
  ASSERT_EQ(single.at("variants").size(), 1u);
  EXPECT_EQ(single.at("variants")[0].at("name"), "independent");
}

}  // namespace
}  // namespace vmr::pipeline
