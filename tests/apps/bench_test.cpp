// Pins what `vmr bench` makes of reports: best of the rounds, fastest peer, ratio, names; and that
// a peer that fails leaves our figure alone. Programs and peers are shell scripts here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "apps/process.h"
#include "support/temp_folder.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::run_vmr;
using testing::HasSubstr;

class Bench : public testing::Test {
 protected:
  Bench() {
    fs::create_directories(home_ / "peers");
    setenv("VMR_PEERS_PYTHON", "/bin/sh", 1);
  }
  ~Bench() override { unsetenv("VMR_PEERS_PYTHON"); }

  // A program whose rates are 8 in the first round and 6 in the second.
  void write_ours() {
    const auto path = home_ / "bench_toy";
    std::ofstream(path) << "#!/bin/sh\n"
                        << "rate=8; [ -e " << (home_ / "again") << " ] && rate=6\n"
                        << "touch " << (home_ / "again") << "\n"
                        << R"(printf '{"benchmarks": [
      {"name": "small/threads:2/real_time", "label": "pairs/s", "items_per_second": %s, "figure:F": 0.9},
      {"name": "lone/threads:1/real_time", "label": "pairs/s", "items_per_second": 3}]}' $rate)";
    fs::permissions(path, fs::perms::owner_all);
  }
  void write_peer(const std::string& text) {
    std::ofstream(home_ / "peers" / "bench_toy.py") << text;
  }
  test::ProcessResult bench(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"bench", "toy",    "--rounds",
                                          "2",     "--home", home_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_vmr(arguments);
  }

  test::TempFolder home_;
};

constexpr const char* kPeers = R"(printf '{"benchmarks": [
  {"name": "small/threads:2", "items_per_second": 2, "label": "pairs/s", "peer": "slow 1.0"},
  {"name": "small/threads:2", "items_per_second": 4, "label": "pairs/s", "peer": "fast 2.0", "figure:F": 0.8},
  {"name": "unknown/threads:1", "items_per_second": 4, "label": "pairs/s", "peer": "fast 2.0"}]}')";

TEST_F(Bench, ComparesTheBestRoundWithTheFastestPeer) {
  write_ours();
  write_peer(kPeers);
  const auto result = bench({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.json(), nlohmann::json::parse(R"([
    {"case": "toy: lone", "threads": 1, "unit": "pairs/s", "ours": 3.0, "peer": null,
     "peer_value": null, "ratio": null},
    {"case": "toy: small", "threads": 2, "unit": "pairs/s", "ours": 8.0, "peer": "fast 2.0",
     "peer_value": 4.0, "ratio": 2.0, "figures": {"F": {"ours": 0.9, "peer": 0.8}},
     "tools": {"fast 2.0": {"rate": 4.0, "figures": {"F": 0.8}}}}])"));
}

TEST_F(Bench, PrintsATable) {
  write_ours();
  write_peer(kPeers);
  const auto result = bench({});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("fast 2.0"));
  EXPECT_THAT(result.out, HasSubstr("2.00 | F 0.900, peer 0.800 |"));
}

TEST_F(Bench, AFailingPeerLeavesOursAlone) {
  write_ours();
  write_peer("exit 1");
  const auto result = bench({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.json()[1]["ours"], 8.0);
  EXPECT_TRUE(result.json()[1]["ratio"].is_null());
  EXPECT_THAT(result.error, HasSubstr("peers of toy failed"));
}

TEST_F(Bench, NamesTheKnownTopics) {
  write_ours();
  const auto result = run_vmr({"bench", "toys", "--home", home_.path().string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("unknown topic \"toys\""));
  EXPECT_THAT(result.error, HasSubstr(": toy"));
}

}  // namespace
}  // namespace vmr
