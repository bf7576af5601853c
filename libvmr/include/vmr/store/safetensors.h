// safetensors files: named tensors and a few texts, readable from Python, Rust and here, with
// nothing that can be executed. Layout: 8-byte header length, JSON header, raw little-endian
// values. Files written here equal those of the Python package byte for byte (with at most one
// metadata text: the package orders several at random).
// Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vmr::store {

struct Safetensors {
  std::vector<std::pair<std::string, at::Tensor>> tensors;  // in the order of the file
  std::map<std::string, std::string> metadata;

  // Undefined tensor where absent.
  at::Tensor find(const std::string& name) const;
};

// The tensors share one private mapping of the file, which lives as long as any of them: opening
// costs no reading, pages come when touched, and writing to a tensor changes neither the file nor
// other readers. Replacing the file by rename is safe meanwhile; truncating it in place is not.
// dtypes F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
// Throws: StoreError naming the tensor and the fault: header above 100 MB or no JSON, duplicate
// names, unknown dtypes, sizes that disagree with shapes, overlaps, holes, ranges outside the file.
Safetensors read_safetensors(const std::filesystem::path& path);

// Tensors may lie on any device and be non-contiguous. Written aside, synced and renamed.
// Throws: InvalidArgument for duplicate or reserved ("__metadata__") names, texts that are not
// UTF-8, undefined tensors and other dtypes; StoreError where the file cannot be written.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace vmr::store
