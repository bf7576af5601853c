#include "vmr/core/memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace vmr {

void keep_freed_memory() {
#ifdef __GLIBC__
  // A block of its own mapping goes back at free(), whatever its size; the threshold for such
  // blocks cannot be raised above 32 MiB.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace vmr
