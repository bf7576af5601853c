#include "pipeline/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <charconv>

#include "core/file_io.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxDepth = 32;
constexpr int kMaxValues = 100000;  // aliases repeat values without repeating text

template <typename Number>
bool parse_number(const std::string& text, json& value) {
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  Number number = 0;
  const auto [stop, code] = std::from_chars(begin, end, number);
  if (code != std::errc() || stop != end) return false;
  value = number;
  return true;
}

json plain_value(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  json value;
  // "nan" and "inf" are numbers to from_chars, and words in YAML.
  const bool numeric = text.find_first_of("0123456789") != std::string::npos &&
                       text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (numeric && (parse_number<int64_t>(text, value) || parse_number<double>(text, value))) {
    return value;
  }
  return text;
}

class Converter {
 public:
  explicit Converter(std::string file) : file_(std::move(file)) {}

  json convert(const YAML::Node& node, int depth = 0) {
    if (depth > kMaxDepth || ++values_ > kMaxValues) {
      fail(node, detail::concat("expected at most ", kMaxDepth, " levels and ", kMaxValues,
                                " values in all"));
    }
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        // The tag of quoted text is "!".
        return node.Tag() == "!" ? json(node.Scalar()) : plain_value(node.Scalar());
      case YAML::NodeType::Sequence: {
        auto list = json::array();
        for (const auto& item : node) list.push_back(convert(item, depth + 1));
        return list;
      }
      case YAML::NodeType::Map: {
        auto object = json::object();
        for (const auto& item : node) {
          const auto& key = item.first;
          if (!key.IsScalar()) fail(key, "expected a word as key");
          if (object.contains(key.Scalar())) {
            fail(key, "the key \"" + key.Scalar() + "\" stands twice");
          }
          object[key.Scalar()] = convert(item.second, depth + 1);
        }
        return object;
      }
      default:
        return {};
    }
  }

  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw InvalidArgument(detail::concat(file_, " line ", node.Mark().line + 1, ": ", what));
  }

 private:
  const std::string file_;
  int values_ = 0;
};

}  // namespace

json read_yaml_file(const std::filesystem::path& path) {
  const auto text = vmr::detail::read_file(path);
  VMR_CHECK(text.size() <= kMaxBytes, path.string(), ": expected a configuration of at most ",
            kMaxBytes, " bytes, got ", text.size());
  try {
    const auto root = YAML::Load(text);
    Converter converter(path.string());
    if (!root.IsMap()) converter.fail(root, "expected \"key: value\" lines");
    return converter.convert(root);
  } catch (const YAML::Exception& error) {
    throw InvalidArgument(
        detail::concat(path.string(), " line ", error.mark.line + 1, ": ", error.msg));
  }
}

}  // namespace vmr::pipeline
