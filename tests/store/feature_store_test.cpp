// Pins what a store gives back: the same values, times and provenance for every dtype and shape, in
// one process with writers, readers and growth; and what it refuses.
#include "vmr/store/feature_store.h"

#include <atomic>
#include <thread>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FeatureStoreTest : public StoreTest {};

TEST_F(FeatureStoreTest, GivesBackEveryDtypeAndShapeBitForBit) {
  const std::vector<at::ScalarType> dtypes = {at::kFloat, at::kDouble, at::kHalf,  at::kBFloat16,
                                              at::kLong,  at::kInt,    at::kShort, at::kChar,
                                              at::kByte,  at::kBool};
  const std::vector<std::vector<int64_t>> shapes = {{7},    {3, 5},       {0, 5},
                                                    {4, 0}, {2, 3, 1, 2}, {300, 40}};
  std::vector<std::pair<FeatureKey, FeatureTrack>> tracks;
  for (const auto dtype : dtypes) {
    for (const auto& shape : shapes) {
      auto values = (at::arange(at::zeros(shape).numel()) * 3 - 7).reshape(shape).to(dtype);
      tracks.push_back({key(std::to_string(tracks.size())),
                        {values, RowTimes::regular(shape[0], 0, 1, 1), {"x", "1", "{}", "", "m"}}});
    }
  }
  writer()->put(tracks);
  const auto opened = reader();
  for (const auto& [key, expected] : tracks) {
    const auto found = opened->find(key);
    ASSERT_TRUE(found) << key.id;
    EXPECT_EQ(found->values.scalar_type(), expected.values.scalar_type());
    EXPECT_EQ(found->values.sizes(), expected.values.sizes());
    EXPECT_TRUE(found->values.equal(expected.values)) << key.id;
    EXPECT_EQ(found->times, expected.times);
    EXPECT_EQ(found->provenance, expected.provenance);
    const bool visited = opened->visit(key, [&](const FeatureTrack& track) {
      EXPECT_TRUE(track.values.equal(expected.values));
      EXPECT_EQ(track.times, expected.times);
      EXPECT_EQ(track.provenance, expected.provenance);
    });
    EXPECT_TRUE(visited);
  }
}

TEST_F(FeatureStoreTest, KeepsExplicitTimesAndTracksWithoutRows) {
  auto uneven = track(1);
  uneven.times = RowTimes::explicit_rows({{0, 0.1}, {0.1, 0.5}, {2, 2}, {5, 7}});
  auto empty = track(0, 0);
  empty.times = RowTimes();
  writer()->put({{key("uneven"), uneven}, {key("empty"), empty}});
  EXPECT_EQ(reader()->find(key("uneven"))->times, uneven.times);
  EXPECT_EQ(reader()->find(key("empty"))->values.sizes(), (std::vector<int64_t>{0, 10}));
  EXPECT_EQ(reader()->find(key("empty"))->times.size(), 0);
}

TEST_F(FeatureStoreTest, VisitGivesAlignedMemoryOfTheFileWithoutCopy) {
  writer()->put({{key("a"), track(3, 2500)}});
  const auto opened = reader();
  const void* first = nullptr;
  for (int round = 0; round < 2; ++round) {
    opened->visit(key("a"), [&](const FeatureTrack& track) {
      const void* const place = track.values.const_data_ptr();
      EXPECT_EQ(reinterpret_cast<uintptr_t>(place) % 64, 0u);
      if (round == 1) {
        EXPECT_EQ(place, first);
      }
      first = place;
      EXPECT_EQ(track.values[2499][9].item<float>(), 25002);
    });
  }
  EXPECT_FALSE(opened->visit(key("b"), [](const FeatureTrack&) { FAIL(); }));
}

TEST_F(FeatureStoreTest, TakesIdsOfAnyLengthAndScript) {
  const std::vector<std::string> ids = {"a",
                                        std::string(600, 'x'),
                                        std::string(600, 'x') + "y",
                                        std::string(499, 'z'),
                                        "\xe9\x9f\xb3\xe6\xa5\xbd",
                                        "a/b c\n",
                                        "\xff"
                                        "raw"};
  auto store = writer();
  for (size_t i = 0; i < ids.size(); ++i) store->put({{key(ids[i]), track(static_cast<float>(i))}});
  std::vector<FeatureKey> expected;
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(store->find(key(ids[i]))->values[0][0].item<float>(), i);
    expected.push_back(key(ids[i]));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(store->keys(), expected);
  EXPECT_TRUE(store->remove(key(ids[1])));
  EXPECT_FALSE(store->contains(key(ids[1])));
  EXPECT_TRUE(store->contains(key(ids[2])));
}

TEST_F(FeatureStoreTest, ListsKeysFeaturesAndCounts) {
  auto store = writer();
  store->put({{{"b", "music", "1"}, track(0)}, {{"a", "music", "2"}, track(0)}});
  store->put({{{"a", "film", "3"}, track(0)}, {{"ab", "film", "1"}, track(0, 8)}});
  EXPECT_THAT(store->keys(),
              ElementsAre(FeatureKey{"a", "film", "3"}, FeatureKey{"a", "music", "2"},
                          FeatureKey{"ab", "film", "1"}, FeatureKey{"b", "music", "1"}));
  EXPECT_THAT(store->keys("a"),
              ElementsAre(FeatureKey{"a", "film", "3"}, FeatureKey{"a", "music", "2"}));
  EXPECT_THAT(store->keys("a", "music"), ElementsAre(FeatureKey{"a", "music", "2"}));
  EXPECT_EQ(store->keys("", "film").size(), 2u);
  EXPECT_THAT(store->features(), ElementsAre("a", "ab", "b"));
  store->put({{{"a", "music", "2"}, track(9)}});
  EXPECT_EQ(store->find({"a", "music", "2"})->values[0][0].item<float>(), 9);
  EXPECT_EQ(store->stats().tracks, 4);
  EXPECT_EQ(store->stats().value_bytes, (4 + 4 + 4 + 8) * 10 * 4);
  EXPECT_EQ(store->stats().parts, 1);
  EXPECT_GT(store->stats().file_bytes, 0);
}

