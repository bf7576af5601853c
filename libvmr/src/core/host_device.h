// Marks small functions that run on the CPU and, where nvcc compiles them, on CUDA too. Always
// inlined, so that files of different instruction sets share no code.
#pragma once

#ifdef __CUDACC__
#define VMR_HOST_DEVICE __host__ __device__ __forceinline__
#define VMR_UNROLL _Pragma("unroll")
#else
#define VMR_HOST_DEVICE [[gnu::always_inline]] inline
#define VMR_UNROLL
#endif
