// What libvmr and its plugin around sentencepiece say to each other: C, so that no C++ object of
// one reaches the other. The library is loaded apart because Debian's exports a copy of protobuf
// which, bound into a program together with LibTorch's and OpenCV's, crashes it before main().
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct VmrUnigram;

// A serialised model; null where it is none, with the reason in `error`.
using VmrUnigramOpen = VmrUnigram* (*)(const char* model, size_t bytes, char* error,
                                       size_t error_bytes);
using VmrUnigramClose = void (*)(VmrUnigram*);
using VmrUnigramSize = int64_t (*)(const VmrUnigram*);
// The text of a piece, valid as long as the model is open.
using VmrUnigramPiece = const char* (*)(const VmrUnigram*, int64_t id);
// Calls take(context, id, unknown) for each piece of a text; false where it cannot be cut.
using VmrUnigramEncode = bool (*)(const VmrUnigram*, const char* text, size_t bytes,
                                  void (*take)(void*, int64_t, bool), void* context);

struct VmrUnigramFunctions {
  VmrUnigramOpen open;
  VmrUnigramClose close;
  VmrUnigramSize size;
  VmrUnigramPiece piece;
  VmrUnigramEncode encode;
};
}
