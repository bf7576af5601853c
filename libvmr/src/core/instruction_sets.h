// The vector instructions of this processor, in the two sets that kernels are compiled for. Not
// inline: a file compiled for a set must ask before any of its own code runs.
#pragma once

namespace vmr::detail {

bool has_avx2();    // with FMA
bool has_avx512();  // F, BW, DQ and VL, beside has_avx2(); of a Xeon Phi's AVX-512 nothing is used

}  // namespace vmr::detail
