// Pins what recipe errors say: file, key path, expectation, actual value, nearest known key.
#include "vmr/core/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmr {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(JsonReader, KeepsDefaultsOfAbsentKeysAndReadsTheOthers) {
  const auto json = nlohmann::json::parse(R"({"mels": 40, "inner": {"rate": 2.5}})");
  JsonReader reader(json, "r.json");
  int mels = 80, frames = 7;
  double rate = 1;
  reader.field("mels", mels);
  reader.field("frames", frames);
  reader.object("inner", [&](JsonReader& inner) { inner.field("rate", rate); });
  reader.finish();
  EXPECT_EQ(mels, 40);
  EXPECT_EQ(frames, 7);
  EXPECT_EQ(rate, 2.5);
}

TEST(JsonReader, NamesFilePathAndTypeOfAWrongValue) {
  const auto json = nlohmann::json::parse(R"({"audio": {"mels": "many"}})");
  JsonReader reader(json, "r.json");
  int mels = 80;
  const auto read = [&] {
    reader.object("audio", [&](JsonReader& inner) { inner.field("mels", mels); });
  };
  EXPECT_THAT(read, ThrowsMessage<InvalidArgument>(
                        HasSubstr("r.json: audio.mels: expected a whole number, got \"many\"")));
}

TEST(JsonReader, UnknownKeysNameTheNearestKnownOne) {
  const auto json = nlohmann::json::parse(R"({"lerning_rate": 1})");
  JsonReader reader(json, "r.json");
  double rate = 0;
  reader.field("learning_rate", rate);
  EXPECT_THAT([&] { reader.finish(); },
              ThrowsMessage<InvalidArgument>(HasSubstr("did you mean \"learning_rate\"?")));
}

TEST(NearestName, ABeginningIsNearButACloserNameWins) {
  const std::vector<std::string> names = {"demo", "demo_small", "ut_cmvmr_se"};
  EXPECT_EQ(nearest_name("demo_smal", names), "demo_small");
  EXPECT_EQ(nearest_name("demo_smll", names), "demo_small");
  EXPECT_EQ(nearest_name("demo_", names), "demo");
  EXPECT_EQ(nearest_name("ut_cmvmr", names), "ut_cmvmr_se");
  EXPECT_EQ(nearest_name("ut_cmvmr_se_and_more", names), "ut_cmvmr_se");
  EXPECT_EQ(nearest_name("zzzz", names), "");
}

TEST(JsonReader, ChoicesListWhatIsThere) {
  const auto json = nlohmann::json::parse(R"({"method": "farnebak"})");
  JsonReader reader(json, "r.json");
  int method = 0;
  const auto read = [&] { reader.choice<int>("method", method, {{"farneback", 1}, {"dis", 2}}); };
  EXPECT_THAT(read, ThrowsMessage<InvalidArgument>(HasSubstr("did you mean \"farneback\"")));
}

TEST(JsonReader, RefusesWholeNumbersThatDoNotFit) {
  const auto json = nlohmann::json::parse(R"({"n": 5000000000})");
  JsonReader reader(json, "r.json");
  int n = 0;
  EXPECT_THROW(reader.field("n", n), InvalidArgument);
}

}  // namespace
}  // namespace vmr
