// What a PyTorch checkpoint's pickle says: which tensors lie where in which storage, under which
// names, and which plain values and foreign objects stand beside them. Every offset, size and
// stride is checked against its storage here, before any tensor is made. Knows no LibTorch, so that
// it can be fuzzed alone. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "store/pickle.h"

namespace vmr::store {

// Element types, in the order of kElements.
struct ElementType {
  const char* dtype;    // "float32"
  const char* storage;  // "FloatStorage"; "" where only untyped storages hold it
  uint64_t byte_count;
};
inline constexpr ElementType kElements[] = {{"float64", "DoubleStorage", 8},
                                            {"float32", "FloatStorage", 4},
                                            {"float16", "HalfStorage", 2},
                                            {"bfloat16", "BFloat16Storage", 2},
                                            {"int64", "LongStorage", 8},
                                            {"int32", "IntStorage", 4},
                                            {"int16", "ShortStorage", 2},
                                            {"int8", "CharStorage", 1},
                                            {"uint8", "ByteStorage", 1},
                                            {"bool", "BoolStorage", 1},
                                            {"uint16", "", 2},
                                            {"uint32", "", 4},
                                            {"uint64", "", 8},
                                            {"complex64", "ComplexFloatStorage", 8},
                                            {"complex128", "ComplexDoubleStorage", 16}};

struct StorageOutline {
  std::string key, type;
  uint64_t count = 0;       // elements; bytes of an UntypedStorage
  uint64_t byte_count = 0;  // count times the element's size, 0 where the type is unknown
  bool known_type = false;
  bool used = false;  // by a tensor that is not empty
};

struct TensorOutline {
  std::string name, group;  // group: the dict or list that holds it, "" at the top
  size_t storage = 0;       // index into storages
  size_t element = 0;       // index into kElements
  int64_t offset = 0;       // elements
  std::vector<int64_t> sizes, strides;

  bool operator==(const TensorOutline&) const = default;
};

struct CheckpointOutline {
  std::vector<StorageOutline> storages;
  std::vector<TensorOutline> tensors;
  std::vector<std::pair<std::string, std::string>> values;   // dotted name, text
  std::vector<std::pair<std::string, std::string>> opaque;   // dotted name, type
  std::vector<std::pair<std::string, std::string>> modules;  // dotted name, class
};

// Throws: StoreError naming the dotted name and the fault.
CheckpointOutline outline_checkpoint(const Pickle& pickle);

}  // namespace vmr::store
