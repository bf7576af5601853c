// vmr bench: runs the benchmark programs and the field's tools on the same work, turn by turn.
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench_report.h"
#include "number_checks.h"
#include "shared.h"
#include "vmr/core/error.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  Common common;
  std::vector<std::string> topics;
  std::string home;
  int rounds = 3;
};

// Where benchmark programs and peer scripts lie: beside the program in a build tree.
fs::path bench_home(const Options& options) {
  if (!options.home.empty()) return options.home;
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "benchmarks";
}

// stdout of a command, or nothing when it fails.
std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer;
  size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
    text.append(buffer.data(), count);
  return pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

std::string quoted(const fs::path& path) {
  std::string text = "'";
  for (const char c : path.string()) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::vector<std::string> known_topics(const fs::path& home) {
  std::vector<std::string> topics;
  if (!fs::exists(home)) return topics;
  for (const auto& entry : fs::directory_iterator(home)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("bench_") && entry.is_regular_file() && !entry.path().has_extension()) {
      topics.push_back(name.substr(6));
    }
  }
  std::sort(topics.begin(), topics.end());
  return topics;
}

json bench_topic(const std::string& topic, const fs::path& home, const Options& options) {
  const auto program = home / ("bench_" + topic);
  const auto script = home / "peers" / ("bench_" + topic + ".py");
  const char* python = std::getenv("VMR_PEERS_PYTHON");
  Cases cases;
  for (int round = 0; round < options.rounds && !interrupted(); ++round) {
    const auto ours = output_of(quoted(program) + " --benchmark_format=json 2>/dev/null");
    VMR_CHECK(ours.has_value(), "bench: ", program.string(), " failed; run it by hand to see why");
    collect(*ours, true, cases);
    if (python != nullptr && fs::exists(script)) {
      if (const auto peer = output_of(quoted(python) + " " + quoted(script))) {
        collect(*peer, false, cases);
      } else if (round == 0) {
        std::cerr << "the peers of " << topic << " failed; ours alone\n";
      }
    }
    std::cerr << "bench " << topic << ": round " << round + 1 << " of " << options.rounds << "\n";
  }
  return rows_of(topic, cases);
}

int run(const Options& options) {
  const auto home = bench_home(options);
  const auto known = known_topics(home);
  auto topics = options.topics;
  if (topics.empty()) topics = known;
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  for (const auto& topic : topics) {
    VMR_CHECK(std::find(known.begin(), known.end(), topic) != known.end(),
              "bench: unknown topic \"", topic, "\"; topics in ", home.string(), ": ", list);
  }
  auto rows = json::array();
  for (const auto& topic : topics) {
    for (auto& row : bench_topic(topic, home, options)) rows.push_back(row);
  }
  if (options.common.json) {
    print_json(rows);
    return kDone;
  }
  print_table(rows);
  print_quality(rows);
  return kDone;
}

}  // namespace

Command add_bench(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "bench", "our benchmarks and the field's tools on the same work, turn by turn");
  add_common(*app, options->common);
  app->add_option("topics", options->topics, "topics; all without it");
  app->add_option("--rounds", options->rounds, "turns of each side; the best counts")
      ->capture_default_str()
      ->check(whole_number(1, 100));
  app->add_option("--home", options->home, "folder of the bench_ programs and peers/");
  add_footer(
      *app, "Peers run with the Python interpreter named in VMR_PEERS_PYTHON, set by ./dev bench.");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
