// What all subcommands share: the common options, progress on stderr, JSON on stdout, interrupts.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "vmr/core/run_control.h"

namespace vmr::apps {

// Exit codes: the contract of all commands.
inline constexpr int kDone = 0, kSomeFailed = 1, kWrongUsage = 2, kNothingDone = 3,
                     kInterrupted = 130;

struct Common {
  bool json = false;
  uint64_t seed = 1;
  std::string device = "auto";
  int threads = 0;  // 0 = one per core
};

// A subcommand: its options are bound to storage kept alive by `run`.
// `run` returns an exit code; it is called when the command line names the subcommand.
struct Command {
  CLI::App* app;
  std::function<int()> run;
  bool resumes = false;  // the same command again goes on where it was interrupted
};

// Adds --json, --seed, --device, --threads to a subcommand.
void add_common(CLI::App& app, Common& common);

// Callbacks that draw a progress bar on a terminal and plain lines otherwise, all on stderr, and
// the stop token of Ctrl-C.
RunControl control();
// Ends a progress bar's line.
void end_progress();
bool interrupted();

// Prints one JSON document on stdout.
void print_json(const nlohmann::json& document);
// An error's text without the names of our functions, which tell a user nothing.
std::string plain(const std::string& message);
// "1 track", "2 tracks".
std::string counted(int64_t number, const std::string& noun);
// Sentences on stderr about files that are damaged but could be used.
void warn(const std::vector<std::string>& problems);
// Throws: StoreError where the file an option names cannot be written, so that it is known before
// the work, or is one of the files that are read. "" passes.
void require_writable(const std::string& option, const std::string& path,
                      const std::vector<std::filesystem::path>& inputs = {});
// The same for a page. Throws: InvalidArgument for another ending than .html or .htm.
void require_page(const std::string& option, const std::string& path);
// The same for --plot, which is written as SVG whatever it is called. Throws: InvalidArgument for
// another ending.
void require_plot(const std::string& path);
// Writes one of a command's files after its result was printed: a failure is listed and costs the
// file alone.
void write_output(const std::string& path, std::vector<ItemFailure>& failures,
                  const std::function<void()>& write);
// The folder where music analysed by `fit` and `match` is kept without --store; its parent is made.
std::filesystem::path music_cache();
// Puts `text` before the exit codes at the end of a subcommand's help.
void add_footer(CLI::App& app, const std::string& text);
// For options where an empty text is a mistake and not "none".
CLI::Validator not_empty();
// Lists failures on stderr; returns kSomeFailed, kNothingDone or kDone.
int report_failures(const std::vector<ItemFailure>& failures, int64_t succeeded);
// Applies --threads to LibTorch's pools; the library itself never does.
void use_threads(const Common& common);
// --threads with 0 replaced by the number of cores.
int thread_count(const Common& common);

// One function per file of this folder.
Command add_beats(CLI::App& root);
Command add_bench(CLI::App& root);
Command add_convert(CLI::App& root);
Command add_demo(CLI::App& root);
Command add_describe(CLI::App& root);
Command add_embed(CLI::App& root);
Command add_evaluate(CLI::App& root);
Command add_extract(CLI::App& root);
Command add_fit(CLI::App& root);
Command add_flow(CLI::App& root);
Command add_import(CLI::App& root);
Command add_index(CLI::App& root);
Command add_match(CLI::App& root);
Command add_pretrain(CLI::App& root);
Command add_probe(CLI::App& root);
Command add_rankings(CLI::App& root);
Command add_store(CLI::App& root);
Command add_synth(CLI::App& root);
Command add_table(CLI::App& root);
Command add_train(CLI::App& root);

}  // namespace vmr::apps
