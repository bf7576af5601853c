// Readers see whole generations while a writer adds and removes, in this process or another, and a
// writer that is killed leaves a whole generation behind.
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <thread>

#include "retrieval/catalogue_fixture.h"

namespace vmr::retrieval {
namespace {

class CatalogueConcurrency : public CatalogueFolder {};

constexpr int64_t kBatch = 10;

std::vector<std::string> ids_of(int64_t batch) { return tracks(batch * kBatch, kBatch).ids; }

// Tracks come and go in batches of ten: every batch is there as a whole or not at all, and search,
// list and stats agree. Returns what is wrong.
std::string problem_in(const CatalogueSnapshot& snapshot) {
  std::map<int64_t, int64_t> batches;
  const auto rows = snapshot.list();
  for (const CatalogueRow& row : rows) ++batches[std::stoll(row.id.substr(1)) / kBatch];
  for (const auto& [batch, count] : batches)
    if (count != kBatch) return "batch " + std::to_string(batch) + " is cut";
  if (batches.size() > 2) return "more than two batches";
  if (snapshot.stats().tracks != static_cast<int64_t>(rows.size())) return "stats differ";
  const auto hits = snapshot.search(query(), {.top = 100, .threads = 1});
  if (hits.size() != rows.size()) return "search does not return all";
  for (const CatalogueHit& hit : hits)
    if (snapshot.row(hit.index).id != hit.id) return "a hit has another id than its row";
  return "";
}

TEST_F(CatalogueConcurrency, ReadersSeeWholeGenerations) {
  const auto catalogue = create();
  const auto elsewhere = Catalogue::open(folder());  // as another process would
  std::atomic<bool> done{false};
  std::atomic<int64_t> looks{0}, refreshes{0};
  std::string here_problem, elsewhere_problem;
  std::jthread here([&] {
    while (!done && here_problem.empty()) {
      here_problem = problem_in(*catalogue->snapshot());
      ++looks;
    }
  });
  std::jthread there([&] {
    while (!done && elsewhere_problem.empty()) {
      refreshes += elsewhere->refresh();
      elsewhere_problem = problem_in(*elsewhere->snapshot());
    }
  });
  for (int64_t batch = 0; batch < 60; ++batch) {
    catalogue->add(tracks(batch * kBatch, kBatch));
    if (batch > 0) catalogue->remove(ids_of(batch - 1));
  }
  done = true;
  here.join();
  there.join();
  EXPECT_EQ(here_problem, "");
  EXPECT_EQ(elsewhere_problem, "");
  EXPECT_GT(looks, 10);
  EXPECT_GT(refreshes, 3);
  elsewhere->refresh();
  EXPECT_EQ(elsewhere->stats().generation, catalogue->stats().generation);
  EXPECT_FALSE(elsewhere->refresh());
}

TEST_F(CatalogueConcurrency, WritersOfSeveralObjectsLoseNothing) {
  create();
  {
    std::vector<std::jthread> writers;
    for (int64_t w = 0; w < 3; ++w)
      writers.emplace_back([this, w] {
        const auto own = Catalogue::open(folder());
        for (int64_t i = 0; i < 8; ++i) own->add(tracks(w * 1000 + i, 1));
      });
  }
  const auto catalogue = Catalogue::open(folder());
  EXPECT_EQ(catalogue->stats().tracks, 24);
  EXPECT_EQ(catalogue->stats().generation, 25);
}

// The child's part of the next test: adds batch after batch until it is killed.
void write_until_killed(const std::filesystem::path& folder) {
  const auto catalogue = Catalogue::open(folder);
  for (int64_t batch = catalogue->stats().tracks / kBatch;; ++batch)
    catalogue->add(tracks(batch * kBatch, kBatch));
}

pid_t start_writer(const std::filesystem::path& folder) {
  const std::string setting = "VMR_TEST_WRITER_FOLDER=" + folder.string();
  const pid_t child = fork();
  if (child != 0) return child;
  // A fresh process, because threads of LibTorch do not survive a fork.
  const char* arguments[] = {"retrieval_test", "--gtest_filter=CatalogueConcurrency.AKilledWriter*",
                             nullptr};
  const char* environment[] = {setting.c_str(), "OMP_NUM_THREADS=1", nullptr};
  if (freopen("/dev/null", "w", stdout) == nullptr) _exit(127);
  execve("/proc/self/exe", const_cast<char**>(arguments), const_cast<char**>(environment));
  _exit(127);
}

TEST_F(CatalogueConcurrency, AKilledWriterLeavesAWholeGeneration) {
  if (const char* folder = std::getenv("VMR_TEST_WRITER_FOLDER")) write_until_killed(folder);
  const auto watcher = create();
  for (int round = 0; round < 6; ++round) {
    const int64_t begun_at = watcher->stats().generation;
    const pid_t child = start_writer(folder());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (watcher->stats().generation < begun_at + 3 &&
           std::chrono::steady_clock::now() < deadline) {
      watcher->refresh();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    const auto catalogue = Catalogue::open(folder());
    const auto rows = catalogue->list();
    ASSERT_GE(catalogue->stats().generation, begun_at + 3);
    ASSERT_EQ(rows.size() % kBatch, 0u);
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].id, "t" + std::to_string(i));
    watcher->refresh();
  }
  // And goes on from there.
  const int64_t before = watcher->stats().tracks;
  watcher->add(tracks(before, kBatch));
  EXPECT_EQ(Catalogue::open(folder())->stats().tracks, before + kBatch);
}

}  // namespace
}  // namespace vmr::retrieval
