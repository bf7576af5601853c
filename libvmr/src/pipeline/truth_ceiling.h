// What the hidden truth of a generated library would recall of the items of an evaluation.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "vmr/data/pair_dataset.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/store/manifest.h"

namespace vmr::pipeline {

class TruthCeiling {
 public:
  // Reads all of the split's truth. Throws: StoreError where the folder holds no generated library;
  // InvalidArgument where it does not know a film of the manifest's split, or its track.
  TruthCeiling(const std::filesystem::path& folder, const std::string& split,
               const store::Manifest& manifest);
  nlohmann::json document(const data::PairDataset& items,
                          const eval::EvaluationOptions& options) const;

 private:
  at::Tensor scores_;  // [films, tracks] of the library's split
  std::map<std::string, int64_t> rows_, columns_;
};

}  // namespace vmr::pipeline
