// vmr: find the music that fits a video. Parses the command line and hands over to one subcommand.
#include <iostream>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"

int main(int argc, char** argv) {
  using namespace vmr::apps;
  CLI::App root{"vmr " + vmr::version() + ": finds the music that fits a video, and the reverse"};
  root.require_subcommand(1);
  root.set_version_flag("--version", [] { return vmr::build_info(); });
  root.footer(
      "Exit codes: 0 done, 1 some items failed (listed), 2 wrong usage, recipe or option,\n"
      "3 nothing could be done, 130 interrupted (the next run resumes).");
  const Command commands[] = {
      add_probe(root),    add_synth(root),    add_beats(root),    add_flow(root),
      add_describe(root), add_extract(root),  add_pretrain(root), add_embed(root),
      add_train(root),    add_evaluate(root), add_index(root),    add_match(root),
      add_store(root),    add_convert(root),  add_table(root),    add_bench(root),
      add_demo(root)};
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? kDone : kWrongUsage;
  }
  try {
    for (const auto& command : commands) {
      if (command.app->parsed()) {
        const int code = command.run();
        end_progress();
        return code == kDone && interrupted() ? kInterrupted : code;
      }
    }
  } catch (const vmr::InvalidArgument& error) {
    end_progress();
    std::cerr << "vmr: " << error.what() << "\n";
    return interrupted() ? kInterrupted : kWrongUsage;
  } catch (const std::exception& error) {
    end_progress();
    std::cerr << "vmr: " << error.what() << "\n";
    return interrupted() ? kInterrupted : kNothingDone;
  }
  return kWrongUsage;
}
