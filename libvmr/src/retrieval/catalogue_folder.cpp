#include "retrieval/catalogue_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>

#include "core/file_io.h"
#include "retrieval/mapped_file.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr::retrieval {
namespace fs = std::filesystem;
namespace {

constexpr int kVersion = 1;
constexpr const char* kWhatToDo = "; restore the folder from a copy or build the index again";

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& what) {
  throw StoreError(detail::concat("catalogue: ", path.string(), " is damaged: ", what, kWhatToDo));
}

std::string numbered(const char* form, int64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, form, static_cast<long long>(number));
  return text;
}

std::string checksum_of_text(const std::string& text) {
  return checksum_of(reinterpret_cast<const std::byte*>(text.data()), text.size());
}

// A path that stays inside the folder it is put in.
bool is_inside(const std::string& name) {
  const fs::path path(name);
  if (name.empty() || path.is_absolute() || path.filename().empty()) return false;
  for (const fs::path& part : path)
    if (part == ".." || part == ".") return false;
  return true;
}

nlohmann::json to_document(const GenerationRecord& record) {
  nlohmann::json segments = nlohmann::json::array(), attachments = nlohmann::json::object();
  for (const SegmentEntry& s : record.segments)
    segments.push_back({{"file", s.file}, {"checksum", s.checksum}, {"removed", s.removed}});
  for (const auto& [name, a] : record.attachments)
    attachments[name] = {{"hash", a.hash}, {"checksum", a.checksum}, {"bytes", a.bytes}};
  return {{"format", "vmr-catalogue"},
          {"version", kVersion},
          {"generation", record.number},
          {"space",
           {{"id", record.space.id}, {"dim", record.space.dim}, {"vectors", record.space.vectors}}},
          {"segments", segments},
          {"attachment_folder", record.attachment_folder},
          {"attachments", attachments}};
}

GenerationRecord from_document(const nlohmann::json& document) {
  GenerationRecord record;
  document.at("generation").get_to(record.number);
  document.at("space").at("id").get_to(record.space.id);
  document.at("space").at("dim").get_to(record.space.dim);
  document.at("space").at("vectors").get_to(record.space.vectors);
  for (const auto& s : document.at("segments"))
    record.segments.push_back({s.at("file"), s.at("checksum"), s.at("removed")});
  document.at("attachment_folder").get_to(record.attachment_folder);
  for (const auto& [name, a] : document.at("attachments").items())
    record.attachments[name] = {a.at("hash"), a.at("checksum"), a.at("bytes")};
  constexpr int64_t kMost = int64_t{1} << 24;  // keeps dim * vectors * 4 far from overflow
  if (record.number < 1 || record.space.dim < 1 || record.space.dim > kMost ||
      record.space.vectors < 1 || record.space.vectors > kMost)
    throw StoreError("a number is out of range");
  for (const SegmentEntry& s : record.segments)
    if (!is_inside(s.file)) throw StoreError("a file name leaves the folder");
  for (const auto& [name, a] : record.attachments)
    if (!is_inside(name) || !is_inside(record.attachment_folder))
      throw StoreError("an attachment's name leaves the folder");
  return record;
}

// CURRENT: the generation's file and its checksum.
std::pair<std::string, std::string> read_current(const fs::path& folder) {
  const fs::path path = folder / "CURRENT";
  if (!fs::exists(path))
    throw StoreError(detail::concat("catalogue: there is none in ", folder.string(),
                                    " (no file CURRENT); build it with `vmr index build`"));
  const std::string text = detail::read_file(path);
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.empty() || text.back() != '\n')
    fail_damaged(path, "it should hold a file name and a checksum");
  const std::string name = text.substr(0, space);
  if (!is_inside(name)) fail_damaged(path, "the file name leaves the folder");
  return {name, text.substr(space + 1, text.size() - space - 2)};
}

void sync_folders(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_directory()) detail::sync_path(entry.path());
  detail::sync_path(folder);
}

}  // namespace

WriterLock::WriterLock(const fs::path& folder) {
  const fs::path path = folder / "LOCK";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  int result = file_ < 0 ? -1 : ::flock(file_, LOCK_EX);
  while (file_ >= 0 && result != 0 && errno == EINTR) result = ::flock(file_, LOCK_EX);
  if (result == 0) return;
  const int reason = errno;
  if (file_ >= 0) ::close(file_);
  throw StoreError(
      detail::concat("catalogue: cannot lock ", path.string(), ": ", std::strerror(reason)));
}

WriterLock::~WriterLock() { ::close(file_); }

