// Pins what `evaluate` reports: each protocol against its definition written out plainly, both
// distances and weights, and what is refused.
#include <gmock/gmock.h>

#include "pipeline/evaluation_fixture.h"
#include "pipeline/run_inputs.h"
#include "vmr/core/error.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Evaluation : public EvaluationFixture {};

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
  const auto scores = independent(e, Distance::cosine);
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
  const auto scores = independent(e, Distance::cosine);
  const Carried carried(e);
  // Of a calm film: calm, wild, sad by cosine; the long vector of wild first by products.
  for (const bool raw : {false, true}) {
    e.run.recipe.reference.raw_tag_products = raw;
    const auto ranked = TagRanking(Protocol::tag_to_tag, e, {}, {}).of({scores, scores});
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
  expect_ranks(part, mean_ranks(e, independent(e, Distance::cosine), films, tracks));
  // The tags follow rho whatever the weight of theta in the score.
  options.theta_weight = 1;
  const auto theta = opened("dam", options);
  expect_ranks(evaluated("dam", options).at("protocols").at("video_to_tag"),
               mean_ranks(e, independent(theta, Distance::cosine), films, tracks));
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
  expect_ranks(document.at("protocols").at("dam"), mean_ranks(e, independent(e, Distance::cosine),
                                                              at::stack(films), at::stack(tracks)));
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
      options.distance = l2 ? Distance::l2 : Distance::cosine;
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

}  // namespace
}  // namespace vmr::pipeline
