// Any bytes as a checkpoint, and as the pickle within one: either a StoreError, or tensors whose
// every element lies in its storage.
#include <cstdint>
#include <cstdlib>

#include "store/checkpoint_file.h"
#include "vmr/core/error.h"

namespace {

using namespace vmr::store;

// Touches the first and the last byte of every tensor, which the sanitizer watches.
void touch(const CheckpointFile& file) {
  static volatile char sink;
  for (const auto& tensor : file.outline.tensors) {
    uint64_t last = static_cast<uint64_t>(tensor.offset);
    bool empty = false;
    for (size_t axis = 0; axis < tensor.sizes.size(); ++axis) {
      empty |= tensor.sizes[axis] == 0;
      last += static_cast<uint64_t>(tensor.sizes[axis] - 1) *
              static_cast<uint64_t>(tensor.strides[axis]);
    }
    if (empty) continue;
    const auto bytes = file.storages[tensor.storage].bytes;
    const uint64_t element = kElements[tensor.element].byte_count;
    if ((last + 1) * element > bytes.size()) std::abort();
    sink = bytes.data()[static_cast<uint64_t>(tensor.offset) * element];
    sink = bytes.data()[(last + 1) * element - 1];
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    touch(parse_checkpoint(bytes));
  } catch (const vmr::StoreError&) {
  }
  try {
    outline_checkpoint(parse_pickle(bytes));
  } catch (const vmr::StoreError&) {
  }
  return 0;
}
