// Manifest: the list of films and tracks a project works on, as JSON Lines, one item a line:
//   {"id":"f1","kind":"film","path":"f1.mp4","track":"m1","tags":["calm"],"split":"train"}
//   {"id":"m1","kind":"music","path":"m1.flac","tags":["calm"],"split":"train"}
// Relative paths are relative to the manifest. Thread-safe: plain values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vmr::store {

struct ManifestItem {
  std::string id;
  std::string kind;               // "film" or "music"
  std::filesystem::path path;     // absolute or relative to the working directory after reading
  std::string track;              // film: id of its music, "" where unknown
  std::vector<std::string> tags;  // first one = the class
  std::string split;              // "train", "valid", "test" or ""
  std::map<std::string, std::string> fields;  // title, license, ... and any other text or number
};

struct Manifest {
  std::vector<ManifestItem> items;

  const ManifestItem* find(const std::string& kind, const std::string& id) const;
  std::vector<const ManifestItem*> of(const std::string& kind, const std::string& split = "") const;
};

struct ManifestReading {
  bool require_paths = false;  // an item without a path is a bad line: for who opens the files
};

// Throws: StoreError where unreadable; InvalidArgument naming the first ten bad lines with their
// numbers and how many there are: not JSON, missing or duplicate id, unknown kind, film whose track
// is not in the manifest. A file whose first lines are no JSON at all is said to be no manifest.
Manifest read_manifest(const std::filesystem::path& path, const ManifestReading& reading = {});
void write_manifest(const Manifest& manifest, const std::filesystem::path& path);

}  // namespace vmr::store
