// Sentences to vectors with published sentence-transformers models, read from their folders as they
// are: modules.json, config.json, sentence_bert_config.json, <n>_Pooling/config.json, the
// tokenizer's files and model.safetensors (or pytorch_model.bin). BERT, XLM-R and MPNet encoders
// (bert_encoder.h) with mean, [CLS] or max pooling, followed by unit length where the folder has a
// Normalize module. The tags of UT-CMVMR (arXiv 2309.09421) are vectors of
// paraphrase-multilingual-mpnet-base-v2: mean over real tokens, not normalised.
// Reimers and Gurevych, arXiv 1908.10084.
//
//   const auto encoder = SentenceEncoder::open("all-MiniLM-L6-v2");
//   const auto vectors = encoder.encode({"calm piano", "fast drums"});  // [2, 384]
//
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vmr/text/tokenizer.h"

namespace vmr::text {

struct SentenceEncoderOptions {
  // Changes results: tokens a text is cut to, begin and end included; 0 = what the folder says.
  int64_t max_tokens = 0;
  // Change speed only.
  int64_t batch = 32;
  c10::Device device = c10::kCPU;
};

// Throws: InvalidArgument naming field, value and rule.
void validate(const SentenceEncoderOptions& options);

class SentenceEncoder {
 public:
  // Throws: StoreError for missing or damaged files, among them weights that do not fit, with all
  // missing, unexpected and wrongly shaped tensors listed; InvalidArgument for kinds of models,
  // modules and poolings that are not read; NotBuilt as open_tokenizer.
  static SentenceEncoder open(const std::filesystem::path& folder,
                              const SentenceEncoderOptions& options = {});

  // The files of such a folder that open() reads, relative to it, sorted: published folders often
  // have the same weights in other formats beside them. Throws: as open().
  static std::vector<std::filesystem::path> files(const std::filesystem::path& folder);

  SentenceEncoder(SentenceEncoder&&) noexcept;
  SentenceEncoder& operator=(SentenceEncoder&&) noexcept;
  ~SentenceEncoder();

  // -> [texts, dim()] float32 on the CPU, row i of texts[i]. A row does not depend on the other
  // texts to within 1e-5.
  // Throws: InvalidArgument naming the text that is no UTF-8.
  at::Tensor encode(const std::vector<std::string>& texts) const;

  int64_t dim() const;
  // Whether rows have unit length because the folder says so.
  bool normalises() const;
  // What texts are cut to.
  int64_t max_tokens() const;
  const Tokenizer& tokenizer() const;

 private:
  struct Impl;
  explicit SentenceEncoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmr::text
