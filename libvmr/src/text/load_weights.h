// Published weights into a BertEncoder.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vmr/text/bert_encoder.h"

namespace vmr::text::detail {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Those of model.safetensors, else of pytorch_model.bin. Throws: StoreError.
NamedTensors read_weights(const std::filesystem::path& folder);

// Whether the sizes of config.json are those of the weights, so that a false one costs no memory.
// Throws: StoreError naming `source`, the key and both sizes.
void check_sizes(const BertEncoderOptions& options, const NamedTensors& tensors,
                 const std::string& source);

// Puts tensors in the place of the parameters of the same names, as float32; those that are float32
// already share the file's mapping. What stands before
// "embeddings.word_embeddings.weight" is a prefix of the encoder's tensors; tensors without it
// (heads of the pre-training), the pooler and stored position ids are left out.
// Throws: StoreError naming `source` with all missing, unexpected and wrongly shaped tensors.
void load_weights(BertEncoder& net, const NamedTensors& tensors, const std::string& source);

}  // namespace vmr::text::detail