TEST_F(FeatureStoreTest, RefusesToMixProvenancesNamingBoth) {
  auto store = writer();
  store->put({{key("a"), track(0)}});
  const auto other = track(0, 4, "2");
  const auto message = message_of([&] { store->put({{key("b"), other}}); });
  EXPECT_THAT(message, HasSubstr(track(0).provenance.fingerprint()));
  EXPECT_THAT(message, HasSubstr(other.provenance.fingerprint()));
  EXPECT_THAT(message, HasSubstr("fbank/music"));
  EXPECT_THAT(message, HasSubstr("version \"1\" against \"2\""));
  EXPECT_FALSE(store->contains(key("b")));
  EXPECT_THROW(store->put({{key("x", "g"), track(0)}, {key("y", "g"), other}}), StoreError);
  EXPECT_EQ(store->remove_feature("fbank", "music"), 1);
  EXPECT_FALSE(store->provenance("fbank", "music"));
  store->put({{key("b"), other}});
  EXPECT_EQ(store->provenance("fbank", "music")->version, "2");
  EXPECT_EQ(store->provenance("fbank", "music")->media_hash, "");
}

TEST_F(FeatureStoreTest, APutIsAllOrNothing) {
  auto store = writer();
  store->put({{key("a"), track(0)}});
  EXPECT_THROW(store->put({{key("b", "new"), track(0)}, {key("b"), track(0, 4, "2")}}), StoreError);
  EXPECT_FALSE(store->contains(key("b", "new")));
  EXPECT_THROW(store->put({{key("b"), track(0)}, {key("b"), track(1)}}), InvalidArgument);
  EXPECT_EQ(store->stats().tracks, 1);
}

TEST_F(FeatureStoreTest, RefusesReadOnlyWritesAndFoldersThatAreNoStore) {
  EXPECT_THAT(message_of([&] { reader(); }), HasSubstr("is no feature store"));
  std::filesystem::create_directories(store());
  write_bytes(store() / "notes.txt", "mine");
  EXPECT_THAT(message_of([&] { writer(); }), HasSubstr("not empty"));
  std::filesystem::remove(store() / "notes.txt");
  writer();
  EXPECT_THROW(reader()->put({{key("a"), track(0)}}), InvalidArgument);
  EXPECT_THROW(reader()->put_note("n", "t"), InvalidArgument);
  EXPECT_THROW(writer(2, 2), InvalidArgument);
  auto store = writer();
  EXPECT_THROW(
      store->put(
          {{key("c"), {at::zeros({2}, at::kComplexFloat), RowTimes::regular(2, 0, 1, 1), {}}}}),
      InvalidArgument);
}

TEST_F(FeatureStoreTest, GrowsManyTimesUnderReadersOfTheSameProcess) {
  auto store = writer();
  const auto fixed = track(1, 2000);
  store->put({{key("fixed"), fixed}});
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      const auto opened = reader();
      while (!stop) {
        opened->visit(key("fixed"), [&](const FeatureTrack& track) {
          // A read inside a read shares its snapshot, so growth cannot come between them.
          EXPECT_TRUE(opened->find(key("fixed"))->values.equal(track.values));
          EXPECT_TRUE(track.values.equal(fixed.values));
        });
        ++reads;
      }
    });
  }
  for (int i = 0; i < 60; ++i) {
    store->put({{key(std::to_string(i)), track(static_cast<float>(i), 25000)}});
  }
  const int during = reads;
  stop = true;
  readers.clear();
  EXPECT_GT(during, 1);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(store->find(key(std::to_string(i)))->values[24999][9].item<float>(), 249999 + i);
  }
  EXPECT_GT(store->stats().file_bytes, 60'000'000);
}

TEST_F(FeatureStoreTest, RefusesAWriteInsideAVisitInsteadOfWaitingForItself) {
  auto store = writer();
  store->put({{key("a"), track(0)}});
  store->visit(key("a"), [&](const FeatureTrack& track) {
    EXPECT_THROW(store->put({{key("b"), track}}), InvalidArgument);
  });
  store->put({{key("b"), track(0)}});
  EXPECT_TRUE(store->contains(key("b")));
}

TEST_F(FeatureStoreTest, KeepsNotesBesideTheTracks) {
  auto store = writer();
  store->put_note("statistics", R"({"mean":1})");
  store->put_note("big", std::string(100000, 'x'));
  store->put_note("statistics", "");
  EXPECT_EQ(reader()->find_note("statistics"), "");
  EXPECT_EQ(reader()->find_note("big")->size(), 100000u);
  EXPECT_FALSE(reader()->find_note("absent"));
}

TEST_F(FeatureStoreTest, WritersOfSeveralThreadsQueue) {
  auto store = writer();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        store->put(
            {{key(std::to_string(t) + "-" + std::to_string(i)), track(static_cast<float>(t))}});
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store->keys().size(), 60u);
  EXPECT_EQ(store->stats().tracks, 60);
}

}  // namespace
}  // namespace vmr::store
