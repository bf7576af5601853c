#include "retrieval/dot_kernel.h"

namespace vmr::retrieval {

const NamedDotTiles* available_dot_tiles() {
  static const NamedDotTiles all[] = {{"generic", dot_tiles_generic}, {"", nullptr}};
  return all;
}

}  // namespace vmr::retrieval
