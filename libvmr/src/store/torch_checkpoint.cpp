#include "vmr/store/torch_checkpoint.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "core/crc32.h"
#include "store/checkpoint_file.h"
#include "store/file_mapping.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr at::ScalarType kTypes[] = {
    at::kDouble, at::kFloat,  at::kHalf,   at::kBFloat16,     at::kLong,
    at::kInt,    at::kShort,  at::kChar,   at::kByte,         at::kBool,
    at::kUInt16, at::kUInt32, at::kUInt64, at::kComplexFloat, at::kComplexDouble};
static_assert(std::size(kTypes) == std::size(kElements));
constexpr size_t kAlignment = 16;  // of the widest element

constexpr const char* kStateDictKeys[] = {"state_dict", "model_state_dict", "model",   "net",
                                          "network",    "module",           "weights", "params"};
constexpr const char* kPrefixes[] = {"module.", "_orig_mod."};

// The bytes of one storage as a tensor of uint8; in the file's mapping where they are aligned.
at::Tensor storage_tensor(std::string_view bytes, const std::shared_ptr<FileMapping>& mapping) {
  const auto count = static_cast<int64_t>(bytes.size());
  char* const place = mapping->data() + (bytes.data() - mapping->data());
  if (reinterpret_cast<uintptr_t>(place) % kAlignment == 0) {
    return at::from_blob(
        place, {count}, [mapping](void*) {}, at::kByte);
  }
  auto copy = at::empty({count}, at::kByte);
  std::memcpy(copy.mutable_data_ptr(), place, bytes.size());
  return copy;
}

// torch.save writes 0 where it was told to leave checksums out.
void check_sum(const FilePart& part) {
  if (part.crc32 == 0) return;
  const uint32_t found = vmr::detail::crc32(part.bytes);
  if (found == part.crc32) return;
  char sums[64];
  std::snprintf(sums, sizeof sums, "expected CRC-32 %08x, got %08x", part.crc32, found);
  throw StoreError(detail::concat("the entry ", part.entry, " is damaged: ", sums,
                                  "; copy or download the file again"));
}

class TensorMaker {
 public:
  TensorMaker(const CheckpointFile& file, const std::shared_ptr<FileMapping>& mapping)
      : file_(file),
        mapping_(mapping),
        made_(file.storages.size()),
        truths_(file.storages.size()) {}

  // The outline has checked that shape, strides and offset stay within the storage.
  at::Tensor make(const TensorOutline& outline) {
    const auto options = at::TensorOptions().dtype(kTypes[outline.element]);
    if (std::find(outline.sizes.begin(), outline.sizes.end(), 0) != outline.sizes.end()) {
      return at::empty(outline.sizes, options);
    }
    auto& storage = made_[outline.storage];
    const auto bytes = file_.storages[outline.storage].bytes;
    if (!storage.defined()) {
      check_sum(file_.storages[outline.storage]);
      storage = storage_tensor(bytes, mapping_);
    }
    if (kTypes[outline.element] == at::kBool && !truths_[outline.storage]) {
      if (std::any_of(bytes.begin(), bytes.end(), [](char value) { return (value & ~1) != 0; })) {
        throw StoreError(outline.name + ": a bool is neither 0 nor 1");
      }
      truths_[outline.storage] = true;
    }
    return at::empty({0}, options)
        .set_(storage.storage(), outline.offset, outline.sizes, outline.strides);
  }

 private:
  const CheckpointFile& file_;
  const std::shared_ptr<FileMapping>& mapping_;
  std::vector<at::Tensor> made_;  // by storage
  std::vector<bool> truths_;      // storages of which all bytes are 0 or 1
};

bool lies_in(const std::string& group, const std::string& key) {
  return group == key ||
         (group.size() > key.size() && group.starts_with(key) && group[key.size()] == '.');
}

// The outermost keys that hold tensors, with their number.
std::map<std::string, size_t> keys_with_tensors(const TorchCheckpoint& checkpoint) {
  std::map<std::string, size_t> counts;
  for (const auto& group : checkpoint.groups) ++counts[group.substr(0, group.find('.'))];
  return counts;
}

