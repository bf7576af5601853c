// Changes the features of a store in place, for the controls of README.md; work on a copy.
//   change_store STORE shuffle       classes of rhythm and flow handed to other items of the split
//   change_store STORE coarse N      N classes a measure between quantiles of the training split
//   change_store STORE order         the clip features of each item in random order
#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "vmr/store/feature_store.h"

namespace {

using vmr::store::FeatureStore;
using Ids = std::vector<std::string>;

Ids ids_of(const FeatureStore& store, const std::string& kind, const std::string& split) {
  Ids ids;
  for (const auto& item : nlohmann::json::parse(*store.find_note("manifest"))) {
    if (item.at("kind") == kind && item.at("split") == split) ids.push_back(item.at("id"));
  }
  return ids;
}

void replace(FeatureStore& store, const std::string& feature, const std::string& kind,
             const std::string& id, const at::Tensor& values) {
  auto track = *store.find({feature, kind, id});
  track.values = values.contiguous();
  store.put({{{feature, kind, id}, track}});
}

// Rows of another item, from its beginning again where it is shorter.
void shuffle(FeatureStore& store, const std::string& feature, const std::string& kind) {
  for (const std::string split : {"train", "valid", "test"}) {
    const auto ids = ids_of(store, kind, split);
    std::vector<at::Tensor> values;
    for (const auto& id : ids) values.push_back(store.find({feature, kind, id})->values);
    std::vector<size_t> from(ids.size());
    for (size_t i = 0; i < from.size(); ++i) from[i] = i;
    std::shuffle(from.begin(), from.end(), std::mt19937(1));
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto& other = values[from[i]];
      const auto rows = at::arange(values[i].size(0)).remainder(other.size(0));
      replace(store, feature, kind, ids[i], other.index_select(0, rows));
    }
  }
}

void coarse(FeatureStore& store, const std::string& feature, const std::string& kind, int classes) {
  const auto measures = [&](const std::string& id) {
    return store.find({feature + "_measures", kind, id})->values.to(at::kFloat).nan_to_num(0);
  };
  std::vector<at::Tensor> training;
  for (const auto& id : ids_of(store, kind, "train")) training.push_back(measures(id));
  const auto shares = at::arange(1, classes).to(at::kFloat) / classes;
  const auto edges = at::quantile(at::cat(training), shares, 0);  // [classes - 1, measures...]
  for (const std::string split : {"train", "valid", "test"}) {
    for (const auto& id : ids_of(store, kind, split)) {
      const auto above = measures(id).unsqueeze(0) > edges.unsqueeze(1);
      replace(store, feature, kind, id, above.sum(0).to(at::kLong));
    }
  }
}

void reorder(FeatureStore& store, const std::string& feature, const std::string& kind) {
  at::manual_seed(1);
  for (const std::string split : {"train", "valid", "test"}) {
    for (const auto& id : ids_of(store, kind, split)) {
      const auto values = store.find({feature, kind, id})->values;
      replace(store, feature, kind, id, values.index_select(0, at::randperm(values.size(0))));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  if (mode != "shuffle" && mode != "order" && !(mode == "coarse" && argc == 4)) {
    std::fprintf(stderr, "usage: change_store STORE shuffle|order|coarse N\n");
    return 2;
  }
  const auto store = FeatureStore::open(argv[1], {.writable = true});
  const std::vector<std::pair<std::string, std::string>> classes = {{"rhythm", "music"},
                                                                    {"clip_flow", "film"}};
  for (const auto& [feature, kind] : classes) {
    if (mode == "shuffle") shuffle(*store, feature, kind);
    if (mode == "coarse") coarse(*store, feature, kind, std::stoi(argv[3]));
  }
  if (mode == "order") {
    reorder(*store, "conformer_audio", "music");
    reorder(*store, "conformer_video", "film");
  }
  return 0;
}
