// What a person reads on stderr: errors without our inner names, warnings, failures, and what is
// said of output files before and after the work.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "printable.h"
#include "shared.h"
#include "vmr/core/error.h"

namespace vmr::apps {

std::string plain(const std::string& message) {
  // Functions whose messages reach the user, who typed none of these names or knows what he typed.
  constexpr std::string_view kFunctions =
      " ClipDataset FeatureStore FilmWriter FilmWriterOptions LibraryOptions PairDataset "
      "build_index check_store compact_store decode describe embed evaluate extract fit "
      "find_state_dict generate_library match merge_store probe read_audio_blocks read_safetensors "
      "read_torch_checkpoint store synchronise synth to_csv train write_audio write_markers "
      "write_preview "
      "write_safetensors ";
  std::string text = message;
  if (const auto colon = text.find(": "); colon != text.npos) {
    const bool known = kFunctions.find(" " + text.substr(0, colon) + " ") != kFunctions.npos;
    if (known) text.erase(0, colon + 2);
  }
  // "[json.exception.out_of_range.403] key 'features' not found"
  if (!text.starts_with("[json.exception.")) return text;
  return "a file is damaged: " + text.substr(text.find("] ") + 2);
}

std::string counted(int64_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

void warn(const std::vector<std::string>& problems) {
  end_progress();
  for (const auto& problem : problems) std::cerr << "warning: " << printable(problem) << "\n";
}

void require_writable(const std::string& option, const std::string& path,
                      const std::vector<std::filesystem::path>& inputs) {
  if (path.empty()) return;
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path file = path;
  const auto folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::string reason;
  if (fs::is_directory(file, ignored) || !file.has_filename()) {
    reason = "it is a folder; name a file";
  } else if (!fs::is_directory(folder, ignored)) {
    reason = "there is no folder " + folder.string();
  } else if (access(folder.c_str(), W_OK | X_OK) != 0 ||
             (fs::exists(file, ignored) && access(file.c_str(), W_OK) != 0)) {
    reason = std::strerror(errno);
  }
  for (const auto& input : inputs) {
    if (!fs::equivalent(file, input, ignored)) continue;
    reason = "it is a file that this command reads; name another";
  }
  if (!reason.empty()) throw StoreError(option + " " + path + " cannot be written: " + reason);
}

namespace {

void require_ending(const std::string& option, const std::string& path, const char* what,
                    const std::vector<std::string>& endings) {
  require_writable(option, path);
  const auto ending = std::filesystem::path(path).extension().string();
  VMR_CHECK(path.empty() || std::find(endings.begin(), endings.end(), ending) != endings.end(),
            option, " writes ", what, ": expected a name that ends in ", endings.front(), ", got ",
            path);
}

}  // namespace

void require_page(const std::string& option, const std::string& path) {
  require_ending(option, path, "a page", {".html", ".htm"});
}

void require_plot(const std::string& path) { require_ending("--plot", path, "SVG", {".svg"}); }

void write_output(const std::string& path, std::vector<ItemFailure>& failures,
                  const std::function<void()>& write) {
  if (path.empty()) return;
  try {
    write();
  } catch (const std::exception& error) {
    failures.push_back({path, error.what()});
  }
}

void add_footer(CLI::App& app, const std::string& text) {
  app.footer(text + "\n\n" + app.get_footer());  // a subcommand begins with its parent's
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& text) { return text.empty() ? "it is empty; leave it out" : ""; }, "");
}

int report_failures(const std::vector<ItemFailure>& failures, int64_t succeeded) {
  end_progress();
  for (const auto& failure : failures) {
    const auto reason = plain(failure.reason);
    // Many reasons begin with the path, which is the id of a file named on the command line.
    const auto id = reason.starts_with(failure.id + ": ") ? "" : failure.id + ": ";
    std::cerr << "failed: " << printable(id + reason) << "\n";
  }
  if (interrupted()) return kInterrupted;
  if (failures.empty()) return kDone;
  return succeeded > 0 ? kSomeFailed : kNothingDone;
}

}  // namespace vmr::apps
