// How the process keeps its memory. For programs; the library never calls it.
#pragma once

namespace vmr {

// Keeps freed memory in the process instead of handing it back to the system, so that a tensor of
// tens of megabytes does not get fresh pages, to be cleared by the kernel, each time it is made:
// batched flow and training steps allocate and free such tensors over and over. The process then
// holds the most it ever used. Call it first in main(); glibc only, elsewhere it does nothing.
// Thread-safe.
void keep_freed_memory();

}  // namespace vmr
