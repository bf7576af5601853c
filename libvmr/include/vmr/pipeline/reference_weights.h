// Weights of the published UT-CMVMR code (arXiv 2309.09421) as runs of ours: a Conformer's
// checkpoint as one of `vmr pretrain`, the matching network's as one of `vmr train`, so that `vmr
// embed` and `vmr evaluate` take them. Names are the same on both sides; what ours lacks (constant
// position tables, norms that are never called, heads of terms that are off) is left out, nothing
// else. Thread-safe on different folders.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vmr/pipeline/recipe.h"

namespace vmr::pipeline {

struct ImportedWeights {
  std::string key, prefix;            // as store::StateDict
  std::vector<std::string> left_out;  // tensors of the file that the module has no use for
  std::vector<std::string> made_up;   // tensors of the module that the file lacks
  std::string weights_hash;
};

// `modality` "audio" or "video": recipe.pretrain's part gives the shape, recipe.extract the size of
// its input. With or without the classification head; names may begin with "module." and lie under
// a key of a training checkpoint (`key`, or a usual one).
// Throws: StoreError as read_torch_checkpoint and where `run_folder` cannot be written;
// InvalidArgument where it is not empty, and where recipe and checkpoint do not fit: all missing,
// unexpected and wrongly shaped tensors, and which fields of the recipe follow from the shapes.
ImportedWeights import_conformer(const std::filesystem::path& checkpoint,
                                 const std::string& modality, const Recipe& recipe,
                                 const std::filesystem::path& run_folder,
                                 const std::string& key = "");

// Sizes that recipe.model leaves open come from the checkpoint. The published network has never
// seen a lone item: the partners that embed_* attends to are zeros, so vectors of single items
// are an approximation. The joint scores of `vmr evaluate` are the published ones with `--joint
// gallery_mean` where the recipe's reference_behaviour has normalise_over_clips. Its tags are those
// of the store's sentence vectors.
ImportedWeights import_ut_cmvmr(const std::filesystem::path& checkpoint, const Recipe& recipe,
                                const std::filesystem::path& run_folder,
                                const std::string& key = "");

}  // namespace vmr::pipeline
