// Pins shards (union, conflicts, main wins), merging that survives a kill at any commit,
// compaction, what check_store names, and that no care of a store drops the only whole copy of a
// value.
#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;

class StoreCareTest : public StoreTest {
 protected:
  void fill_shards() {
    for (int shard = 0; shard < 3; ++shard) {
      auto store = writer(shard, 3);
      for (int i = shard; i < 12; i += 3)
        store->put({{key(std::to_string(i)), track(static_cast<float>(i))}});
      store->put_note("shard" + std::to_string(shard), "text");
    }
  }
  // Replaces all places where `from` lies in a part's file: older copies in free pages too.
  void replace(const std::string& part, const std::string& from, const std::string& to) {
    const auto data = store() / part / "data.mdb";
    auto bytes = read_bytes(data);
    ASSERT_NE(bytes.find(from), std::string::npos);
    for (size_t place; (place = bytes.find(from)) != std::string::npos;) {
      bytes.replace(place, from.size(), to);
    }
    write_bytes(data, bytes);
  }
  // Flips a bit of the values of track(start), which lie in the file as they are.
  void damage(const std::string& part, float start) {
    const auto values = track(start).values;
    const std::string whole(static_cast<const char*>(values.const_data_ptr()), 160);
    auto damaged = whole;
    damaged[50] ^= 1;
    replace(part, whole, damaged);
  }
  // One key with track(2) in a shard, hidden by track(3) in the main part.
  void fill_main_over_shard() {
    writer(0, 2)->put({{key("b"), track(2)}});
    writer()->put({{key("b"), track(3)}});
  }
  float first_value() { return reader()->find(key("b"))->values[0][0].item<float>(); }
  void expect_all(const FeatureStore& store) {
    EXPECT_EQ(store.keys().size(), 12u);
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(store.find(key(std::to_string(i)))->values[3][9].item<float>(), 39 + i);
    }
    EXPECT_EQ(store.stats().tracks, 12);
    EXPECT_TRUE(store.find_note("shard2"));
  }
};

TEST_F(StoreCareTest, ReadersSeeTheUnionOfShards) {
  fill_shards();
  expect_all(*reader());
  EXPECT_EQ(reader()->stats().parts, 3);
}

TEST_F(StoreCareTest, ShardsAreWrittenAtTheSameTimeByOneProcessEach) {
  pid_t children[2];
  for (int shard = 0; shard < 2; ++shard) {
    children[shard] = fork_child([&, shard] {
      auto store = writer(shard, 2);
      for (int i = 0; i < 30; ++i) {
        store->put({{key(std::to_string(shard) + "/" + std::to_string(i)), track(0, 500)}});
      }
    });
  }
  EXPECT_EQ(wait_child(children[0]), 0);
  EXPECT_EQ(wait_child(children[1]), 0);
  EXPECT_EQ(reader()->keys().size(), 60u);
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreCareTest, AWriterCannotHideOrLoseWhatAnotherPartHolds) {
  writer()->put({{key("a"), track(1)}});
  auto shard = writer(0, 2);
  EXPECT_TRUE(shard->contains(key("a")));
  EXPECT_THAT(message_of([&] { shard->put({{key("a"), track(2)}}); }), HasSubstr("part main"));
  EXPECT_THROW(shard->remove(key("a")), StoreError);
  EXPECT_THROW(shard->remove_feature("fbank", "music"), StoreError);
  EXPECT_THROW(shard->put({{key("b"), track(0, 4, "2")}}), StoreError);
  shard->put({{key("b"), track(2)}});
  // The main part comes first, so a put there does replace.
  auto main = writer();
  main->put({{key("b"), track(3)}});
  EXPECT_EQ(reader()->find(key("b"))->values[0][0].item<float>(), 3);
  const auto report = check_store(store());
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_EQ(report.damaged[0].id, "fbank/music/b");
  EXPECT_THAT(report.damaged[0].reason, HasSubstr("part main has another value"));
}

