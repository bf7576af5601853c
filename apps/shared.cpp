#include "shared.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "number_checks.h"
#include "printable.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"

namespace vmr::apps {
namespace {

using Clock = std::chrono::steady_clock;

// A signal handler may only touch lock-free atomics; a thread turns the flag into a stop request.
std::atomic<bool> g_interrupted{false};
extern "C" void on_signal(int) { g_interrupted = true; }

struct Bar {
  std::mutex mutex;
  std::string stage;
  Clock::time_point begun, drawn;
  int64_t first = 0;
  bool open = false;
};

std::string clock_text(double seconds) {
  char text[32];
  const auto whole = static_cast<long>(seconds + 0.5);
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

void draw(Bar& bar, const Progress& progress) {
  std::lock_guard lock(bar.mutex);
  const auto now = Clock::now();
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const bool new_stage = bar.stage != progress.stage;
  if (new_stage) {
    if (bar.open && terminal) std::fputc('\n', stderr);
    bar.stage = progress.stage;
    bar.begun = now;
    bar.first = progress.done;
    bar.drawn = {};
  }
  const bool last = progress.total > 0 && progress.done >= progress.total;
  const auto pause = std::chrono::milliseconds(terminal ? 100 : 5000);
  if (!last && now - bar.drawn < pause) return;
  bar.drawn = now;
  bar.open = true;
  const double seconds = std::chrono::duration<double>(now - bar.begun).count();
  const double rate = seconds > 0 ? double(progress.done - bar.first) / seconds : 0;
  std::string line = progress.stage + " ";
  if (progress.total > 0) {
    const int64_t filled = 24 * progress.done / progress.total;
    if (terminal)
      line += "[" + std::string(size_t(filled), '#') + std::string(size_t(24 - filled), '.') + "] ";
    line += std::to_string(progress.done) + "/" + std::to_string(progress.total);
    if (rate > 0) {
      line += last ? ", " + clock_text(seconds)
                   : ", " + clock_text(double(progress.total - progress.done) / rate) + " left";
    }
  } else {
    line += std::to_string(progress.done);
  }
  if (!progress.detail.empty()) line += "  " + printable(progress.detail).substr(0, 60);
  if (terminal) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

Bar& bar() {
  static Bar instance;
  return instance;
}

}  // namespace

void add_common(CLI::App& app, Common& common) {
  app.add_flag("--json", common.json, "print one JSON document on stdout; logs stay on stderr");
  app.add_option("--seed", common.seed, "seed of everything random")->capture_default_str();
  app.add_option("--device", common.device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str()
      ->check([](const std::string& text) -> std::string {
        try {
          resolve_device(text);
          return "";
        } catch (const Error& error) {
          return plain(error.what());
        }
      });
  app.add_option("--threads", common.threads, "worker threads; 0 = one per core")
      ->capture_default_str()
      ->check(whole_number(0, 4096));
  app.parse_complete_callback([&common] { use_threads(common); });
}

RunControl control() {
  static std::stop_source source;
  static std::jthread watcher([](std::stop_token end) {
    while (!end.stop_requested()) {
      if (g_interrupted) {
        source.request_stop();
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  static const bool installed = [] {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    return true;
  }();
  (void)installed;
  RunControl control;
  control.stop = source.get_token();
  control.on_progress = [](const Progress& progress) { draw(bar(), progress); };
  control.on_log = [](LogLevel level, const std::string& message) {
    if (level == LogLevel::debug) return;
    end_progress();
    std::cerr << (level == LogLevel::info      ? ""
                  : level == LogLevel::warning ? "warning: "
                                               : "error: ")
              << message << "\n";
  };
  return control;
}

void end_progress() {
  std::lock_guard lock(bar().mutex);
  if (bar().open && isatty(STDERR_FILENO)) std::fputc('\n', stderr);
  bar().open = false;
}

bool interrupted() { return g_interrupted; }

void print_json(const nlohmann::json& document) {
  std::cout << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

std::filesystem::path music_cache() {
  namespace fs = std::filesystem;
  fs::path folder;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    folder = cache;
  } else {
    const char* home = std::getenv("HOME");
    VMR_CHECK(home != nullptr && *home != '\0',
              "there is no HOME to keep analysed music in; give --store FOLDER");
    folder = fs::path(home) / ".cache";
  }
  fs::create_directories(folder / "vmr");
  return folder / "vmr" / "music";
}

int thread_count(const Common& common) { return vmr::thread_count(common.threads); }

void use_threads(const Common& common) {
  if (common.threads > 0) at::set_num_threads(common.threads);
}

}  // namespace vmr::apps