std::string generation_file_name(int64_t number) {
  return numbered("generation-%06lld.json", number);
}

bool has_catalogue(const fs::path& folder) { return fs::exists(folder / "CURRENT"); }

std::string read_current_name(const fs::path& folder) { return read_current(folder).first; }

GenerationRecord read_current_record(const fs::path& folder) {
  const auto [name, checksum] = read_current(folder);
  const fs::path path = folder / name;
  const std::string text = detail::read_file(path);
  if (checksum_of_text(text) != checksum) fail_damaged(path, "its checksum is wrong");
  try {
    const nlohmann::json document = nlohmann::json::parse(text);
    if (document.at("format") != "vmr-catalogue") fail_damaged(path, "it is no catalogue");
    const int version = document.at("version");
    if (version > kVersion)
      throw InvalidArgument(detail::concat("it has version ", version, ", this library reads ",
                                           kVersion, "; use a newer one"));
    return from_document(document);
  } catch (const InvalidArgument& error) {
    throw StoreError(detail::concat("catalogue: ", path.string(), ": ", error.what()));
  } catch (const std::exception& error) {
    fail_damaged(path, error.what());
  }
}

void commit_record(const fs::path& folder, const GenerationRecord& record) {
  const std::string name = generation_file_name(record.number);
  const std::string text = to_document(record).dump(1) + "\n";
  detail::write_file_atomically(folder / name, text);
  detail::write_file_atomically(folder / "CURRENT", name + " " + checksum_of_text(text) + "\n");
}

void collect_garbage(const fs::path& folder, const GenerationRecord& current,
                     const GenerationRecord& previous) {
  std::set<std::string> wanted;
  for (const GenerationRecord* record : {&current, &previous}) {
    wanted.insert(generation_file_name(record->number));
    for (const SegmentEntry& s : record->segments) wanted.insert(s.file);
    if (!record->attachment_folder.empty())
      wanted.insert(fs::path(record->attachment_folder).filename().string());
  }
  std::error_code ignored;
  std::vector<fs::path> unwanted;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("segment-") || name.starts_with("generation-") ||
                      name.starts_with("CURRENT.part");
    if (ours && !wanted.contains(name)) unwanted.push_back(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(folder / "attachments", ignored))
    if (!wanted.contains(entry.path().filename().string())) unwanted.push_back(entry.path());
  for (const fs::path& path : unwanted) fs::remove_all(path, ignored);
}

void write_attachments(const fs::path& folder, const GenerationRecord& base,
                       const std::map<std::string, AttachmentSource>& files,
                       GenerationRecord& record) {
  for (const auto& [name, source] : files) {
    VMR_CHECK(is_inside(name), "catalogue: attachment name '", name,
              "' must be a relative path without . and ..");
    VMR_CHECK(source.bytes.has_value() != source.path.has_value(), "catalogue: attachment '", name,
              "' needs either bytes or a path");
  }
  record.attachment_folder = "attachments/" + numbered("%06lld", record.number);
  const fs::path target = folder / record.attachment_folder;
  try {
    fs::remove_all(target);  // a left-over of a crash; nobody refers to it
    fs::create_directories(target);
    for (const auto& [name, entry] : base.attachments) {
      if (files.contains(name)) continue;
      const fs::path from = folder / base.attachment_folder / name;
      fs::create_directories((target / name).parent_path());
      std::error_code cannot_link;
      fs::create_hard_link(from, target / name, cannot_link);
      if (cannot_link) fs::copy_file(from, target / name);
    }
    for (const auto& [name, source] : files) {
      const fs::path to = target / name;
      fs::create_directories(to.parent_path());
      if (source.bytes) {
        detail::write_file_atomically(to, *source.bytes);
      } else {
        fs::copy_file(*source.path, to);
        detail::sync_path(to);
      }
      const MappedFile written(to);
      record.attachments[name] = {hash_file(to), checksum_of(written.data(), written.size()),
                                  written.size()};
    }
    sync_folders(target);
    detail::sync_path(folder / "attachments");
  } catch (const fs::filesystem_error& error) {
    throw StoreError(detail::concat("catalogue: cannot attach: ", error.what()));
  }
}

void check_attachments(const fs::path& folder, const GenerationRecord& record, bool verify) {
  for (const auto& [name, entry] : record.attachments) {
    const MappedFile file(folder / record.attachment_folder / name);
    if (file.size() != entry.bytes ||
        (verify && checksum_of(file.data(), file.size()) != entry.checksum))
      fail_damaged(folder / record.attachment_folder / name, "it is not what was attached");
  }
}

}  // namespace vmr::retrieval
