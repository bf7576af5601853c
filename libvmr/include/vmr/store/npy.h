// NumPy's .npy files: the simplest way to hand one tensor to or from Python. Files written here
// equal those of numpy.save byte for byte. Format: NEP 1, versions 1.0, 2.0 and 3.0.
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace vmr::store {

// A tensor of the file's shape, contiguous whatever the file's order (C or Fortran) and byte order.
// dtypes f2 f4 f8 i1 i2 i4 i8 u1 b1.
// Throws: StoreError where the file cannot be read, is no .npy file, holds another dtype, or is
// shorter or longer than its header says.
at::Tensor read_npy(const std::filesystem::path& path);

// Writes beside `path` and renames, so a crash leaves the old file or the new one.
// Throws: InvalidArgument for undefined tensors and for dtypes NumPy lacks (bfloat16: convert to
// float32 first); StoreError where the file cannot be written.
void write_npy(const std::filesystem::path& path, const at::Tensor& tensor);
// The bytes of that file.
std::string npy_bytes(const at::Tensor& tensor);

}  // namespace vmr::store
