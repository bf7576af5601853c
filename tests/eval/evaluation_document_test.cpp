// Pins the evaluation document of a case worked by hand: relevance by track in both directions,
// chance levels, ties, intervals over tracks, and its table.
#include "vmr/eval/evaluation_document.h"

#include <cmath>

#include "eval/eval_fixture.h"
#include "vmr/core/error.h"
#include "vmr/eval/bootstrap.h"

namespace vmr::eval {
namespace {

// Films 0 and 1 belong to track 0, film 2 to track 2; track 1 has no film.
const Ids kFilmTracks = {0, 0, 2};
at::Tensor scores() {
  return matrix({{0.9, 0.2, 0.1},    // rank 1
                 {0.3, 0.8, 0.1},    // rank 2
                 {0.7, 0.6, 0.5}});  // rank 3
}

nlohmann::json document(const EvaluationOptions& options = {.ks = {1, 2, 3}}) {
  return evaluation_document(scores(), kFilmTracks, options);
}

TEST(EvaluationDocument, EqualsTheWorkedCase) {
  const auto films = document().at("video_to_music");
  EXPECT_EQ(films.at("queries"), 3);
  EXPECT_EQ(films.at("gallery"), 3);
  EXPECT_NEAR(films["recall"]["1"]["value"].get<double>(), 1 / 3., 1e-12);
  EXPECT_NEAR(films["recall"]["2"]["value"].get<double>(), 2 / 3., 1e-12);
  EXPECT_NEAR(films["recall"]["3"]["value"].get<double>(), 1, 1e-12);
  EXPECT_NEAR(films["recall"]["1"]["chance"].get<double>(), 1 / 3., 1e-12);
  EXPECT_NEAR(films["recall"]["2"]["chance"].get<double>(), 2 / 3., 1e-12);
  EXPECT_EQ(films.at("median_rank"), 2);
  EXPECT_NEAR(films.at("mrr").get<double>(), (1 + 1 / 2. + 1 / 3.) / 3, 1e-12);
  EXPECT_NEAR(films.at("mean_log_rank").get<double>(), std::log(6.) / 3, 1e-12);
  EXPECT_EQ(films["ties"]["queries"], 0);
  EXPECT_EQ(films["ties"]["rule"], "index_ascending");

  // Track 0 finds film 0 first; track 2 has scores 0.1, 0.1, 0.5 and finds film 2 first.
  const auto tracks = document().at("music_to_video");
  EXPECT_EQ(tracks.at("queries"), 2);
  EXPECT_EQ(tracks.at("gallery"), 3);
  EXPECT_EQ(tracks["recall"]["1"]["value"], 1);
  EXPECT_EQ(tracks.at("median_rank"), 1);
  // Track 0 has two films of three, track 2 one.
  EXPECT_NEAR(tracks["recall"]["1"]["chance"].get<double>(), (2 / 3. + 1 / 3.) / 2, 1e-12);
  EXPECT_NEAR(tracks["recall"]["2"]["chance"].get<double>(), (1 + 2 / 3.) / 2, 1e-12);
}

TEST(EvaluationDocument, TakesIntervalsOverTracks) {
  const auto entry = document({.ks = {1}, .resamples = 200, .seed = 4})["video_to_music"]["recall"];
  const auto expected = cluster_bootstrap_mean(std::vector<double>{1, 0, 0}, kFilmTracks,
                                               {.resamples = 200, .seed = 4});
  EXPECT_EQ(entry["1"]["low"], expected.low);
  EXPECT_EQ(entry["1"]["high"], expected.high);
  // Both tracks drawn twice or once each: the mean is 1/3, 1/2 or 0.
  EXPECT_EQ(entry["1"]["low"], 0);
  EXPECT_EQ(entry["1"]["high"], 0.5);
  const auto single = evaluation_document(matrix({{1, 0}}), Ids{0});
  EXPECT_TRUE(single["video_to_music"]["recall"]["1"]["low"].is_null());
}

TEST(EvaluationDocument, WarnsOfCollapsedEmbeddings) {
  const auto collapsed = evaluation_document(matrix({{1, 1}, {1, 1}}), Ids{0, 1},
                                             {.ks = {1}, .ties = Ties::pessimistic});
  EXPECT_EQ(collapsed["video_to_music"]["recall"]["1"]["value"], 0);
  EXPECT_EQ(collapsed["video_to_music"]["ties"]["share"], 1);
  EXPECT_TRUE(collapsed["video_to_music"]["ties"].contains("warning"));
  EXPECT_NE(evaluation_table(collapsed).find("warning: 2 of 2 queries"), std::string::npos);
}

TEST(EvaluationDocument, RefusesWrongInput) {
  EXPECT_THROW(evaluation_document(scores(), Ids{0, 0}), InvalidArgument);
  EXPECT_THROW(evaluation_document(scores(), Ids{0, 0, 3}), InvalidArgument);
  EXPECT_THROW(document({.ks = {0}}), InvalidArgument);
  EXPECT_THROW(document({.ks = {}}), InvalidArgument);
}

TEST(EvaluationTable, ShowsPercentInOrderOfK) {
  const std::string table = evaluation_table(document({.ks = {2, 10, 1}, .resamples = 200}));
  EXPECT_NE(table.find("video to music: 3 queries, gallery 3"), std::string::npos);
  EXPECT_NE(table.find("  recall@1       33.3       0.0 .. 50.0     33.3\n"), std::string::npos)
      << table;
  EXPECT_LT(table.find("recall@2"), table.find("recall@10"));
  EXPECT_NE(table.find("median rank 2.0, mean rank 2.0, MRR 0.611"), std::string::npos) << table;
  EXPECT_THROW(evaluation_table(nlohmann::json::object()), InvalidArgument);
}

}  // namespace
}  // namespace vmr::eval
