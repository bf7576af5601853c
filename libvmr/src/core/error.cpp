#include "vmr/core/error.h"

namespace vmr::detail {

void fail_assert(const char* condition, const char* file, int line, const std::string& message) {
  throw Error(concat("internal error at ", file, ":", line, ": ", condition, " does not hold; ",
                     message, "; please report it"));
}

}  // namespace vmr::detail
