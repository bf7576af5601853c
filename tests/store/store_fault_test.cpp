// Pins that a store outlives killed writers, full disks and damaged files: what was committed is
// whole, what is damaged is named, and nothing crashes or hangs.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::HasSubstr;

class StoreFaultTest : public StoreTest {
 protected:
  std::filesystem::path data() const { return store() / "main" / "data.mdb"; }

  // Changes one byte of the stored values of track(start): the first place where they occur.
  void flip_value(float start) {
    auto bytes = read_bytes(data());
    const auto values = track(start).values;
    const auto at = bytes.find(std::string_view(static_cast<const char*>(values.data_ptr()), 160));
    ASSERT_NE(at, std::string::npos);
    bytes[at + 77] ^= 4;
    write_bytes(data(), bytes);
  }
};

TEST_F(StoreFaultTest, AKilledWriterLosesAtMostTheItemInFlight) {
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = fork_child([&] {
      auto store = writer();
      for (int i = 0; i < 100000; ++i) {
        const auto id = std::to_string(round) + "-" + std::to_string(i);
        store->put({{key(id, "a"), track(1, 300)},
                    {key(id, "b"), track(2)},
                    {key(id, "c"), track(3, 900)}});
        if (::write(pipe_ends[1], "x", 1) != 1) return;
      }
    });
    ::close(pipe_ends[1]);
    char acknowledged[64];
    ssize_t wanted = 5 + 7 * round;
    ssize_t committed = 0;
    while (committed < wanted)
      committed += ::read(pipe_ends[0], acknowledged,
                          static_cast<size_t>(std::min<ssize_t>(64, wanted - committed)));
    ::kill(child, SIGKILL);
    EXPECT_EQ(wait_child(child), 256 + SIGKILL);
    for (ssize_t more; (more = ::read(pipe_ends[0], acknowledged, 64)) > 0;) committed += more;
    ::close(pipe_ends[0]);

    const auto report = check_store(store());
    EXPECT_TRUE(report.damaged.empty());
    auto store = writer();  // the dead writer's lock is free
    for (ssize_t i = 0; i < committed; ++i) {
      const auto id = std::to_string(round) + "-" + std::to_string(i);
      ASSERT_TRUE(store->find(key(id, "a")));
      EXPECT_EQ(store->find(key(id, "c"))->values[899][9].item<float>(), 9002);
    }
    EXPECT_EQ(store->keys("a").size(), store->keys("b").size());
    EXPECT_EQ(store->keys("a").size(), store->keys("c").size());
  }
}

TEST_F(StoreFaultTest, AFullDiskIsAnErrorAndTheStoreStaysWhole) {
  const pid_t child = fork_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20 << 20, 20 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto store = writer();
    int committed = 0;
    std::string message;
    while (message.empty() && committed < 1000) {
      message = message_of([&] {
        store->put({{key(std::to_string(committed)), track(1, 25000)}});
      });
      if (message.empty()) ++committed;
    }
    if (message.find("the disk may be full") == std::string::npos) ::_exit(1);
    if (committed < 10 || committed > 20) ::_exit(2);
    // The same process goes on: it reads, and it writes what fits after room was made.
    if (static_cast<int>(store->keys().size()) != committed) ::_exit(3);
    for (int i = 0; i < committed; ++i) {
      if (store->find(key(std::to_string(i)))->values[24999][9].item<float>() != 250000) ::_exit(4);
    }
    store->remove(key("0"));
    store->remove(key("1"));
    store->put({{key("after"), track(5)}});
  });
  EXPECT_EQ(wait_child(child), 0);
  EXPECT_TRUE(check_store(store()).damaged.empty());
  EXPECT_EQ(reader()->find(key("after"))->values[0][0].item<float>(), 5);
}

TEST_F(StoreFaultTest, AFlippedByteIsFoundAndNamed) {
  {
    auto store = writer();
    store->put({{key("good"), track(1)}});
    store->put({{key("bad"), track(1000)}});
  }
  flip_value(1000);
  const auto report = check_store(store());
  EXPECT_EQ(report.checked, 2);
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_EQ(report.damaged[0].id, "fbank/music/bad");
  EXPECT_THAT(report.damaged[0].reason, HasSubstr("checksum of the values"));
  EXPECT_THAT(message_of([&] { reader()->find(key("bad")); }), HasSubstr("fbank/music/bad"));
  EXPECT_EQ(reader()->find(key("good"))->values[0][0].item<float>(), 1);
  writer()->put({{key("bad"), track(1000)}});
  EXPECT_TRUE(check_store(store()).damaged.empty());
}

TEST_F(StoreFaultTest, ATruncatedStoreIsAnErrorWhereverItIsCut) {
  {
    auto store = writer();
    for (int i = 0; i < 50; ++i) store->put({{key(std::to_string(i)), track(1, 300)}});
  }
  auto bytes = read_bytes(data());
  // Without the sparse tail, which holds nothing.
  bytes.resize((bytes.find_last_not_of('\0') / 4096 + 1) * 4096);
  for (size_t keep : {size_t{0}, size_t{1}, size_t{100}, size_t{4096}, size_t{8191}, size_t{8192},
                      size_t{12288}, bytes.size() / 2, bytes.size() - 4096}) {
    write_bytes(data(), bytes.substr(0, keep));
    EXPECT_THROW(reader(), StoreError) << keep;
    const auto report = check_store(store());
    ASSERT_EQ(report.damaged.size(), 1u) << keep;
    EXPECT_EQ(report.damaged[0].id, "main");
    if (keep > 0) {
      EXPECT_THROW(writer(), StoreError) << keep;
    }
  }
  write_bytes(data(), bytes);
  EXPECT_EQ(reader()->keys().size(), 50u);
}

