// The settings of a published sentence-transformers folder.
#pragma once

#include <filesystem>
#include <vector>

#include "vmr/text/bert_encoder.h"

namespace vmr::text::detail {

enum class Pooling { cls, max, mean };

struct SentenceFolder {
  std::filesystem::path transformer;  // where config.json, weights and tokenizer lie
  BertEncoderOptions encoder;
  std::vector<Pooling> pooling;  // results one after the other
  bool normalise = false;
  bool lower_case = false;  // before the tokenizer
  int64_t max_tokens = 0;   // 0 = not said
  // What is read of the folder, relative to it, sorted.
  std::vector<std::filesystem::path> files;
};

// Throws: StoreError for missing or damaged files; InvalidArgument for what is not read.
SentenceFolder read_sentence_folder(const std::filesystem::path& folder);

}  // namespace vmr::text::detail
