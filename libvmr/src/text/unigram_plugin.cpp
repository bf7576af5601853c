#include "text/unigram_plugin.h"

#include <sentencepiece_processor.h>

#include <cstdio>
#include <memory>
#include <vector>

struct VmrUnigram {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

VmrUnigram* open_model(const char* model, size_t bytes, char* error, size_t error_bytes) {
  auto unigram = std::make_unique<VmrUnigram>();
  const auto status = unigram->processor.LoadFromSerializedProto({model, bytes});
  if (status.ok()) return unigram.release();
  std::snprintf(error, error_bytes, "%s", status.ToString().c_str());
  return nullptr;
}

void close_model(VmrUnigram* unigram) { delete unigram; }

int64_t size_of(const VmrUnigram* unigram) { return unigram->processor.GetPieceSize(); }

const char* piece_of(const VmrUnigram* unigram, int64_t id) {
  return unigram->processor.IdToPiece(static_cast<int>(id)).c_str();
}

bool encode(const VmrUnigram* unigram, const char* text, size_t bytes,
            void (*take)(void*, int64_t, bool), void* context) {
  std::vector<int> ids;
  if (!unigram->processor.Encode({text, bytes}, &ids).ok()) return false;
  for (const int id : ids) take(context, id, unigram->processor.IsUnknown(id));
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) VmrUnigramFunctions vmr_unigram_functions() {
  return {open_model, close_model, size_of, piece_of, encode};
}
