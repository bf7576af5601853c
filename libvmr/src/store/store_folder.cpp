#include "store/store_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/file_io.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr const char* kFormatFile = "vmr-store.json";
constexpr const char* kFormatName = "vmr feature store";
constexpr int kFormatVersion = 1;

struct Shard {
  int count = 0, index = 0;
  auto operator<=>(const Shard&) const = default;
};

// "part-<index>-of-<count>" exactly; anything else in the folder is not ours to read.
std::optional<Shard> parse_shard(const std::string& name) {
  const auto middle = name.find("-of-");
  if (!name.starts_with("part-") || middle == name.npos) return std::nullopt;
  Shard shard;
  std::from_chars(name.data() + 5, name.data() + middle, shard.index);
  std::from_chars(name.data() + middle + 4, name.data() + name.size(), shard.count);
  if (shard.index < 0 || shard.index >= shard.count || shard.count < 2) return std::nullopt;
  return part_name(shard.index, shard.count) == name ? std::optional(shard) : std::nullopt;
}

bool has_foreign_files(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    // A format file that was being written when its process was stopped.
    if (!entry.path().filename().string().starts_with(kFormatFile)) return true;
  }
  return false;
}

}  // namespace

void open_folder(const std::filesystem::path& folder, bool create) {
  const auto file = folder / kFormatFile;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    const bool present = std::filesystem::exists(folder, error);
    if (present && !std::filesystem::is_directory(folder, error)) {
      throw StoreError(detail::concat("store: ", folder.string(),
                                      " is a file; a feature store is a folder: name one"));
    }
    if (!create || (present && has_foreign_files(folder))) {
      throw StoreError(detail::concat("store: ", folder.string(), " is no feature store (no ",
                                      kFormatFile, ")",
                                      create    ? " and not empty; name a new or empty folder"
                                      : present ? ""
                                                : "; the folder does not exist"));
    }
    if (std::filesystem::create_directories(folder, error); error) {
      throw StoreError(
          detail::concat("store: cannot create ", folder.string(), ": ", error.message()));
    }
    const nlohmann::json format = {{"format", kFormatName}, {"version", kFormatVersion}};
    detail::write_file_atomically(file, format.dump() + "\n");
    return;
  }
  const auto json = nlohmann::json::parse(detail::read_file(file), nullptr, false);
  if (!json.is_object() || json.value("format", nlohmann::json()) != kFormatName ||
      !json.value("version", nlohmann::json()).is_number_integer()) {
    throw StoreError(detail::concat("store: ", file.string(),
                                    " is damaged; expected {\"format\":\"", kFormatName,
                                    "\",\"version\":", kFormatVersion, "}"));
  }
  const auto version = json["version"].get<int64_t>();
  if (version < 1 || version > kFormatVersion) {
    throw StoreError(detail::concat("store: ", folder.string(), " has format version ", version,
                                    ", this build reads up to ", kFormatVersion,
                                    "; use a newer libvmr"));
  }
}

std::string part_name(int shard_index, int shard_count) {
  VMR_CHECK(shard_count >= 1 && shard_index >= 0 && shard_index < shard_count,
            "StoreOptions: expected 0 <= shard_index < shard_count, got ", shard_index, " of ",
            shard_count);
  if (shard_count == 1) return kMainPart;
  return detail::concat("part-", shard_index, "-of-", shard_count);
}

std::vector<std::string> list_parts(const std::filesystem::path& folder) {
  std::vector<Shard> shards;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto shard = parse_shard(entry.path().filename().string());
    if (shard && std::filesystem::exists(entry.path() / "data.mdb")) shards.push_back(*shard);
  }
  std::sort(shards.begin(), shards.end());
  std::vector<std::string> names;
  const auto main = folder / kMainPart;
  if (std::filesystem::exists(main / "data.mdb")) {
    names.push_back(kMainPart);
  } else if (std::filesystem::exists(main / "lock.mdb")) {
    throw StoreError("store: " + (main / "data.mdb").string() +
                     " is missing, the store is damaged; bring the file back or extract again");
  }
  for (const auto& shard : shards) names.push_back(part_name(shard.index, shard.count));
  return names;
}

WriterLock::WriterLock(const std::filesystem::path& folder, const std::string& part) {
  const auto path = folder / (part + ".writer");
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664);
  if (file_ < 0) {
    throw StoreError(
        detail::concat("store: cannot open ", path.string(), ": ", std::strerror(errno)));
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    char holder[64] = {};
    const bool named = ::pread(file_, holder, sizeof holder - 1, 0) > 0;
    ::close(file_);
    if (reason != EWOULDBLOCK) {
      throw StoreError(
          detail::concat("store: cannot lock ", path.string(), ": ", std::strerror(reason)));
    }
    throw StoreBusy(detail::concat("store: ", folder.string(), ": part ", part,
                                   " is being written by process ", named ? holder : "unknown",
                                   "; wait for it or write another shard"));
  }
  const std::string self = std::to_string(::getpid());
  // Only for the message above: the lock itself does not depend on what the file says.
  if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, self.data(), self.size(), 0) < 0) return;
}

WriterLock::~WriterLock() {
  ::flock(file_, LOCK_UN);  // for copies of the descriptor in forked children too
  ::close(file_);
}

}  // namespace vmr::store
