#include "vmr/store/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "core/file_io.h"
#include "store/byte_count.h"
#include "store/file_mapping.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

struct Kind {
  at::ScalarType dtype;
  const char* name;
};
// In the order in which the Python package ranks them, which decides the order in a file.
constexpr Kind kKinds[] = {{at::ScalarType::Bool, "BOOL"},  {at::ScalarType::Byte, "U8"},
                           {at::ScalarType::Char, "I8"},    {at::ScalarType::Short, "I16"},
                           {at::ScalarType::Half, "F16"},   {at::ScalarType::BFloat16, "BF16"},
                           {at::ScalarType::Int, "I32"},    {at::ScalarType::Float, "F32"},
                           {at::ScalarType::Double, "F64"}, {at::ScalarType::Long, "I64"}};

// Parses a header, refusing at once what no header has: depth, repeated names.
nlohmann::json parse_header(std::string_view text) {
  if (text.empty() || text[0] != '{') throw StoreError("the header is no JSON object");
  std::set<std::string> names;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 4) throw StoreError("the header is nested too deep");
    if (event == Event::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
      throw StoreError("the name " + parsed.get<std::string>() + " occurs twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception&) {
    throw StoreError("the header is no JSON");
  }
}

struct Entry {
  std::string name;
  at::ScalarType dtype = at::ScalarType::Float;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

std::vector<uint64_t> whole_numbers(const nlohmann::json& json, const char* what) {
  if (!json.is_array()) throw StoreError(std::string(what) + " is no list");
  std::vector<uint64_t> list;
  for (const auto& item : json) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() > (uint64_t{1} << 62)) {
      throw StoreError(std::string(what) + " holds something else than whole numbers");
    }
    list.push_back(item.get<uint64_t>());
  }
  return list;
}

Entry parse_entry(const std::string& name, const nlohmann::json& json) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets") || !json["dtype"].is_string()) {
    throw StoreError("expected dtype, shape and data_offsets");
  }
  Entry entry{name};
  const auto dtype = json["dtype"].get<std::string>();
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](const Kind& candidate) { return dtype == candidate.name; });
  if (kind == std::end(kKinds)) throw StoreError("dtype " + dtype + " is not read");
  entry.dtype = kind->dtype;
  const auto shape = whole_numbers(json["shape"], "shape");
  if (shape.size() > 64) throw StoreError("more than 64 axes");
  entry.shape.assign(shape.begin(), shape.end());
  const auto range = whole_numbers(json["data_offsets"], "data_offsets");
  if (range.size() != 2 || range[0] > range[1]) throw StoreError("data_offsets is no range");
  entry.begin = range[0];
  entry.end = range[1];
  if (byte_count(entry.shape, c10::elementSize(entry.dtype)) != entry.end - entry.begin) {
    throw StoreError(
        detail::concat("shape does not agree with ", entry.end - entry.begin, " bytes"));
  }
  return entry;
}

at::Tensor tensor_of(const Entry& entry, char* values,
                     const std::shared_ptr<FileMapping>& mapping) {
  char* const place = values + entry.begin;
  const size_t bytes = entry.end - entry.begin;
  if (entry.dtype == at::ScalarType::Bool &&
      std::any_of(place, place + bytes, [](char value) { return (value & ~1) != 0; })) {
    throw StoreError("a bool is neither 0 nor 1");
  }
  if (reinterpret_cast<uintptr_t>(place) % c10::elementSize(entry.dtype) != 0) {
    auto copy = at::empty(entry.shape, entry.dtype);
    if (bytes > 0) std::memcpy(copy.mutable_data_ptr(), place, bytes);
    return copy;
  }
  return at::from_blob(
      place, entry.shape, [mapping](void*) {}, entry.dtype);
}

