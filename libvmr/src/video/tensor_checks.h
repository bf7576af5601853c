// What the functions of this area say about tensors they cannot take.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "vmr/core/error.h"

namespace vmr::video::detail {

// "[2, 480, 640] Byte on cpu"
inline std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::string text = "[";
  for (int64_t i = 0; i < tensor.dim(); ++i)
    text += (i ? ", " : "") + std::to_string(tensor.size(i));
  return text + "] " + c10::toString(tensor.scalar_type()) + " on " + tensor.device().str();
}

// The same values, contiguous. Throws unless it is a uint8 CPU tensor; `expected` is the phrase for
// shape and dtype in the message.
inline at::Tensor require_uint8(const at::Tensor& tensor, const char* function,
                                const char* expected) {
  VMR_CHECK(tensor.defined() && tensor.scalar_type() == at::kByte && tensor.device().is_cpu(),
            function, ": expected ", expected, " on the CPU, got ", describe(tensor));
  return tensor.contiguous();
}

}  // namespace vmr::video::detail
