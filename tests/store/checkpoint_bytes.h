// Checkpoints put together byte by byte, so that they may lie: pickles from their opcodes, the
// layout before zip archives, and zip archives with zip64 fields.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace vmr::store::made {

template <typename Number>
std::string number(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

inline std::string text(const std::string& value) {
  return "X" + number(uint32_t(value.size())) + value;
}
inline std::string integer(int64_t value) { return "\x8a\x08" + number(value); }
inline std::string tuple(const std::vector<int64_t>& values) {
  std::string items = "(";
  for (const auto value : values) items += integer(value);
  return items + "t";
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string storage(const std::string& key, int64_t count,
                           const std::string& type = "FloatStorage") {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count) +
         "tQ";
}
inline std::string tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                          const std::string& maker = "_rebuild_tensor_v2") {
  return global("torch._utils", maker) + "(" + storage + integer(offset) + tuple(shape) +
         tuple(strides) + "\x89}tR";
}
// {"x": value}
inline std::string dict_of(const std::string& value) { return "}" + text("x") + value + "s"; }
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

struct Storage {
  std::string key;
  int64_t count = 0;
  std::string bytes;
};

// The layout before PyTorch 1.6.
inline std::string legacy(const std::string& body, const std::vector<Storage>& storages = {},
                          const std::string& system = "}") {
  std::string keys = "]", values;
  for (const auto& storage : storages) {
    keys += text(storage.key) + "a";
    values += number(storage.count) + storage.bytes;
  }
  const std::string magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  return pickle(magic) + pickle("M\xe9\x03") + pickle(system) + pickle(body) + pickle(keys) +
         values;
}

struct Entry {
  std::string name, bytes;
  uint64_t hole = 0;  // bytes left out before the entry
};

struct Zip {
  std::vector<std::pair<uint64_t, std::string>> parts;  // place, bytes
  std::string bytes() const {                           // where there are no holes
    std::string all;
    for (const auto& part : parts) all += part.second;
    return all;
  }
};

// All sizes and places in zip64 fields, as PyTorch writes them for large files.
inline Zip zip(const std::vector<Entry>& entries) {
  Zip result;
  std::string directory;
  uint64_t at = 0;
  for (const auto& entry : entries) {
    at += entry.hole;
    const auto names = number(uint16_t(entry.name.size()));
    const std::string checksum_and_sizes = number(uint32_t(0)) + std::string(8, '\xff');
    const auto local = "PK\x03\x04" + std::string(10, '\0') + checksum_and_sizes + names +
                       number(uint16_t(0)) + entry.name + entry.bytes;
    directory += "PK\x01\x02" + std::string(12, '\0') + checksum_and_sizes + names +
                 number(uint16_t(28)) + std::string(10, '\0') + std::string(4, '\xff') +
                 entry.name + number(uint16_t(1)) + number(uint16_t(24)) +
                 number(uint64_t(entry.bytes.size())) + number(uint64_t(entry.bytes.size())) +
                 number(at);
    result.parts.emplace_back(at, local);
    at += local.size();
  }
  const auto count = number(uint64_t(entries.size()));
  const auto end64 = "PK\x06\x06" + number(uint64_t(44)) + std::string(12, '\0') + count + count +
                     number(uint64_t(directory.size())) + number(at);
  const auto locator = "PK\x06\x07" + number(uint32_t(0)) +
                       number(uint64_t(at + directory.size())) + number(uint32_t(1));
  const auto end =
      "PK\x05\x06" + std::string(4, '\0') + std::string(12, '\xff') + std::string(2, '\0');
  result.parts.emplace_back(at, directory + end64 + locator + end);
  return result;
}

}  // namespace vmr::store::made
