// Pins what every operator matches and where parse errors point.
#include "vmr/retrieval/filter.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace {

const nlohmann::json kTrack = nlohmann::json::parse(R"({
  "id": "m1", "title": "Deep Blue, again", "genre": "Rock", "tags": ["calm", "night drive"],
  "bpm": 118.5, "duration": 60, "license": "by-nc", "year": "1999", "vocals": false,
  "isrc": null, "keys": [3, 7]})");

bool matches(const std::string& text) { return Filter::parse(text).matches(kTrack); }

TEST(Filter, MatchesEveryOperatorAsDocumented) {
  const std::vector<std::string> yes = {"",
                                        "  ",
                                        "genre=rock",
                                        "genre=ROCK",
                                        "genre=pop,rock",
                                        "genre!=pop",
                                        "genre!=pop,jazz",
                                        "missing!=nc",
                                        "tags:calm",
                                        "tags=calm",
                                        "tags:\"night drive\"",
                                        "tags:x,calm",
                                        "tags!=pop",
                                        "bpm:100..120",
                                        "bpm:118.5..118.5",
                                        "bpm:100..",
                                        "bpm:..118.5",
                                        "bpm=118.5",
                                        "bpm:118.5",
                                        "bpm:1..2,118..119",
                                        "duration<60.5",
                                        "duration<=60",
                                        "duration>=60",
                                        "duration>59.9",
                                        "duration=60",
                                        "duration=60.0",
                                        "year=1999",
                                        "year:1990..1999",
                                        "year<2000",
                                        "year>1998.5",
                                        "vocals=false",
                                        "vocals!=true",
                                        "title:\"deep blue\"",
                                        "title=\"Deep Blue, again\"",
                                        "title:blue",
                                        "genre:*",
                                        "tags:*",
                                        "keys=7",
                                        "keys:5..8",
                                        "id=m1",
                                        "genre=rock bpm:100..120 license!=nc",
                                        "keys>6"};
  for (const std::string& text : yes) EXPECT_TRUE(matches(text)) << text;
  const std::vector<std::string> no = {"genre=pop",      "genre=roc",
                                       "genre!=rock",    "genre!=pop,rock",
                                       "missing=nc",     "missing:*",
                                       "isrc:*",         "tags:cal",
                                       "tags!=calm",     "tags:night",
                                       "bpm:118.6..",    "bpm:..118.4",
                                       "bpm:118",        "bpm=118",
                                       "duration<60",    "duration>60",
                                       "duration<=59.9", "duration>=60.1",
                                       "genre<5",        "genre:1..5",
                                       "missing<5",      "year>1999",
                                       "vocals=true",    "title=\"deep blue\"",
                                       "title:green",    "genre=rock bpm:1..2",
                                       "keys=5",         "keys>7"};
  for (const std::string& text : no) EXPECT_FALSE(matches(text)) << text;
}

TEST(Filter, ErrorsNameThePositionAndWhatWasExpected) {
  const auto error = [](const std::string& text) -> std::string {
    try {
      Filter::parse(text);
    } catch (const InvalidArgument& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(error("genre="),
            "filter: at position 7: expected a value for 'genre', got the end: genre=");
  EXPECT_EQ(error("bpm:100..120 genre"),
            "filter: at position 19: expected one of = != : < <= > >= after 'genre', got the end: "
            "bpm:100..120 genre");
  EXPECT_EQ(error("genre rock").find("filter: at position 6: expected one of"), 0u);
  EXPECT_EQ(error("=rock").find("filter: at position 1: expected a field name, got '='"), 0u);
  EXPECT_EQ(error("a=1 bpm<fast").find("filter: at position 9: expected a number, got 'f'"), 0u);
  EXPECT_EQ(error("bpm:120..100").find("filter: at position 5: expected a range whose first"), 0u);
  EXPECT_EQ(error("bpm:x..100").find("filter: at position 5: expected a range like"), 0u);
  EXPECT_EQ(error("bpm:..").find("filter: at position 5: expected a range like"), 0u);
  EXPECT_EQ(error("title:\"deep").find("filter: at position 12: expected a closing quote"), 0u);
  EXPECT_EQ(error("title:\"deep\"x").find("filter: at position 13: expected a space or ','"), 0u);
  EXPECT_EQ(error("a=1,,2").find("filter: at position 5: expected a value for 'a', got ','"), 0u);
}

TEST(Filter, OfNothingIsEmpty) {
  EXPECT_TRUE(Filter().empty());
  EXPECT_TRUE(Filter::parse(" ").empty());
  EXPECT_FALSE(Filter::parse("a=1").empty());
  EXPECT_EQ(Filter::parse("a=1 b:2,3").conditions().at(1).values.size(), 2u);
}

}  // namespace
}  // namespace vmr::retrieval
