// A program run to its end, or killed on the way.
#pragma once

#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vmr::test {

struct ProcessResult {
  int exit_code = -1;  // -signal where a signal ended it
  std::string out, error;

  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

struct ProcessOptions {
  long file_size_limit = 0;  // bytes a file may have (RLIMIT_FSIZE); 0 = no limit
  // Asked every few milliseconds; true sends the process this signal.
  std::function<bool()> kill_when;
  int kill_signal = SIGKILL;
};

// Runs the program vmr with these arguments.
ProcessResult run_vmr(const std::vector<std::string>& arguments,
                      const ProcessOptions& options = {});
// Runs any program.
ProcessResult run_program(const std::vector<std::string>& command,
                          const ProcessOptions& options = {});

}  // namespace vmr::test