Safetensors parse(const std::filesystem::path& path) {
  const auto mapping = std::make_shared<FileMapping>(path);
  uint64_t header_bytes = 0;
  if (mapping->size() < sizeof header_bytes) throw StoreError("the file is cut short");
  std::memcpy(&header_bytes, mapping->data(), sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes) throw StoreError("the header is longer than 100 MB");
  if (header_bytes > mapping->size() - sizeof header_bytes) {
    throw StoreError("the header is cut short");
  }
  char* const values = mapping->data() + sizeof header_bytes + header_bytes;
  const uint64_t value_bytes = mapping->size() - sizeof header_bytes - header_bytes;
  const auto json = parse_header({mapping->data() + sizeof header_bytes, header_bytes});

  Safetensors result;
  std::vector<Entry> entries;
  for (const auto& [name, item] : json.items()) {
    try {
      if (name != kMetadata) {
        entries.push_back(parse_entry(name, item));
        continue;
      }
      if (!item.is_object()) throw StoreError("expected an object of texts");
      for (const auto& [key, text] : item.items()) {
        if (!text.is_string()) throw StoreError("expected an object of texts");
        result.metadata[key] = text.get<std::string>();
      }
    } catch (const StoreError& error) {
      throw StoreError(name + ": " + error.what());
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t reached = 0;
  for (const auto& entry : entries) {
    if (entry.begin != reached) {
      throw StoreError(detail::concat(entry.name, ": begins at ", entry.begin, " instead of ",
                                      reached, entry.begin < reached ? " (overlap)" : " (hole)"));
    }
    reached = entry.end;
    if (reached > value_bytes) {
      throw StoreError(detail::concat(entry.name, ": ends at ", reached, " of ", value_bytes,
                                      " bytes: the file is cut short"));
    }
  }
  if (reached != value_bytes) {
    throw StoreError(detail::concat(value_bytes - reached, " bytes belong to no tensor"));
  }
  for (const auto& entry : entries) {
    try {
      result.tensors.emplace_back(entry.name, tensor_of(entry, values, mapping));
    } catch (const StoreError& error) {
      throw StoreError(entry.name + ": " + error.what());
    }
  }
  return result;
}

size_t rank_of(const at::Tensor& tensor) {
  size_t rank = 0;
  while (rank < std::size(kKinds) && kKinds[rank].dtype != tensor.scalar_type()) ++rank;
  return rank;
}

}  // namespace

at::Tensor Safetensors::find(const std::string& name) const {
  for (const auto& [candidate, tensor] : tensors) {
    if (candidate == name) return tensor;
  }
  return {};
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  try {
    return parse(path);
  } catch (const StoreError& error) {
    throw StoreError(detail::concat("read_safetensors: ", path.string(), ": ", error.what()));
  }
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  auto sorted = tensors;
  std::set<std::string> names;
  for (const auto& [name, tensor] : sorted) {
    VMR_CHECK(tensor.defined(), "write_safetensors: ", name, " is undefined");
    VMR_CHECK(rank_of(tensor) < std::size(kKinds), "write_safetensors: ", name,
              " has a dtype the format lacks: ", c10::toString(tensor.scalar_type()));
    VMR_CHECK(name != kMetadata && names.insert(name).second, "write_safetensors: the name ", name,
              name == kMetadata ? " is reserved" : " occurs twice");
  }
  // Wide elements first keep every tensor aligned to its element.
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    const size_t left = rank_of(a.second), right = rank_of(b.second);
    return left != right ? left > right : a.first < b.first;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadata] = metadata;
  auto& fields = header.get_ref<nlohmann::ordered_json::object_t&>();
  uint64_t offset = 0;
  for (const auto& [name, tensor] : sorted) {
    // Names are unique; header[name] would search all others for each.
    fields.emplace_back(
        name, nlohmann::ordered_json{{"dtype", kKinds[rank_of(tensor)].name},
                                     {"shape", tensor.sizes().vec()},
                                     {"data_offsets", {offset, offset + tensor.nbytes()}}});
    offset += tensor.nbytes();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw InvalidArgument("write_safetensors: a name or metadata text is not UTF-8");
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t header_bytes = text.size();
  std::string file(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
  file.reserve(file.size() + text.size() + offset);
  file += text;
  for (const auto& [name, tensor] : sorted) {
    const auto values = tensor.detach().cpu().contiguous();
    if (values.nbytes() == 0) continue;
    file.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  }
  detail::write_file_atomically(path, file);
}

}  // namespace vmr::store
