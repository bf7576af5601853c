// Pins joint scores in `evaluate`, the published one and those of shortlists both ways; ties and
// protocols as options; and the figures of compare_variants.
#include <gmock/gmock.h>

#include <map>
#include <numeric>

#include "pipeline/evaluation_fixture.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/variants.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

class JointEvaluation : public EvaluationFixture {};

TEST_F(JointEvaluation, ThePublishedJointScoreAveragesOverTheGallery) {
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

// Rank of the best right item where the `length` best by `first` stand in the order of `joint`.
double rank_in_shortlist(const at::Tensor& first, const at::Tensor& joint, int64_t length,
                         const std::set<int64_t>& right) {
  auto list = eval::ranking(first, first.size(0));
  std::stable_sort(list.begin(), list.begin() + length, [&](int64_t a, int64_t b) {
    return joint[a].item<double>() > joint[b].item<double>();
  });
  const auto found =
      std::find_if(list.begin(), list.end(), [&](int64_t item) { return right.count(item) > 0; });
  return double(found - list.begin()) + 1;
}

TEST_F(JointEvaluation, EachQueryOfBothDirectionsHasAShortlistOfItsOwn) {
  const auto e = opened("plain");
  const auto first = independent(e, Distance::cosine);
  const auto joint = *train::joint_scores(*e.model, e.items, first);
  const auto& track_of = e.items.track_of_film();
  std::map<int64_t, std::set<int64_t>> films_of;
  for (size_t film = 0; film < track_of.size(); ++film) films_of[track_of[film]].insert(film);
  for (const int64_t length : {2, 5}) {
    double films = 0, tracks = 0;
    for (size_t film = 0; film < track_of.size(); ++film) {
      const auto at = int64_t(film);
      films += rank_in_shortlist(first[at], joint[at], length, {track_of[film]});
    }
    for (const auto& [track, right] : films_of) {
      tracks += rank_in_shortlist(first.select(1, track), joint.select(1, track), length, right);
    }
    EvaluateOptions options;
    options.joint_limit = 1;
    options.joint_shortlist = length;
    const auto part = evaluated("plain", options).at("joint");
    EXPECT_EQ(part.at("shortlist"), length);
    expect_ranks(part, {films / double(track_of.size()), tracks / double(films_of.size())});
  }
}

TEST_F(JointEvaluation, RanksTiesByTheRuleAskedFor) {
  // Items whose features are those of others tie with them.
  test::TempFolder elsewhere;
  std::filesystem::copy(root() / "store", elsewhere / "store",
                        std::filesystem::copy_options::recursive);
  {
    const auto store = store::FeatureStore::open(elsewhere / "store", {.writable = true});
    for (const std::string feature : {"conformer_audio", "rhythm"}) {
      store->put({{{feature, "music", "m1"}, *store->find({feature, "music", "m0"})}});
    }
  }
  EvaluateOptions options;
  std::map<eval::Ties, double> ranks;
  for (const auto ties : {eval::Ties::optimistic, eval::Ties::expected, eval::Ties::pessimistic}) {
    options.ties = ties;
    options.resamples = 10;
    const auto part = evaluate(root() / "plain", elsewhere / "store", options).at("video_to_music");
    EXPECT_EQ(part.at("ties").at("rule"), eval::name_of(ties));
    EXPECT_EQ(part.at("ties").at("queries"), 4);  // the films of m0 and m1
    EXPECT_TRUE(part.at("ties").contains("warning"));
    ranks[ties] = part.at("mean_rank");
  }
  EXPECT_NEAR(ranks[eval::Ties::pessimistic], ranks[eval::Ties::optimistic] + 4.0 / 12, 1e-9);
  EXPECT_NEAR(ranks[eval::Ties::expected], ranks[eval::Ties::optimistic] + 2.0 / 12, 1e-9);
}

TEST_F(JointEvaluation, TheRecipesProtocolIsTheOneReportedWithoutAnother) {
  test::TempFolder elsewhere;
  std::filesystem::copy(root() / "dam", elsewhere / "dam",
                        std::filesystem::copy_options::recursive);
  auto recipe = read_recipe(elsewhere / "dam" / "recipe.json");
  recipe.evaluate.protocol = "video_to_tag";
  write_recipe(recipe, elsewhere / "dam" / "recipe.json");
  EvaluateOptions options;
  options.resamples = 10;
  const auto own = evaluate(elsewhere / "dam", root() / "store", options);
  ASSERT_EQ(own.at("protocols").size(), 1u);
  options.protocols = {Protocol::video_to_tag};
  EXPECT_EQ(own, evaluate(root() / "dam", root() / "store", options));
  options.protocols = {Protocol::full};
  EXPECT_FALSE(evaluate(elsewhere / "dam", root() / "store", options).contains("protocols"));
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

TEST_F(JointEvaluation, VariantsHaveRecallAndTimes) {
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
