#include "core/instruction_sets.h"
#include "retrieval/dot_kernel.h"

namespace vmr::retrieval {

const NamedDotTiles* available_dot_tiles() {
  static const NamedDotTiles all[] = {{"avx512", dot_tiles_avx512},
                                      {"avx2", dot_tiles_avx2},
                                      {"generic", dot_tiles_generic},
                                      {"", nullptr}};
  return all + (vmr::detail::has_avx512() ? 0 : vmr::detail::has_avx2() ? 1 : 2);
}

}  // namespace vmr::retrieval
