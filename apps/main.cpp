// vmr: find the music that fits a video. Parses the command line and hands over to one subcommand.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "number_checks.h"
#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/core/memory.h"
#include "vmr/core/version.h"

namespace {

using namespace vmr::apps;

// A word in the place of a command that is none, at the top or below a command that has its own;
// CLI11 would only say that a command is missing.
bool names_commands(const CLI::App& app, int argc, char** argv, int place) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() || place >= argc || argv[place][0] == '-') return true;
  const std::string word = argv[place];
  std::vector<std::string> names;
  for (const auto* command : commands) {
    if (command->get_name() == word) return names_commands(*command, argc, argv, place + 1);
    names.push_back(command->get_name());
  }
  const auto near = vmr::nearest_name(word, names);
  std::string known;
  for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
  std::cerr << "vmr: there is no command \"" << word << "\""
            << (near.empty() ? "" : "; did you mean \"" + near + "\"?") << " (commands: " << known
            << ")\n";
  return false;
}

int end_interrupted(const Command& command) {
  end_progress();
  std::cerr << "vmr: interrupted"
            << (command.resumes ? "; run the same command again to go on" : "") << "\n";
  return kInterrupted;
}

void complain(const std::string& message) {
  end_progress();
  // What an interruption broke off is no error.
  if (interrupted() && message.ends_with("stopped on request")) return;
  std::cerr << "vmr: " << plain(message) << "\n";
}

int run(const Command& command) {
  int code = kNothingDone;
  try {
    code = command.run();
    end_progress();
    if (!interrupted() || (code != kDone && code != kInterrupted)) return code;
  } catch (const vmr::InvalidArgument& error) {
    complain(error.what());
    code = kWrongUsage;
  } catch (const std::filesystem::filesystem_error& error) {
    complain(error.path1().string() + ": " + error.code().message());
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return interrupted() ? end_interrupted(command) : code;
}

}  // namespace

// The code, but for a result that never arrived: on a full disk an empty file is no success.
int with_output_written(int code) {
  std::cout.flush();
  if (std::cout && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  complain(std::string("the output could not be written: ") + std::strerror(errno));
  return kNothingDone;
}

int main(int argc, char** argv) {
  vmr::keep_freed_memory();
  CLI::App root{"vmr " + vmr::version() + ": finds the music that fits a video, and the reverse"};
  root.require_subcommand(1);
  root.set_version_flag("--version", [] { return vmr::build_info(); });
  root.footer(
      "Exit codes: 0 done, 1 some items failed (listed), 2 wrong usage, recipe or option,\n"
      "3 nothing could be done, 130 interrupted (the next run resumes).");
  const Command commands[] = {
      add_probe(root),   add_synth(root),    add_beats(root), add_flow(root),  add_describe(root),
      add_extract(root), add_pretrain(root), add_embed(root), add_train(root), add_evaluate(root),
      add_index(root),   add_match(root),    add_fit(root),   add_store(root), add_convert(root),
      add_import(root),  add_table(root),    add_bench(root), add_demo(root),  add_rankings(root)};
  check_numbers(root);
  if (!names_commands(root, argc, argv, 1)) return kWrongUsage;
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? kDone : kWrongUsage;
  }
  for (const auto& command : commands) {
    if (command.app->parsed()) return with_output_written(run(command));
  }
  return kWrongUsage;
}
