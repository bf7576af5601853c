#include "pipeline/truth_ceiling.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <set>

#include "vmr/core/error.h"
#include "vmr/synth/library.h"

namespace vmr::pipeline {
namespace {

std::set<std::string> ids_of(const std::vector<const store::ManifestItem*>& items) {
  std::set<std::string> ids;
  for (const auto* item : items) ids.insert(item->id);
  return ids;
}

std::map<std::string, int64_t> places(const std::vector<std::string>& ids) {
  std::map<std::string, int64_t> result;
  for (const auto& id : ids) result.emplace(id, static_cast<int64_t>(result.size()));
  return result;
}

at::Tensor picked(const std::map<std::string, int64_t>& places,
                  const std::vector<std::string>& ids) {
  std::vector<int64_t> result;
  for (const auto& id : ids) result.push_back(places.at(id));
  return at::tensor(result, at::kLong);
}

}  // namespace

TruthCeiling::TruthCeiling(const std::filesystem::path& folder, const std::string& split,
                           const store::Manifest& manifest) {
  const auto list = folder / "manifest.jsonl";
  if (!std::filesystem::exists(list)) {
    throw StoreError(folder.string() +
                     " is no generated library, it has no manifest.jsonl; --truth names the --out "
                     "folder of `vmr synth`");
  }
  const auto library = store::read_manifest(list);
  const auto films = ids_of(library.of("film", split)), tracks = ids_of(library.of("music", split));
  const auto expect = [&](const std::set<std::string>& known, const char* kind,
                          const std::string& id) {
    VMR_CHECK(known.count(id) > 0, "the truth in ", folder.string(), " knows no ", kind, " ", id,
              " of split \"", split, "\": it is not of the library this store was made from");
  };
  for (const auto* film : manifest.of("film", split)) {
    expect(films, "film", film->id);
    expect(tracks, "track", film->track);
  }
  for (const auto* track : manifest.of("music", split)) expect(tracks, "track", track->id);
  auto truth = synth::hidden_truth_scores(folder, split);
  scores_ = std::move(truth.scores);
  rows_ = places(truth.films);
  columns_ = places(truth.tracks);
}

nlohmann::json TruthCeiling::document(const data::PairDataset& items,
                                      const eval::EvaluationOptions& options) const {
  const auto scores = scores_.index_select(0, picked(rows_, items.films()))
                          .index_select(1, picked(columns_, items.tracks()));
  return eval::evaluation_document(scores, items.track_of_film(), options);
}

}  // namespace vmr::pipeline
