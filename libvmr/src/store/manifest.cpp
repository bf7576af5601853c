#include "vmr/store/manifest.h"

#include <set>
#include <string_view>

#include "core/byte_text.h"
#include "core/file_io.h"
#include "vmr/core/json_reader.h"

namespace vmr::store {
namespace {

using detail::escape_bytes;
using detail::has_escapes;
using detail::restore_bytes;

constexpr size_t kMaxListed = 10;
constexpr const char* kKnownKeys[] = {"id", "kind", "path", "track", "tags", "split"};

ManifestItem parse_item(std::string_view line, const std::string& place,
                        const std::filesystem::path& folder, const ManifestReading& reading) {
  const auto json = nlohmann::json::parse(escape_bytes(line), nullptr, false);
  if (json.is_discarded()) throw InvalidArgument(place + ": not JSON");
  JsonReader reader(json, place);
  ManifestItem item;
  std::string path;
  reader.field("id", item.id);
  reader.field("kind", item.kind);
  reader.field("path", path);
  reader.field("track", item.track);
  reader.field("tags", item.tags);
  reader.field("split", item.split);
  if (item.id.empty()) reader.fail("id", "missing");
  if (item.kind != "film" && item.kind != "music") {
    reader.fail("kind", "expected \"film\" or \"music\", got \"" + item.kind + "\"");
  }
  if (item.kind == "music" && !item.track.empty()) reader.fail("track", "only films have one");
  if (has_escapes(item.id + item.track)) reader.fail("id", "not UTF-8 (only paths may be)");
  if (path.empty() && reading.require_paths) {
    reader.fail("path", "missing; name the item's media file");
  }
  if (!path.empty()) {
    item.path = restore_bytes(path);
    if (item.path.is_relative()) item.path = (folder / item.path).lexically_normal();
  }
  for (const auto& key : reader.keys()) {
    if (std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys)) {
      continue;
    }
    const auto& value = reader.raw(key);
    if (value.is_null()) continue;
    item.fields[key] = restore_bytes(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return item;
}

// Takes a line off the front, its end too.
std::string_view take_line(std::string_view& rest) {
  const size_t length = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, length);
  rest.remove_prefix(std::min(length + 1, rest.size()));
  return line;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

// A song given as the manifest has a thousand lines that are bad in the same way.
void require_json_lines(std::string_view rest, const std::filesystem::path& path) {
  int seen = 0;
  while (!rest.empty() && seen < 3) {
    const auto line = take_line(rest);
    if (is_blank(line)) continue;
    if (nlohmann::json::accept(escape_bytes(line))) return;
    ++seen;
  }
  VMR_CHECK(seen == 0, path.string(), " is no manifest: it does not begin with JSON; expected ",
            "one item a line, like ", R"({"id":"f1","kind":"film","path":"f1.mp4"})");
}

std::string written_path(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto inside = std::filesystem::absolute(path).lexically_normal().lexically_relative(
      std::filesystem::absolute(folder).lexically_normal());
  const bool outside = inside.empty() || *inside.begin() == "..";
  return path.is_absolute() && outside ? path.string() : inside.string();
}

}  // namespace

const ManifestItem* Manifest::find(const std::string& kind, const std::string& id) const {
  for (const auto& item : items) {
    if (item.id == id && item.kind == kind) return &item;
  }
  return nullptr;
}

std::vector<const ManifestItem*> Manifest::of(const std::string& kind,
                                              const std::string& split) const {
  std::vector<const ManifestItem*> found;
  for (const auto& item : items) {
    if (item.kind == kind && (split.empty() || item.split == split)) found.push_back(&item);
  }
  return found;
}

Manifest read_manifest(const std::filesystem::path& path, const ManifestReading& reading) {
  const std::string text = detail::read_file(path);
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  require_json_lines(rest, path);
  Manifest manifest;
  std::vector<std::string> problems;
  std::map<std::pair<std::string, std::string>, int64_t> lines;  // of (kind, id)
  std::vector<int64_t> item_lines;
  const auto place = [&](int64_t line) { return detail::concat(path.string(), " line ", line); };
  for (int64_t number = 1; !rest.empty(); ++number) {
    const auto line = take_line(rest);
    if (is_blank(line)) continue;
    try {
      auto item = parse_item(line, place(number), path.parent_path(), reading);
      const auto [first, added] = lines.emplace(std::pair(item.kind, item.id), number);
      if (!added) {
        problems.push_back(detail::concat(place(number), ": id: ", item.kind, " ", item.id,
                                          " is already on line ", first->second));
      }
      manifest.items.push_back(std::move(item));
      item_lines.push_back(number);
    } catch (const InvalidArgument& error) {
      problems.push_back(error.what());
    }
  }
  for (size_t i = 0; i < manifest.items.size(); ++i) {
    const auto& item = manifest.items[i];
    if (item.track.empty() || lines.count({"music", item.track}) > 0) continue;
    problems.push_back(
        detail::concat(place(item_lines[i]), ": track: no music ", item.track, " in the manifest"));
  }
  if (problems.empty()) return manifest;
  std::string message = detail::concat(path.string(), " has ", problems.size(),
                                       problems.size() == 1 ? " bad line:" : " bad lines:");
  for (size_t i = 0; i < std::min(problems.size(), kMaxListed); ++i) message += "\n" + problems[i];
  if (problems.size() > kMaxListed) {
    message += detail::concat("\nand ", problems.size() - kMaxListed, " more");
  }
  throw InvalidArgument(message);
}

void write_manifest(const Manifest& manifest, const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string text;
  for (const auto& item : manifest.items) {
    nlohmann::ordered_json json = {{"id", item.id}, {"kind", item.kind}};
    if (!item.path.empty()) {
      json["path"] = escape_bytes(written_path(item.path, folder));
    }
    if (!item.track.empty()) json["track"] = item.track;
    if (!item.tags.empty()) json["tags"] = item.tags;
    if (!item.split.empty()) json["split"] = item.split;
    for (const auto& [key, value] : item.fields) {
      VMR_CHECK(!json.contains(key), "write_manifest: ", item.id, ": the field ", key,
                " is a member of its own");
      json[key] = escape_bytes(value);
    }
    try {
      text += restore_bytes(json.dump()) + "\n";
    } catch (const nlohmann::json::exception&) {
      throw InvalidArgument("write_manifest: " + item.kind + " " + item.id + ": not UTF-8");
    }
  }
  detail::write_file_atomically(path, text);
}

}  // namespace vmr::store
