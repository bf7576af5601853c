// Pairs, tags and id lists of the published UT-CMVMR code as a manifest.
#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/ascii_lower.h"
#include "core/file_io.h"
#include "core/json_fault.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/reference_data.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Problems = std::vector<ItemFailure>;
using Ids = std::vector<std::string>;

std::vector<std::string> read_lines(const fs::path& path) {
  std::vector<std::string> lines;
  const auto text = vmr::detail::read_file(path);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, end - begin);
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (begin == 0 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

Ids read_ids(const fs::path& path, Problems& problems) {
  if (path.empty()) return {};
  Ids ids;
  std::set<std::string> seen;
  for (auto& id : read_lines(path)) {
    if (seen.insert(id).second) {
      ids.push_back(std::move(id));
    } else {
      problems.push_back({id, path.string() + ": stands twice; counted once"});
    }
  }
  return ids;
}

// An object of entries. JSON lets a key stand twice, and parsers then lose one silently.
json read_entries(const fs::path& path, Problems& problems) {
  if (path.empty()) return json::object();
  std::set<std::string> seen;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth == 1 && event == json::parse_event_t::key &&
        !seen.insert(parsed.get<std::string>()).second) {
      problems.push_back({parsed, path.string() + ": stands twice; the last one counts"});
    }
    return true;
  };
  json entries;
  try {
    entries = json::parse(vmr::detail::read_file(path), watch);
  } catch (const json::exception& error) {
    throw InvalidArgument(path.string() + ": not JSON: " + vmr::detail::json_fault(error));
  }
  VMR_CHECK(entries.is_object(), path.string(), ": expected an object {id: [...]}, got ",
            entries.type_name());
  return entries;
}