TEST_F(StoreCareTest, TakesDamagedTracksOutOfTheirParts) {
  fill_shards();
  damage("part-1-of-3", 4);
  EXPECT_THAT(message_of([&] { reader()->find(key("4")); }),
              testing::AllOf(HasSubstr("fbank/music/4 is damaged"), HasSubstr("--remove-damaged")));
  EXPECT_EQ(check_store(store()).removed, 0);
  {
    const auto writing = writer(1, 3);  // nothing is taken from under a writer
    EXPECT_THROW(check_store(store(), {}, {.remove_damaged = true}), StoreError);
  }
  const auto report = check_store(store(), {}, {.remove_damaged = true});
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_EQ(report.damaged[0].id, "fbank/music/4");
  EXPECT_EQ(report.removed, 1);
  EXPECT_FALSE(reader()->contains(key("4")));
  EXPECT_EQ(reader()->keys().size(), 11u);
  EXPECT_TRUE(check_store(store()).damaged.empty());  // the counts agree too
  writer(1, 3)->put({{key("4"), track(4)}});
  expect_all(*reader());
}

TEST_F(StoreCareTest, RemovingADamagedValueLeavesTheWholeOneThatItHid) {
  fill_main_over_shard();
  damage("main", 3);
  std::string log;
  RunControl control;
  control.on_log = [&](LogLevel, const std::string& line) { log += line; };
  EXPECT_EQ(check_store(store(), control).damaged.size(), 1u);
  EXPECT_THAT(log, HasSubstr("--remove-damaged` takes out 1 of 1"));
  const auto report = check_store(store(), {}, {.remove_damaged = true});
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_THAT(report.damaged[0].reason, HasSubstr("part main: checksum"));
  EXPECT_EQ(report.removed, 1);
  EXPECT_EQ(first_value(), 2);
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreCareTest, RemovingTakesAWholeValueThatAWholeOneHides) {
  fill_main_over_shard();
  EXPECT_EQ(check_store(store(), {}, {.remove_damaged = true}).removed, 1);
  EXPECT_EQ(first_value(), 3);
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreCareTest, AMergeReplacesADamagedValueByTheWholeOne) {
  fill_main_over_shard();
  damage("main", 3);
  std::string log;
  RunControl control;
  control.on_log = [&](LogLevel, const std::string& line) { log += line; };
  EXPECT_EQ(merge_store(store(), control), 1);
  EXPECT_THAT(log, HasSubstr("fbank/music/b: the main part's value is damaged"));
  EXPECT_EQ(first_value(), 2);
  const auto stats = reader()->stats();
  EXPECT_EQ(stats.parts, 1);
  EXPECT_EQ(stats.tracks, 1);
  EXPECT_EQ(stats.value_bytes, 160);
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreCareTest, NeverRemovesWholeValuesForTheirProvenance) {
  const auto check = [&](const std::string& reason) {
    const auto before = read_bytes(store() / "main" / "data.mdb");
    std::string log;
    RunControl control;
    control.on_log = [&](LogLevel, const std::string& line) { log += line; };
    EXPECT_EQ(check_store(store(), control).damaged.size(), 1u);
    EXPECT_EQ(log, "");  // no advice to remove
    const auto report = check_store(store(), {}, {.remove_damaged = true});
    ASSERT_EQ(report.damaged.size(), 1u);
    EXPECT_THAT(report.damaged[0].reason, testing::AllOf(HasSubstr("main"), HasSubstr(reason)));
    EXPECT_EQ(report.removed, 0);
    EXPECT_EQ(read_bytes(store() / "main" / "data.mdb"), before);
    EXPECT_THROW(merge_store(store()), StoreError);
    EXPECT_TRUE(std::filesystem::exists(store() / "part-0-of-2"));
  };
  fill_main_over_shard();
  const auto fingerprint = track(3).provenance.fingerprint();
  const auto field = "\"fingerprint\":\"";
  replace("main", field + fingerprint, field + std::string(fingerprint.size(), '0'));
  check("is not the feature's 0000");
  replace("main", field + std::string(fingerprint.size(), '0'), field + fingerprint);
  EXPECT_EQ(first_value(), 3);
  // The key of the feature's entry lies before its text.
  replace("main", std::string("fbank\0music\0{", 13), std::string("fbanj\0music\0{", 13));
  check("its feature has no provenance");
}

