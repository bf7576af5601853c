// Rhythm and flow statistics of the published UT-CMVMR code as features.
#include <ATen/ATen.h>

#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "core/file_io.h"
#include "pipeline/import_store.h"
#include "vmr/audio/rhythm.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/reference_data.h"
#include "vmr/store/feature_store.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using detail::check_own;
using detail::LateStore;
using nlohmann::json;

struct Statistics {
  std::vector<std::pair<std::string, std::vector<float>>> items;  // ids, values of clips by row
  std::set<std::string> damaged;                                  // ids left out, and why is listed
  std::vector<ItemFailure> problems;
};

bool parse_float(const std::string& text, float& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && !std::isinf(value);
}

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> result;
  for (std::string word; words >> word;) result.push_back(word);
  return result;
}

// An item of which a line is damaged has clips in the wrong places: it is left out as a whole.
// Lines of an item that stand apart come from a run that was started twice: the first are taken.
Statistics read_statistics(const fs::path& path, size_t values) {
  Statistics result;
  auto& items = result.items;
  auto& damaged = result.damaged;
  std::map<std::string, int64_t> first_line;
  std::set<std::string> repeated;
  const auto complain = [&](const std::string& id, int64_t line, const std::string& what) {
    result.problems.push_back({id, vmr::detail::concat(path.string(), " line ", line, ": ", what)});
  };
  std::istringstream lines(vmr::detail::read_file(path));
  std::string line, previous_id;
  bool taken = false;  // whether the lines of previous_id count
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const auto words = split_words(line);
    if (words.empty() || words[0][0] == '#') continue;
    const auto& id = words[0];
    if (id != previous_id) {
      const auto [first, added] = first_line.emplace(id, number);
      if (added) items.emplace_back(id, std::vector<float>());
      if (!added && repeated.insert(id).second) {
        complain(
            id, number,
            vmr::detail::concat("has lines from line ", first->second, " on already; those count"));
      }
      taken = added;
      previous_id = id;
    }
    if (!taken) continue;
    std::vector<float> row(values);
    bool fits = words.size() == values + 1;
    for (size_t i = 0; fits && i < values; ++i) fits = parse_float(words[i + 1], row[i]);
    if (!fits && damaged.insert(id).second) {
      complain(id, number,
               vmr::detail::concat("expected an id and ", values, " numbers, got \"",
                                   line.substr(0, 60), "\"; the item is left out"));
    }
    items.back().second.insert(items.back().second.end(), row.begin(), row.end());
  }
  VMR_CHECK(!items.empty(), path.string(), ": no lines of statistics; expected an id and ", values,
            " numbers a line, comments begin with #");
  std::erase_if(items, [&](const auto& item) { return damaged.count(item.first) > 0; });
  return result;
}

Provenance provenance_of(const std::string& feature, double clip_seconds) {
  const json options = {{"clip_seconds", clip_seconds}, {"from", "statistics of UT-CMVMR"}};
  return {feature, "imported", options.dump(), "", ""};
}

// The store's own ids of a kind; none where it has no manifest yet.
std::optional<std::set<std::string>> known_ids(const store::FeatureStore& store,
                                               const std::string& kind) {
  if (!store.find_note("manifest")) return std::nullopt;
  std::set<std::string> ids;
  const auto manifest = stored_manifest(store);
  for (const auto* item : manifest.of(kind)) ids.insert(item->id);
  return ids;
}

// `classify` fills classes and counts clamps; it throws for values that are none.
template <typename Classify>
ImportedFeatures import_statistics(const fs::path& path, const Statistics& statistics,
                                   const fs::path& store_folder, const std::string& kind,
                                   const std::string& classes_name, const std::vector<int64_t>& row,
                                   double clip_seconds, LateStore& store,
                                   const Classify& classify) {
  ImportedFeatures result;
  const auto measures = provenance_of(classes_name + "_measures", clip_seconds);
  const auto classes = provenance_of(classes_name, clip_seconds);
  std::optional<std::set<std::string>> missing;
  if (const auto* found = store.found()) {
    for (const auto* provenance : {&measures, &classes}) check_own(*found, kind, *provenance);
    missing = known_ids(*found, kind);
  }
  const size_t width = row.empty() ? 1 : size_t(row[0]);
  result.problems = statistics.problems;
  for (const auto& [id, values] : statistics.items) {
    if (missing && missing->erase(id) == 0) {
      result.problems.push_back(
          {id, store_folder.string() + ": has no " + kind + " of that id; left out"});
      continue;
    }
    const int64_t clips = int64_t(values.size() / width);
    std::vector<int64_t> shape = {clips};
    shape.insert(shape.end(), row.begin(), row.end());
    const auto tensor = at::tensor(values, at::kFloat).view(shape);
    const auto times = RowTimes::regular(clips, 0, clip_seconds, clip_seconds);
    try {
      const auto found = classify(tensor, result.clamped);
      store.get().put({{{measures.extractor, kind, id}, {tensor, times, measures}},
                       {{classes.extractor, kind, id}, {found.contiguous(), times, classes}}});
    } catch (const InvalidArgument& error) {
      result.problems.push_back({id, path.string() + ": " + error.what() + "; left out"});
      continue;
    }
    ++result.items;
    result.clips += clips;
  }
  if (missing) {
    for (const auto& id : *missing) {
      if (statistics.damaged.count(id) > 0 || store.get().contains({classes_name, kind, id})) {
        continue;
      }
      result.problems.push_back({id, path.string() + ": no lines of this " + kind});
    }
  }
  return result;
}

}  // namespace

ImportedFeatures import_rhythm(const fs::path& statistics, const fs::path& store_folder,
                               double clip_seconds) {
  audio::RhythmClassOptions options;
  options.clip_seconds = clip_seconds;
  audio::validate(options);
  const auto read = read_statistics(statistics, 3);
  LateStore store(store_folder);
  return import_statistics(statistics, read, store_folder, "music", "rhythm", {3}, clip_seconds,
                           store, [&](const at::Tensor& measures, int64_t& clamped) {
                             const auto found = audio::rhythm_classes(measures, options);
                             clamped += found.clamped;
                             return found.classes;
                           });
}

ImportedFeatures import_clip_flow(const fs::path& statistics, const fs::path& store_folder,
                                  double clip_seconds) {
  VMR_CHECK(clip_seconds > 0 && std::isfinite(clip_seconds),
            "import: clip_seconds = ", clip_seconds, ", expected a positive number");
  const auto read = read_statistics(statistics, 1);
  LateStore store(store_folder);
  const auto edges = video::reference_edges();
  const auto stored = store.found() != nullptr ? stored_flow_edges(*store.found()) : std::nullopt;
  VMR_CHECK(!stored || *stored == edges, store_folder.string(), ": its flow classes have ",
            stored->kind,
            " edges; the published statistics go with the published ones; use "
            "another store");
  auto result = import_statistics(
      statistics, read, store_folder, "film", "clip_flow", {}, clip_seconds, store,
      [&](const at::Tensor& measures, int64_t& clamped) {
        VMR_CHECK(at::isfinite(measures).all().item<bool>() && measures.min().item<float>() >= 0,
                  "expected displacements of zero or more");
        const auto found = video::flow_classes(measures, edges);
        clamped += found.clamped;
        return found.classes;
      });
  if (result.items > 0) store.get().put_note("clip_flow_edges", video::to_json(edges));
  return result;
}

}  // namespace vmr::pipeline
