// Pins ranking files: what a run's hold against its evaluation, both formats as round trips, worked
// figures of a list of another tool, and what is refused.
#include "vmr/pipeline/rankings.h"

#include <gmock/gmock.h>

#include <fstream>

#include "pipeline/evaluation_fixture.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Rankings : public EvaluationFixture {};

TEST_F(Rankings, OfARunHaveTheFiguresOfItsEvaluationInBothFormats) {
  const auto queries = rank_split(root() / "plain", root() / "store");
  ASSERT_EQ(queries.size(), 12u + 8u);
  EXPECT_EQ(queries[0].query, "f0");
  EXPECT_EQ(queries[0].relevant, std::vector<std::string>{"m0"});
  EXPECT_EQ(queries[0].returned.size(), 9u);
  EXPECT_TRUE(std::is_sorted(queries[0].scores.rbegin(), queries[0].scores.rend()));
  const auto evaluation = evaluated("plain");
  const auto document = rankings_document(queries, {1, 5});
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    const auto &part = document.at(direction), &whole = evaluation.at(direction);
    for (const char* k : {"1", "5"}) {
      EXPECT_NEAR(part.at("at").at(k).at("hit").get<double>(),
                  whole.at("recall").at(k).at("value").get<double>(), 1e-12);
    }
    EXPECT_EQ(part.at("median_rank"), whole.at("median_rank"));
    EXPECT_EQ(part.at("absent"), 0);
  }
  for (const char* name : {"r.json", "r.csv"}) {
    const auto path = root() / name;
    write_rankings(queries, path);
    const auto read = read_rankings(path);
    ASSERT_EQ(read.size(), queries.size());
    EXPECT_EQ(read[13].returned, queries[13].returned);
    EXPECT_THAT(read[13].relevant, testing::UnorderedElementsAreArray(queries[13].relevant));
    EXPECT_NEAR(read[13].scores[2], queries[13].scores[2], 1e-7);
    EXPECT_EQ(rankings_document(read, {1, 5}), document) << name;
  }
  // The first two of each: what lies behind is absent.
  const auto cut = rank_split(root() / "plain", root() / "store", {}, 2);
  write_rankings(cut, root() / "cut.csv");
  const auto part = rankings_document(read_rankings(root() / "cut.csv"), {2}).at("video_to_music");
  EXPECT_EQ(part, rankings_document(cut, {2}).at("video_to_music"));
  EXPECT_NEAR(part.at("absent").get<double>(),
              12 * (1 - part.at("at").at("2").at("hit").get<double>()), 1e-9);
  EXPECT_GT(part.at("absent"), 0);
}

TEST(RankingFile, OfAnotherToolHasTheWorkedFigures) {
  const test::TempFolder folder;
  const auto write = [&](const std::string& text) {
    std::ofstream(folder / "r.csv") << "direction,query,rank,id,score,relevant\r\n" << text;
    return read_rankings(folder / "r.csv");
  };
  // Returned s1, s3, s5, s2, relevant s1 and "s,2"; a second query whose item is absent.
  const auto queries = write(
      "to,a,1,s1,,1\r\nto,a,2,s3,,0\r\nto,a,3,s5,,0\r\nto,a,4,\"s,\"\"2\",,1\r\n"
      "to,b,1,s1,,0\r\nto,b,,s9,,1\r\n");
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_EQ(queries[0].relevant[1], "s,\"2");
  const auto part = rankings_document(queries, {3, 5}).at("to");
  EXPECT_DOUBLE_EQ(part.at("at").at("3").at("recall"), 0.25);
  EXPECT_DOUBLE_EQ(part.at("at").at("3").at("precision"), 1 / 6.);
  EXPECT_DOUBLE_EQ(part.at("at").at("5").at("map"), 0.75 / 2);
  EXPECT_EQ(part.at("absent"), 1);
  EXPECT_TRUE(part.at("median_rank").is_null());
  EXPECT_EQ(part.at("median_rank_of_found"), 1);
  EXPECT_THAT(rankings_table({{"to", part}}), HasSubstr("median rank none, of those found 1.0; 1"));

  const auto refused = [&](const std::string& text, const std::string& reason) {
    EXPECT_THAT([&] { rankings_document(write(text), {1}); },
                ThrowsMessage<InvalidArgument>(HasSubstr(reason)));
  };
  refused("to,a,2,s1,,1\n", "line 2: expected rank 1 of a, got 2");
  refused("to,a,1,s1,1\n", "line 2: expected 6 fields, got 5");
  refused("to,a,1,s1,x,1\n", "expected a number, got \"x\"");
  refused("to,a,1,s1,,0\n", "has no relevant item");
  refused("to,a,1,s1,,1\nto,a,2,s1,,0\n", "returned twice");
  EXPECT_THROW(read_rankings(folder / "r.txt"), InvalidArgument);
}

}  // namespace
}  // namespace vmr::pipeline