TEST_F(StoreCareTest, AStoppedCheckRemovesNothing) {
  fill_main_over_shard();
  damage("main", 3);
  std::stop_source source;
  RunControl control;
  control.stop = source.get_token();
  control.on_progress = [&](const Progress&) { source.request_stop(); };
  const auto report = check_store(store(), control, {.remove_damaged = true});
  EXPECT_EQ(report.damaged.size(), 1u);
  EXPECT_EQ(report.removed, 0);
  EXPECT_EQ(check_store(store()).damaged.size(), 1u);
}

TEST_F(StoreCareTest, ShardsOfDifferentProvenanceDoNotOpen) {
  auto first = writer(0, 2);
  auto second = writer(1, 2);
  first->put({{key("a"), track(0)}});
  // Opened before the other's first commit of this feature, and not looking at it.
  first.reset();
  std::filesystem::rename(store() / "part-0-of-2", store() / "hidden");
  second.reset();
  writer(1, 2)->put({{key("b"), track(0, 4, "2")}});
  std::filesystem::rename(store() / "hidden", store() / "part-0-of-2");
  const auto message = message_of([&] { reader(); });
  EXPECT_THAT(message, HasSubstr("part-0-of-2"));
  EXPECT_THAT(message, HasSubstr("part-1-of-2"));
  EXPECT_THROW(merge_store(store()), StoreError);
}

TEST_F(StoreCareTest, MergesShardsIntoTheMainPart) {
  fill_shards();
  EXPECT_EQ(merge_store(store()), 12);
  expect_all(*reader());
  EXPECT_EQ(reader()->stats().parts, 1);
  EXPECT_FALSE(std::filesystem::exists(store() / "part-0-of-3"));
  EXPECT_EQ(merge_store(store()), 0);
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreCareTest, AMergeKilledHalfWayLosesNothingAndGoesOn) {
  fill_shards();
  for (int kill_at = 1; kill_at <= 3; ++kill_at) {
    int calls = 0;
    const pid_t child = fork_child([&] {
      merge_store(store(), {.on_progress = [&](const Progress&) {
                    if (++calls == (kill_at == 1 ? 1 : 2)) ::kill(::getpid(), SIGKILL);
                  }});
    });
    EXPECT_EQ(wait_child(child), 256 + SIGKILL);
    EXPECT_EQ(reader()->keys().size(), 12u);
  }
  merge_store(store());
  expect_all(*reader());
}

TEST_F(StoreCareTest, AStoppedMergeKeepsItsShard) {
  fill_shards();
  std::stop_source source;
  source.request_stop();
  RunControl control;
  control.stop = source.get_token();
  merge_store(store(), control);
  EXPECT_TRUE(std::filesystem::exists(store() / "part-0-of-3"));
  EXPECT_EQ(reader()->keys().size(), 12u);
}

TEST_F(StoreCareTest, MergeWaitsForNobodyWhoStillWrites) {
  fill_shards();
  const auto shard = writer(1, 3);
  EXPECT_THAT(message_of([&] { merge_store(store()); }),
              HasSubstr("part part-1-of-3 is being written"));
  EXPECT_EQ(reader()->keys().size(), 12u);
}

TEST_F(StoreCareTest, CompactingGivesFreePagesBackUnderAnOpenReader) {
  {
    auto store = writer();
    for (int i = 0; i < 40; ++i) store->put({{key(std::to_string(i)), track(1, 5000)}});
    for (int i = 1; i < 40; ++i) store->remove(key(std::to_string(i)));
  }
  const auto before = reader();
  EXPECT_GT(compact_store(store()), 6'000'000);
  EXPECT_EQ(before->find(key("0"))->values[4999][9].item<float>(), 50000);
  EXPECT_EQ(reader()->find(key("0"))->values[4999][9].item<float>(), 50000);
  EXPECT_LT(reader()->stats().file_bytes, 1'000'000);
  auto after = writer();
  after->put({{key("1"), track(7)}});
  EXPECT_THROW(compact_store(store()), StoreError);
  EXPECT_EQ(reader()->keys().size(), 2u);
}

}  // namespace
}  // namespace vmr::store
