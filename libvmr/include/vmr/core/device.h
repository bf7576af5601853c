// Choice of device and of threads, made once by the application and passed in.
#pragma once

#include <c10/core/Device.h>

#include <string_view>

namespace vmr {

// Whether a CUDA device is present and LibTorch's CUDA part can be loaded. Loads it on first use.
bool cuda_available();

// "cpu", "cuda", "cuda:1" or "auto" (CUDA where available). Throws: InvalidArgument for other
// text; CudaError naming the reason where CUDA was asked for and is not there.
c10::Device resolve_device(std::string_view text);

}  // namespace vmr
