#include "vmr/core/json_reader.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/file_io.h"
#include "core/json_fault.h"

namespace vmr {
namespace {

const nlohmann::json kNull;

std::string shortened(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::string nearest_name(std::string_view text, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = 0;
  const size_t limit = std::max<size_t>(2, text.size() / 2);
  for (const auto& candidate : candidates) {
    std::vector<size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (size_t i = 1; i <= text.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        const size_t substitute = diagonal + (text[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
      }
    }
    // A name cut short, or one with something hung on, is nearer than its letters say.
    const bool begins =
        text.size() >= 3 && (candidate.starts_with(text) || text.starts_with(candidate));
    const size_t distance = begins ? (row.back() + 1) / 2 : row.back();
    if ((begins || distance <= limit) && (best.empty() || distance < best_distance)) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

nlohmann::json read_json_file(const std::string& path) {
  const std::string text = detail::read_file(path);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InvalidArgument(path + ": not JSON: " + detail::json_fault(error));
  }
}

JsonReader::JsonReader(const nlohmann::json& json, std::string file, std::string path)
    : json_(&json), file_(std::move(file)), path_(std::move(path)) {
  VMR_CHECK(json.is_object(), file_, ": ", path_.empty() ? "top level" : path_,
            ": expected an object {...}, got ", shortened(json));
}

bool JsonReader::has(std::string_view key) const { return json_->contains(key); }

void JsonReader::mark(std::string_view key) { known_.emplace_back(key); }

const nlohmann::json& JsonReader::raw(std::string_view key) {
  mark(key);
  const auto found = json_->find(key);
  return found == json_->end() ? kNull : *found;
}

std::vector<std::string> JsonReader::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : json_->items()) names.push_back(key);
  return names;
}

void JsonReader::fail(std::string_view key, const std::string& text) const {
  throw InvalidArgument(
      detail::concat(file_, ": ", path_, path_.empty() ? "" : ".", key, ": ", text));
}

void JsonReader::fail_type(std::string_view key, const char* expected) const {
  fail(key,
       detail::concat("expected ", expected, ", got ", shortened(json_->at(std::string(key)))));
}

void JsonReader::fail_choice(std::string_view key, const std::string& text,
                             const std::vector<std::string>& names) const {
  const std::string near = nearest_name(text, names);
  fail(key, detail::concat("unknown choice \"", text, "\"",
                           near.empty() ? "" : "; did you mean \"" + near + "\"?",
                           " (choices: ", joined(names), ")"));
}

void JsonReader::field(std::string_view key, bool& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_boolean()) fail_type(key, "true or false");
  value = json.get<bool>();
}

void JsonReader::field(std::string_view key, int64_t& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_number_integer()) fail_type(key, "a whole number");
  value = json.get<int64_t>();
}

void JsonReader::field(std::string_view key, int& value) {
  int64_t wide = value;
  field(key, wide);
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
    fail_type(key, "a whole number of 32 bits");
  }
  value = static_cast<int>(wide);
}

void JsonReader::field(std::string_view key, double& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_number()) fail_type(key, "a number");
  value = json.get<double>();
}

void JsonReader::field(std::string_view key, std::string& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_string()) fail_type(key, "a text in quotes");
  value = json.get<std::string>();
}

void JsonReader::field(std::string_view key, std::vector<int64_t>& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_array() || !std::all_of(json.begin(), json.end(),
                                       [](const auto& item) { return item.is_number_integer(); })) {
    fail_type(key, "a list of whole numbers");
  }
  value = json.get<std::vector<int64_t>>();
}

void JsonReader::field(std::string_view key, std::vector<double>& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_array() ||
      !std::all_of(json.begin(), json.end(), [](const auto& item) { return item.is_number(); })) {
    fail_type(key, "a list of numbers");
  }
  value = json.get<std::vector<double>>();
}

void JsonReader::field(std::string_view key, std::vector<std::string>& value) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  if (!json.is_array() ||
      !std::all_of(json.begin(), json.end(), [](const auto& item) { return item.is_string(); })) {
    fail_type(key, "a list of texts");
  }
  value = json.get<std::vector<std::string>>();
}

void JsonReader::object(std::string_view key, const std::function<void(JsonReader&)>& body) {
  const auto& json = raw(key);
  if (json.is_null()) return;
  JsonReader reader(json, file_, path_ + (path_.empty() ? "" : ".") + std::string(key));
  body(reader);
  reader.finish();
}

void JsonReader::finish() {
  for (const auto& [key, value] : json_->items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = nearest_name(key, known_);
    fail(key, near.empty() ? "unknown key (known here: " + joined(known_) + ")"
                           : "unknown key; did you mean \"" + near + "\"?");
  }
}

}  // namespace vmr
