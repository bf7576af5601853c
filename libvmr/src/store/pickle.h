// Python pickles as plain values: bytes in, a graph of nodes out. A pickle is a program of a small
// stack machine; here calls, classes and states are kept as nodes to look at and nothing is ever
// run. Opcodes of protocols 2 to 5, as torch.save writes them. Knows nothing of tensors, so that
// it can be fuzzed alone. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vmr::store {

// Index of a node. Nodes may be shared and form circles, as Python's objects may.
using PickleRef = uint32_t;
inline constexpr PickleRef kNoPickleRef = UINT32_MAX;

enum class PickleKind : uint8_t {
  none,
  boolean,     // integer
  integer,     // integer
  long_int,    // text: little-endian two's complement above 64 bits
  real,        // real
  text,        // text: UTF-8 where Python 3 wrote it
  bytes,       // text
  list,        // items
  tuple,       // items
  set,         // items
  dict,        // items: key, value, key, value ...
  global,      // module and text: a class or function, "torch._utils" and "_rebuild_tensor_v2"
  object,      // items: what is called, its arguments; state; appended; entries
  persistent,  // items: the identifier, for PyTorch the place of a storage
};

struct PickleNode {
  PickleKind kind = PickleKind::none;
  PickleRef state = kNoPickleRef;     // what the object's state was to be set to
  PickleRef appended = kNoPickleRef;  // list of what was to be appended to the object
  PickleRef entries = kNoPickleRef;   // dict of what was to be put into the object
  int64_t integer = 0;
  double real = 0;
  std::string_view text, module;  // within the bytes that were parsed
  std::vector<PickleRef> items;
};

struct Pickle {
  std::vector<PickleNode> nodes;
  PickleRef root = kNoPickleRef;
  size_t byte_count = 0;  // the pickle's length; other bytes may follow

  const PickleNode& operator[](PickleRef ref) const { return nodes[ref]; }
};

// Bounds of what a file can make this process hold (about 1 GB in the worst case); checkpoints of
// a hundred thousand tensors stay below.
struct PickleLimits {
  uint64_t opcodes = 32'000'000;
  size_t nodes = 4'000'000;
  size_t depth = 1000;  // unfinished lists, dicts and tuples within each other
};

// Parses the pickle that `bytes` begin with; the result's texts point into them.
// Throws: StoreError "at byte N: expected .., got ..".
Pickle parse_pickle(std::string_view bytes, const PickleLimits& limits = {});

}  // namespace vmr::store