std::string short_text(const json& value) {
  const auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

struct Pair {
  std::string track, tag;
  int64_t tag_index = 0;
};

std::optional<int64_t> to_index(const json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return std::nullopt;
  const std::string text = value;
  const bool digits = !text.empty() && text.size() < 10 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::optional<int64_t>(std::stoll(text)) : std::nullopt;
}

// The tag index is read where it is given: earlier files have [track, tag].
std::optional<Pair> to_pair(const json& entry) {
  if (!entry.is_array() || entry.size() < 2 || entry.size() > 3) return std::nullopt;
  if (!entry[0].is_string() || !entry[1].is_string()) return std::nullopt;
  Pair pair{entry[0], entry[1], -1};
  if (entry.size() == 3) {
    const auto index = to_index(entry[2]);
    if (!index) return std::nullopt;
    pair.tag_index = *index;
  }
  if (pair.track.empty() || pair.tag.empty()) return std::nullopt;
  return pair;
}

std::map<std::string, Pair> read_pairs(const fs::path& path, Problems& problems) {
  std::map<std::string, Pair> pairs;
  const json entries = read_entries(path, problems);
  for (const auto& [film, entry] : entries.items()) {
    const auto pair = to_pair(entry);
    if (pair && !film.empty()) {
      pairs.emplace(film, *pair);
    } else {
      problems.push_back({film, path.string() + ": expected [track, tag, tag index], got " +
                                    short_text(entry) + "; left out"});
    }
  }
  return pairs;
}

struct MusicTag {
  std::string tag;
  double seconds = 0;
};

std::map<std::string, MusicTag> read_music_tags(const fs::path& path, Problems& problems) {
  std::map<std::string, MusicTag> tags;
  const json entries = read_entries(path, problems);
  for (const auto& [track, entry] : entries.items()) {
    const bool fits = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                      !entry[0].get_ref<const std::string&>().empty() && entry[1].is_number() &&
                      entry[1].get<double>() >= 0;
    if (fits) {
      tags[track] = {entry[0], entry[1]};
    } else {
      problems.push_back({track, path.string() + ": expected [tag, seconds], got " +
                                     short_text(entry) + "; passed over"});
    }
  }
  return tags;
}

void check_tag_indices(const fs::path& path, const std::map<std::string, Pair>& pairs,
                       Problems& problems) {
  std::map<std::string, int64_t> index_of;
  std::map<int64_t, std::string> tag_of;
  for (const auto& [film, pair] : pairs) {
    if (pair.tag_index < 0) continue;
    const auto index = index_of.emplace(pair.tag, pair.tag_index).first->second;
    const auto& tag = tag_of.emplace(pair.tag_index, pair.tag).first->second;
    if (index != pair.tag_index || tag != pair.tag) {
      problems.push_back(
          {film, vmr::detail::concat(path.string(), ": tag \"", pair.tag, "\" with index ",
                                     pair.tag_index, ", elsewhere \"", tag,
                                     "\" has it and the tag ", index, "; the tag counts")});
    }
  }
}

// Which list an id is in; the first one counts.
std::map<std::string, std::string> read_splits(
    const std::vector<std::pair<std::string, fs::path>>& lists, Problems& problems) {
  std::map<std::string, std::string> splits;
  for (const auto& [split, path] : lists) {
    for (const auto& id : read_ids(path, problems)) {
      const auto [found, added] = splits.emplace(id, split);
      if (!added) {
        problems.push_back({id, path.string() + ": is in the list of \"" + found->second +
                                    "\" already, where it stays"});
      }
    }
  }
  return splits;
}

// In lower case.
using Endings = std::set<std::string>;

const Endings& film_endings() {
  static const Endings endings = {".mp4", ".m4v", ".mov",  ".mkv", ".webm", ".avi",
                                  ".mpg", ".ts",  ".mpeg", ".mts", ".m2ts", ".wmv",
                                  ".flv", ".ogv", ".3gp",  ".vob", ".zip"};
  return endings;
}

const Endings& music_endings() {
  static const Endings endings = {".mp3", ".wav", ".flac", ".ogg", ".oga", ".m4a", ".opus", ".aac",
                                  ".wma", ".aif", ".aiff", ".ac3", ".mka", ".mp2", ".caf"};
  return endings;
}

// Files that may hold sound alone.
const Endings& container_endings() {
  static const Endings endings = {".mp4", ".m4v", ".mov", ".mkv", ".webm"};
  return endings;
}

bool has_ending(const fs::path& path, const Endings& endings) {
  return endings.count(vmr::detail::ascii_lower(path.extension().string())) > 0;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The media of ids: files of a list of paths, or those of a folder that have one of the endings,
// where earlier sets of endings come before later ones.
class MediaFiles {
 public:
  MediaFiles(const fs::path& source, const std::vector<Endings>& endings, Problems& problems)
      : given_(!source.empty()), source_(source) {
    if (!given_) return;
    std::vector<fs::path> paths;
    if (fs::is_directory(source)) {
      const auto files = files_below(source);
      for (const auto& set : endings) {
        std::copy_if(files.begin(), files.end(), std::back_inserter(paths),
                     [&](const fs::path& path) { return has_ending(path, set); });
      }
    } else {
      for (const auto& line : read_lines(source)) paths.push_back(beside(line));
    }
    for (const auto& path : paths) {
      const auto id = path.stem().string();
      const auto [found, added] = paths_.emplace(id, path);
      if (!added && found->second != path) {
        problems.push_back({id, path.string() + ": " + found->second.string() +
                                    " has that id already and counts"});
      }
    }
  }

  bool given() const { return given_; }
  std::optional<fs::path> find(const std::string& id) const {
    if (!given_) return fs::path();
    const auto found = paths_.find(id);
    if (found == paths_.end() || !fs::exists(found->second)) return std::nullopt;
    return found->second;
  }
  std::string missing() const { return source_.string() + ": no file of that id; left out"; }

 private:
  // As the published scripts do, from where they are run; else from where the list lies.
  fs::path beside(const fs::path& path) const {
    if (path.is_absolute() || fs::exists(path)) return path;
    return source_.parent_path() / path;
  }

  bool given_;
  fs::path source_;
  std::map<std::string, fs::path> paths_;
};

// Ids, or the paths of a log with the reason behind a tab.
std::set<std::string> read_ignored(const fs::path& path) {
  std::set<std::string> ids;
  if (path.empty()) return ids;
  for (const auto& line : read_lines(path)) {
    const auto name = line.substr(0, line.find('\t'));
    ids.insert(name.find('/') == name.npos ? name : fs::path(name).stem().string());
  }
  return ids;
}

class Importer {
 public:
  explicit Importer(const ReferencePairs& files)
      : files_(files),
        pairs_(read_pairs(files.pairs, result_.problems)),
        music_tags_(read_music_tags(files.music_tags, result_.problems)),
        film_splits_(
            read_splits({{"train", files.train}, {"valid", files.valid}, {"test", files.test}},
                        result_.problems)),
        gallery_(read_splits({{"test", files.gallery}}, result_.problems)),
        music_splits_(read_splits({{"train", files.music_train}, {"valid", files.music_test}},
                                  result_.problems)),
        ignored_(read_ignored(files.ignore)),
        film_files_(files.films, {film_endings()}, result_.problems),
        music_files_(files.music, {music_endings(), container_endings()}, result_.problems) {}

  ImportedManifest run() {
    check_tag_indices(files_.pairs, pairs_, result_.problems);
    for (const auto& [id, split] : film_splits_) {
      if (pairs_.count(id) == 0) {
        problem(id, files_.pairs.string() + ": has no such film, but the list of \"" + split +
                        "\" does; left out");
      }
    }
    choose_films();
    add_tracks();
    for (auto& film : films_) {
      if (has_track_.count(film.track) > 0) {
        result_.manifest.items.push_back(std::move(film));
      } else {
        problem(film.id, "its track " + film.track + " is left out, and so is the film");
      }
    }
    return std::move(result_);
  }

 private:
  void problem(const std::string& id, const std::string& reason) {
    result_.problems.push_back({id, reason});
  }

  bool is_ignored(const std::string& id) {
    const bool ignored = ignored_.count(id) > 0;
    result_.ignored += ignored;
    return ignored;
  }

  void choose_films() {
    const bool lists = !files_.train.empty() || !files_.valid.empty() || !files_.test.empty();
    std::set<std::string> known_tags, unknown_tags;
    for (const auto& [track, entry] : music_tags_) known_tags.insert(entry.tag);
    for (const auto& [id, pair] : pairs_) {
      const auto split = film_splits_.find(id);
      if (lists && split == film_splits_.end()) {
        ++result_.in_no_list;
        continue;
      }
      if (is_ignored(id)) continue;
      const auto path = film_files_.find(id);
      if (!path) {
        problem(id, film_files_.missing());
        continue;
      }
      if (!known_tags.empty() && known_tags.count(pair.tag) == 0 &&
          unknown_tags.insert(pair.tag).second) {
        problem(pair.tag,
                files_.music_tags.string() + ": no music has this tag of film " + id + "; kept");
      }
      store::ManifestItem film{id, "film", *path, pair.track, {pair.tag}, "", {}};
      if (lists) film.split = split->second;
      if (pair.tag_index >= 0) film.fields["tag_index"] = std::to_string(pair.tag_index);
      films_.push_back(std::move(film));
    }
  }

  void add_tracks() {
    std::map<std::string, std::vector<const store::ManifestItem*>> films_of;
    for (const auto& film : films_) films_of[film.track].push_back(&film);
    for (const auto* list : {&gallery_, &music_splits_}) {
      for (const auto& [id, split] : *list) films_of[id];
    }
    for (const auto& [id, films] : films_of) {
      if (is_ignored(id)) continue;
      const auto path = music_files_.find(id);
      if (!path) {
        problem(id, music_files_.missing());
        continue;
      }
      note_if_shared(id, films);
      store::ManifestItem track{id, "music", *path, "", {}, split_of(id, films), {}};
      add_tags(track, films);
      result_.manifest.items.push_back(std::move(track));
      has_track_.insert(id);
    }
  }

  // One example of either side.
  void note_if_shared(const std::string& id, const std::vector<const store::ManifestItem*>& films) {
    const auto music = music_splits_.find(id);
    std::string trained, ranked;
    if (music != music_splits_.end() && music->second == "train") trained = "in --music-train";
    if (gallery_.count(id) > 0) ranked = "in --gallery";
    for (const auto* film : films) {
      if (film->split.empty()) continue;
      auto& side = film->split == "train" ? trained : ranked;
      if (side.empty()) side = film->split + " by " + film->id;
    }
    if (trained.empty() || ranked.empty()) return;
    result_.shared_tracks.push_back({id, trained + ", " + ranked});
  }

  std::string split_of(const std::string& id,
                       const std::vector<const store::ManifestItem*>& films) const {
    if (gallery_.count(id) > 0) return "test";
    if (const auto found = music_splits_.find(id); found != music_splits_.end()) {
      return found->second;
    }
    for (const char* split : {"train", "valid", "test"}) {
      for (const auto* film : films) {
        if (film->split == split) return split;
      }
    }
    return "";
  }

  void add_tags(store::ManifestItem& track, const std::vector<const store::ManifestItem*>& films) {
    const auto found = music_tags_.find(track.id);
    if (found != music_tags_.end()) {
      track.tags = {found->second.tag};
      track.fields["duration_seconds"] = json(found->second.seconds).dump();
      return;
    }
    if (!files_.music_tags.empty()) {
      problem(track.id, files_.music_tags.string() + ": has no such track; it has " +
                            (films.empty() ? "no tag" : "the tags of its films"));
    }
    for (const auto* film : films) {
      const auto& tag = film->tags.front();
      if (std::find(track.tags.begin(), track.tags.end(), tag) == track.tags.end()) {
        track.tags.push_back(tag);
      }
    }
  }

  ImportedManifest result_;  // first: the readers of the files report to it
  const ReferencePairs& files_;
  std::map<std::string, Pair> pairs_;
  std::map<std::string, MusicTag> music_tags_;
  std::map<std::string, std::string> film_splits_, gallery_, music_splits_;
  std::set<std::string> ignored_;
  MediaFiles film_files_, music_files_;
  std::vector<store::ManifestItem> films_;
  std::set<std::string> has_track_;
};

}  // namespace

ImportedManifest import_manifest(const ReferencePairs& files) {
  VMR_CHECK(!files.pairs.empty(), "import: expected a file of pairs {film: [track, tag, index]}");
  return Importer(files).run();
}

}  // namespace vmr::pipeline
