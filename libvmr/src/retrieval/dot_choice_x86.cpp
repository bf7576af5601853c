#include "retrieval/dot_kernel.h"

namespace vmr::retrieval {

const NamedDotTiles* available_dot_tiles() {
  static const NamedDotTiles all[] = {{"avx512", dot_tiles_avx512},
                                      {"avx2", dot_tiles_avx2},
                                      {"generic", dot_tiles_generic},
                                      {"", nullptr}};
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  static const bool avx512 = avx2 && __builtin_cpu_supports("avx512f");
  return all + (avx512 ? 0 : avx2 ? 1 : 2);
}

}  // namespace vmr::retrieval
