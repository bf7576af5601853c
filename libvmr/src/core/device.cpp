#include "vmr/core/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <charconv>
#include <string>

#include "vmr/core/error.h"

namespace vmr {
namespace {

// LibTorch registers its CUDA part when the library is loaded; programs link the CPU part alone so
// that they start on machines without a driver.
std::string load_cuda() {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return "no NVIDIA driver on this machine";
  }
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return detail::concat("this LibTorch's CUDA part cannot be loaded (",
                          reason == nullptr ? "unknown" : reason,
                          "); install the full torch wheel");
  }
  return at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0
             ? ""
             : "no CUDA device is visible";
}

const std::string& cuda_problem() {
  static const std::string problem = load_cuda();
  return problem;
}

}  // namespace

bool cuda_available() { return cuda_problem().empty(); }

c10::Device resolve_device(std::string_view text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  if (text == "auto") return cuda_available() ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  int index = 0;
  bool known = text == "cuda";
  if (text.starts_with("cuda:")) {
    const auto* end = text.data() + text.size();
    const auto [rest, code] = std::from_chars(text.data() + 5, end, index);
    known = code == std::errc() && rest == end && index >= 0 && text.size() > 5;
  }
  VMR_CHECK(known, "expected a device auto, cpu, cuda or cuda:N, got \"", text, "\"");
  if (!cuda_available()) {
    throw CudaError("device \"" + std::string(text) + "\" asked for, but " + cuda_problem() +
                    "; use auto or cpu");
  }
  const int count = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
  if (index >= count) {
    throw CudaError(detail::concat("device cuda:", index, " asked for, but there are ", count));
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace vmr