std::string listed(const std::map<std::string, size_t>& keys) {
  std::string text;
  for (const auto& [key, count] : keys) {
    text += detail::concat(text.empty() ? "" : ", ", key.empty() ? "(outermost)" : key, " (", count,
                           count == 1 ? " tensor)" : " tensors)");
  }
  return text.empty() ? "nothing" : text;
}

std::string file_of(const TorchCheckpoint& checkpoint) {
  return checkpoint.path.empty() ? "find_state_dict" : checkpoint.path.string();
}

std::string choose_key(const TorchCheckpoint& checkpoint) {
  const auto keys = keys_with_tensors(checkpoint);
  for (const char* key : kStateDictKeys) {
    if (keys.contains(key)) return key;
  }
  if (keys.contains("")) return "";
  if (keys.size() == 1) return keys.begin()->first;
  if (keys.empty()) {
    const auto& modules = checkpoint.modules;
    throw StoreError(file_of(checkpoint) +
                     (modules.empty()
                          ? ": the file holds no tensors; expected weights that torch.save wrote"
                          : ": expected tensors, got the whole pickled module " +
                                modules[0].second + "; in Python, save dict(model.state_dict())"));
  }
  throw StoreError(file_of(checkpoint) + ": expected one key with tensors, got " + listed(keys) +
                   "; name one of them");
}

// Takes a prefix off that all names have; empty where one of them does not.
std::string strip_prefix(std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::string stripped;
  for (bool again = true; again;) {
    again = false;
    for (const std::string prefix : kPrefixes) {
      const bool all = std::all_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
        return tensor.first.size() > prefix.size() && tensor.first.starts_with(prefix);
      });
      if (!all) continue;
      for (auto& [name, tensor] : tensors) name.erase(0, prefix.size());
      stripped += prefix;
      again = true;
    }
  }
  return stripped;
}

}  // namespace

at::Tensor TorchCheckpoint::find(const std::string& name) const {
  for (const auto& [candidate, tensor] : tensors) {
    if (candidate == name) return tensor;
  }
  return {};
}

TorchCheckpoint read_torch_checkpoint(const std::filesystem::path& path) {
  try {
    const auto mapping = std::make_shared<FileMapping>(path);
    auto file = parse_checkpoint(mapping->bytes());
    check_sum(file.pickle);
    TorchCheckpoint checkpoint;
    TensorMaker maker(file, mapping);
    for (auto& outline : file.outline.tensors) {
      checkpoint.tensors.emplace_back(outline.name, maker.make(outline));
      checkpoint.groups.push_back(std::move(outline.group));
    }
    checkpoint.values = std::move(file.outline.values);
    checkpoint.opaque = std::move(file.outline.opaque);
    checkpoint.modules = std::move(file.outline.modules);
    checkpoint.format = file.format;
    checkpoint.path = path;
    return checkpoint;
  } catch (const StoreError& error) {
    throw StoreError(detail::concat("read_torch_checkpoint: ", path.string(), ": ", error.what()));
  }
}

StateDict find_state_dict(const TorchCheckpoint& checkpoint, const std::string& key) {
  StateDict dict;
  dict.key = key.empty() ? choose_key(checkpoint) : key;
  for (size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const auto& [name, tensor] = checkpoint.tensors[i];
    const auto& group = checkpoint.groups[i];
    if (dict.key.empty() ? group.empty() : lies_in(group, dict.key)) {
      dict.tensors.emplace_back(name.substr(dict.key.empty() ? 0 : dict.key.size() + 1), tensor);
    }
  }
  VMR_CHECK(!dict.tensors.empty(), file_of(checkpoint), ": no tensors lie under \"", key,
            "\"; the file has ", listed(keys_with_tensors(checkpoint)));
  dict.prefix = strip_prefix(dict.tensors);
  return dict;
}

}  // namespace vmr::store