TEST_F(StoreFaultTest, CheckingSurvivesDamagedPagesOfTheTree) {
  {
    auto store = writer();
    for (int i = 0; i < 150; ++i) store->put({{key(std::to_string(i)), track(1, i % 7 * 20)}});
    for (int i = 0; i < 150; i += 3) store->remove(key(std::to_string(i)));
  }
  auto bytes = read_bytes(data());
  bytes.resize((bytes.find_last_not_of('\0') / 4096 + 1) * 4096);
  EXPECT_TRUE(check_store(store()).damaged.empty());
  std::mt19937 random(11);
  int found = 0;
  for (int round = 0; round < 150; ++round) {
    auto damaged = bytes;
    const size_t page = random() % (bytes.size() / 4096) * 4096;
    // Headers and node lists, where LMDB has no checksum.
    for (int change = 0; change < 3; ++change) {
      damaged[page + random() % 64] = static_cast<char>(random());
    }
    write_bytes(data(), damaged);
    const pid_t child = fork_child([&] {
      try {
        ::_exit(check_store(store()).damaged.empty() ? 0 : 1);
      } catch (const StoreError&) {
        ::_exit(1);
      }
    });
    const int status = wait_child(child);
    EXPECT_LE(status, 1) << "round " << round;
    found += status == 1;
  }
  EXPECT_GT(found, 40);  // the others hit free pages or values that are not used
}

TEST_F(StoreFaultTest, OtherFilesAndNewerVersionsAreRefused) {
  writer()->put({{key("a"), track(0)}});
  write_bytes(data(), std::string(100000, 'x'));
  EXPECT_THROW(reader(), StoreError);
  write_bytes(store() / "vmr-store.json", R"({"format":"vmr feature store","version":2})");
  EXPECT_THAT(message_of([&] { reader(); }), HasSubstr("format version 2"));
  EXPECT_THAT(message_of([&] { writer(); }), HasSubstr("format version 2"));
  for (const char* text : {"", "{", "[]", R"({"format":"x","version":1})",
                           R"({"format":"vmr feature store","version":"1"})"}) {
    write_bytes(store() / "vmr-store.json", text);
    EXPECT_THAT(message_of([&] { reader(); }), HasSubstr("is damaged")) << text;
  }
}

TEST_F(StoreFaultTest, ASecondWriterIsToldWhoWrites) {
  int ready[2], done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = fork_child([&] {
    auto store = writer();
    char byte = 'x';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(1);
  });
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(message_of([&] { writer(); }), HasSubstr("process " + std::to_string(child)));
  EXPECT_TRUE(reader()->keys().empty());
  EXPECT_NO_THROW(writer(0, 2));
  ASSERT_EQ(::write(done[1], "x", 1), 1);
  EXPECT_EQ(wait_child(child), 0);
  const auto mine = writer();
  EXPECT_THAT(message_of([&] { writer(); }), HasSubstr("process " + std::to_string(::getpid())));
  for (int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
}

TEST_F(StoreFaultTest, ReadersOfOtherProcessesFollowAWriterThatGrows) {
  writer()->put({{key("0"), track(0, 2000)}});
  pid_t children[2];
  for (auto& child : children) {
    child = fork_child([&] {
      const auto opened = reader();
      for (int round = 0;; ++round) {
        const auto found = opened->find(key("0"));
        // Every version of the track holds start, start + 1, ...: a mixture would not.
        const auto start = found->values[0][0].item<float>();
        if (!found->values.equal(track(start, 2000).values)) ::_exit(1);
        if (start == 40) {
          if (opened->keys().size() != 41) ::_exit(2);
          return;
        }
      }
    });
  }
  {
    auto store = writer();
    for (int i = 1; i <= 40; ++i) {
      store->put({{key("0"), track(static_cast<float>(i), 2000)},
                  {key(std::to_string(i)), track(0, 25000)}});
    }
  }
  EXPECT_EQ(wait_child(children[0]), 0);
  EXPECT_EQ(wait_child(children[1]), 0);
}

TEST_F(StoreFaultTest, AStoreOpenedBeforeForkIsRefusedInTheChildOnly) {
  auto store = writer();
  store->put({{key("a"), track(0)}});
  const pid_t child = fork_child([&] {
    const auto message = message_of([&] { store->find(key("a")); });
    if (message.find("before fork()") == std::string::npos) ::_exit(1);
    store.release();  // its destructor would be the parent's business
    if (!reader()->contains(key("a"))) ::_exit(2);
  });
  EXPECT_EQ(wait_child(child), 0);
  store->put({{key("b"), track(0)}});
  EXPECT_EQ(store->keys().size(), 2u);
}

TEST_F(StoreFaultTest, AStoreOnAReadOnlyMediumCanBeRead) {
  if (::geteuid() == 0) {
    // root may write anywhere: run as nobody.
    writer()->put({{key("a"), track(4)}});
    const pid_t child = fork_child([&] {
      ::chmod(folder_.c_str(), 0755);
      if (::setuid(65534) != 0) ::_exit(1);
      if (reader()->find(key("a"))->values[0][0].item<float>() != 4) ::_exit(2);
      if (message_of([&] { writer(); }).empty()) ::_exit(3);
    });
    EXPECT_EQ(wait_child(child), 0);
    return;
  }
  writer()->put({{key("a"), track(4)}});
  for (const auto* name : {"main/data.mdb", "main/lock.mdb", "main"})
    ::chmod((store() / name).c_str(), 0555);
  EXPECT_EQ(reader()->find(key("a"))->values[0][0].item<float>(), 4);
  EXPECT_THROW(writer(), StoreError);
  ::chmod((store() / "main").c_str(), 0755);
}

}  // namespace
}  // namespace vmr::store
