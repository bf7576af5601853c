// Pins the ranking by tags first: a case worked by hand, its borders, and equality with the
// published procedure, which cuts the list at the largest K.
#include "vmr/eval/tag_shortlist.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"
#include "vmr/eval/evaluation_document.h"

namespace vmr::eval {
namespace {

// Items 0 and 3 are calm (tag 0), 1 and 2 wild (tag 1); item 4 is both; item 5 has no tag.
at::Tensor carries() { return matrix({{1, 0}, {0, 1}, {0, 1}, {1, 0}, {1, 1}, {0, 0}}, at::kBool); }

TEST(TagShortlist, PutsCloserTagsFirstAndTheirItemsByScore) {
  const auto scores = matrix({{0.9, 0.1, 0.5, 0.8, 0.3, 1.0}, {0.9, 0.1, 0.5, 0.8, 0.3, 1.0}});
  const auto ranked = tag_shortlist(scores, matrix({{0.2, 0.7}, {0.6, 0.1}}), carries());
  EXPECT_EQ(ranking(ranked[0], 6), (Ids{2, 4, 1, 0, 3, 5}));  // wild, then calm, then no tag
  EXPECT_EQ(ranking(ranked[1], 6), (Ids{0, 3, 4, 2, 1, 5}));
}

TEST(TagShortlist, KeepsTiesAndUnknownScores) {
  const double nan = std::nan("");
  const auto scores = matrix({{0.5, 0.5, 0.5, 0.5, nan, 0.5}}, at::kFloat);
  const auto ranked = tag_shortlist(scores, matrix({{0, 0}}), carries());  // equal tags: calm first
  EXPECT_EQ(ranked[0][0].item<double>(), ranked[0][3].item<double>());
  EXPECT_EQ(ranked[0][1].item<double>(), ranked[0][2].item<double>());
  EXPECT_GT(ranked[0][0].item<double>(), ranked[0][1].item<double>());
  EXPECT_GT(ranked[0][1].item<double>(), ranked[0][5].item<double>());
  EXPECT_TRUE(std::isnan(ranked[0][4].item<double>()));
}

// The procedure of the publication, as its description states it.
Ids published_list(const at::Tensor& scores, const at::Tensor& tag_scores, const at::Tensor& has,
                   int64_t top) {
  const auto tags = ranking(tag_scores, tag_scores.size(0));
  std::set<int64_t> pool;
  Ids walked, list;
  for (const int64_t tag : tags) {
    walked.push_back(tag);
    for (int64_t item = 0; item < scores.size(0); ++item) {
      if (has[item][tag].item<bool>()) pool.insert(item);
    }
    if (int64_t(pool.size()) >= top) break;
  }
  for (const int64_t tag : walked) {
    int64_t missing = top - int64_t(list.size());
    for (const int64_t item : ranking(scores, scores.size(0))) {
      const bool listed = std::find(list.begin(), list.end(), item) != list.end();
      if (missing == 0 || listed || !has[item][tag].item<bool>()) continue;
      list.push_back(item);
      --missing;
    }
  }
  return list;
}

TEST(TagShortlist, BeginsAsThePublishedListOfTheLargestK) {
  at::manual_seed(5);
  const int64_t queries = 20, gallery = 60, tags = 12, top = 25;
  const auto scores = at::rand({queries, gallery});
  const auto tag_scores = at::rand({queries, tags});
  const auto has = at::rand({gallery, tags}) < 0.12;
  const auto ranked = tag_shortlist(scores, tag_scores, has);
  for (int64_t query = 0; query < queries; ++query) {
    const auto expected = published_list(scores[query], tag_scores[query], has, top);
    ASSERT_EQ(expected.size(), size_t(top));
    EXPECT_EQ(ranking(ranked[query], top), expected);
  }
}

TEST(TagShortlist, BothDirectionsHaveRankingsOfTheirOwn) {
  // Film 0 ranks track 0 first, film 1 track 0 too; asked by tracks, both are found.
  const auto films = matrix({{2, 1}, {2, 1}}), tracks = matrix({{5, 1}, {4, 3}});
  const auto document = evaluation_document(DirectedScores{films, tracks}, Ids{0, 1}, {.ks = {1}});
  EXPECT_EQ(document["video_to_music"]["recall"]["1"]["value"], 0.5);
  EXPECT_EQ(document["music_to_video"]["recall"]["1"]["value"], 1);
  EXPECT_THROW(evaluation_document(DirectedScores{films, films.narrow(1, 0, 1)}, Ids{0, 1}),
               InvalidArgument);
}

TEST(TagShortlist, RefusesWrongInput) {
  const auto scores = matrix({{1, 2, 3, 4, 5, 6}});
  EXPECT_THROW(tag_shortlist(scores, matrix({{1, 2, 3}}), carries()), InvalidArgument);
  EXPECT_THROW(tag_shortlist(scores.narrow(1, 0, 5), matrix({{1, 2}}), carries()), InvalidArgument);
  EXPECT_THROW(tag_shortlist(scores, matrix({{1, std::nan("")}}), carries()), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
