#include "core/instruction_sets.h"

namespace vmr::detail {

#ifdef __x86_64__

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}

bool has_avx512() {
  static const bool has = has_avx2() && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return has;
}

#else

bool has_avx2() { return false; }
bool has_avx512() { return false; }

#endif

}  // namespace vmr::detail
