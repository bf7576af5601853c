// The two layouts of torch.save: a zip archive (since PyTorch 1.6) and the stream of pickles and
// raw values before it. Finds the outline and the bytes of every storage; knows no LibTorch, so
// that it can be fuzzed alone. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/checkpoint_outline.h"

namespace vmr::store {

struct FilePart {
  std::string_view bytes;
  // Of a zip archive's entry; the layout before has neither. Not compared here, which would read
  // all weights.
  std::string entry = {};
  uint32_t crc32 = 0;
};

struct CheckpointFile {
  std::string format;  // "zip" or "legacy"
  CheckpointOutline outline;
  // Of each of outline.storages, within the file; byte_count bytes where a tensor uses it.
  std::vector<FilePart> storages;
  FilePart pickle;
};

// Throws: StoreError naming the part, the byte and the fault.
CheckpointFile parse_checkpoint(std::string_view file);

}  // namespace vmr::store
