// Reads JSON objects into option structs field by field with errors a person can act on: file, key
// path, what was expected, what came, and for an unknown key the nearest known one.
//
//   JsonReader reader(json, "recipe.json");
//   reader.field("mels", options.mels);
//   reader.finish();   // throws on keys nobody asked for
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vmr/core/error.h"

namespace vmr {

class JsonReader {
 public:
  // Throws: InvalidArgument where `json` is not an object. `path` is "" at the top.
  JsonReader(const nlohmann::json& json, std::string file, std::string path = "");

  // Leaves the value as it is (its default) where the key is absent.
  // Throws: InvalidArgument naming file, key path, expected and actual type.
  void field(std::string_view key, bool& value);
  void field(std::string_view key, int& value);
  void field(std::string_view key, int64_t& value);
  void field(std::string_view key, double& value);
  void field(std::string_view key, std::string& value);
  void field(std::string_view key, std::vector<int64_t>& value);
  void field(std::string_view key, std::vector<double>& value);
  void field(std::string_view key, std::vector<std::string>& value);

  // One of the named choices: {{"farneback", FlowMethod::farneback}, ...}.
  template <typename Enum>
  void choice(std::string_view key, Enum& value,
              const std::vector<std::pair<std::string, Enum>>& choices) {
    std::string text;
    if (!has(key)) return;
    field(key, text);
    std::vector<std::string> names;
    for (const auto& [name, candidate] : choices) {
      if (name == text) {
        value = candidate;
        return;
      }
      names.push_back(name);
    }
    fail_choice(key, text, names);
  }

  // Calls body with a reader of the object under `key`, where present, and finishes it.
  void object(std::string_view key, const std::function<void(JsonReader&)>& body);

  bool has(std::string_view key) const;
  // Marks the key as known and returns its value, null where absent.
  const nlohmann::json& raw(std::string_view key);
  std::vector<std::string> keys() const;
  // Marks keys as known without reading them.
  void ignore(std::string_view key) { mark(key); }
  // Throws InvalidArgument "file: path.key: text".
  [[noreturn]] void fail(std::string_view key, const std::string& text) const;
  // Throws: InvalidArgument for a key that no call above asked for.
  void finish();

 private:
  void mark(std::string_view key);
  [[noreturn]] void fail_choice(std::string_view key, const std::string& text,
                                const std::vector<std::string>& names) const;
  [[noreturn]] void fail_type(std::string_view key, const char* expected) const;

  const nlohmann::json* json_;
  std::string file_, path_;
  std::vector<std::string> known_;
};

// The candidate with the smallest edit distance to `text`; "" where none is near.
std::string nearest_name(std::string_view text, const std::vector<std::string>& candidates);

// Parses a JSON file. Throws: StoreError where unreadable, InvalidArgument with line and column.
nlohmann::json read_json_file(const std::string& path);

}  // namespace vmr
