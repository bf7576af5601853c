// How a caller watches and stops long work: progress and log callbacks and a stop token. The
// library never prints; without callbacks it is silent. Callbacks may come from any thread, one at
// a time; an exception they throw stops the work.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace vmr {

struct Progress {
  std::string stage;   // "extract", "train", ...
  int64_t done = 0;    // items finished
  int64_t total = 0;   // 0 where unknown
  std::string detail;  // item id, loss, ... for people
};

enum class LogLevel { debug, info, warning, error };

struct RunControl {
  std::function<void(const Progress&)> on_progress;
  std::function<void(LogLevel, const std::string&)> on_log;
  std::stop_token stop;  // asked between items; work stops cleanly and can be resumed

  void progress(const Progress& value) const {
    if (on_progress) on_progress(value);
  }
  void log(LogLevel level, const std::string& message) const {
    if (on_log) on_log(level, message);
  }
};

// An item a batch job could not do, and why.
struct ItemFailure {
  std::string id;
  std::string reason;
};

}  // namespace vmr
