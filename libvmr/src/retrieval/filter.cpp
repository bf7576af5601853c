#include "vmr/retrieval/filter.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/ascii_lower.h"
#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace {

using vmr::detail::ascii_lower;

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value != value)
    return std::nullopt;
  return value;
}

std::optional<double> number_of(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return number_in(value.get_ref<const std::string&>());
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<FilterCondition> conditions() {
    std::vector<FilterCondition> result;
    for (skip_spaces(); at_ < text_.size(); skip_spaces()) result.push_back(condition());
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    throw InvalidArgument(detail::concat(
        "filter: at position ", at_ + 1, ": expected ", expected, ", got ",
        at_ < text_.size() ? detail::concat("'", text_[at_], "'") : std::string("the end"), ": ",
        text_));
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  FilterCondition condition() {
    FilterCondition result;
    const size_t end = text_.find_first_of("=!:<>, \t\"", at_);
    result.field = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    if (result.field.empty()) fail("a field name");
    at_ += result.field.size();
    result.op = take_operator(result.field);
    do {
      result.values.push_back(value(result));
    } while (take(","));
    if (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\t')
      fail("a space or ',' after a value");
    return result;
  }

  FilterOperator take_operator(const std::string& field) {
    if (take("!=")) return FilterOperator::not_equal;
    if (take("<=")) return FilterOperator::less_equal;
    if (take(">=")) return FilterOperator::greater_equal;
    if (take("<")) return FilterOperator::less;
    if (take(">")) return FilterOperator::greater;
    if (take("=")) return FilterOperator::equal;
    if (take(":")) return FilterOperator::has;
    fail("one of = != : < <= > >= after '" + field + "'");
  }

  FilterValue value(const FilterCondition& condition) {
    const size_t start = at_;
    const bool quoted = at_ < text_.size() && text_[at_] == '"';
    const std::string text = quoted ? quoted_text() : plain_text(condition.field);
    FilterValue result{.text = ascii_lower(text)};
    if (quoted) return result;
    const bool compares = condition.op != FilterOperator::equal &&
                          condition.op != FilterOperator::not_equal &&
                          condition.op != FilterOperator::has;
    const auto fail_here = [&](const char* expected) {
      at_ = start;
      fail(expected);
    };
    if (const auto number = number_in(text)) {
      result.kind = FilterValue::Kind::number;
      result.low = result.high = *number;
    } else if (compares) {
      fail_here("a number");
    } else if (condition.op == FilterOperator::has && text == "*") {
      result.kind = FilterValue::Kind::any;
    } else if (condition.op == FilterOperator::has && text.find("..") != std::string::npos) {
      const size_t dots = text.find("..");
      const auto low = number_in(std::string_view(text).substr(0, dots));
      const auto high = number_in(std::string_view(text).substr(dots + 2));
      if ((dots > 0 && !low) || (dots + 2 < text.size() && !high) || (!low && !high))
        fail_here("a range like 100..120, 100.. or ..120 (quote the value where it is text)");
      result.kind = FilterValue::Kind::range;
      if (low) result.low = *low;
      if (high) result.high = *high;
      if (result.low > result.high) fail_here("a range whose first number is the lower one");
    }
    return result;
  }

  std::string plain_text(const std::string& field) {
    const size_t end = std::min(text_.find_first_of(", \t\"", at_), text_.size());
    const std::string result(text_.substr(at_, end - at_));
    if (result.empty()) fail("a value for '" + field + "'");
    at_ = end;
    return result;
  }

  std::string quoted_text() {
    std::string result;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      result += text_[at_];
    }
    if (!take("\"")) fail("a closing quote");
    return result;
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool equals(const FilterValue& wanted, const nlohmann::json& value) {
  if (wanted.kind == FilterValue::Kind::number)
    if (const auto number = number_of(value)) return *number == wanted.low;
  if (value.is_string()) return ascii_lower(value.get_ref<const std::string&>()) == wanted.text;
  if (value.is_boolean()) return wanted.text == (value.get<bool>() ? "true" : "false");
  return false;
}

bool in_range(const FilterValue& range, const nlohmann::json& value) {
  const auto number = number_of(value);
  return number && *number >= range.low && *number <= range.high;
}

// An element of an array is the text or not; text on its own is searched for it.
bool has(const FilterValue& wanted, const nlohmann::json& value, bool in_array) {
  if (wanted.kind == FilterValue::Kind::any) return !value.is_null();
  if (wanted.kind == FilterValue::Kind::range) return in_range(wanted, value);
  if (equals(wanted, value)) return true;
  return !in_array && value.is_string() &&
         ascii_lower(value.get_ref<const std::string&>()).find(wanted.text) != std::string::npos;
}

bool holds(FilterOperator op, const FilterValue& wanted, const nlohmann::json& value,
           bool in_array) {
  switch (op) {
    case FilterOperator::equal:
    case FilterOperator::not_equal:
      return equals(wanted, value);
    case FilterOperator::has:
      return has(wanted, value, in_array);
    default:
      break;
  }
  const auto number = number_of(value);
  if (!number) return false;
  switch (op) {
    case FilterOperator::less:
      return *number < wanted.low;
    case FilterOperator::less_equal:
      return *number <= wanted.low;
    case FilterOperator::greater:
      return *number > wanted.low;
    default:
      return *number >= wanted.low;
  }
}

}  // namespace

bool FilterCondition::matches(const nlohmann::json* value) const {
  const bool is_array = value != nullptr && value->is_array();
  const auto any_alternative = [&](const nlohmann::json& single) {
    return std::any_of(values.begin(), values.end(), [&](const FilterValue& wanted) {
      return holds(op, wanted, single, is_array);
    });
  };
  const bool found = is_array ? std::any_of(value->begin(), value->end(), any_alternative)
                              : value != nullptr && any_alternative(*value);
  return op == FilterOperator::not_equal ? !found : found;
}

Filter Filter::parse(std::string_view text) {
  Filter result;
  result.text_ = text;
  result.conditions_ = Parser(text).conditions();
  return result;
}

bool Filter::matches(const nlohmann::json& metadata) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const FilterCondition& c) {
    const auto value = metadata.find(c.field);
    return c.matches(value == metadata.end() ? nullptr : &*value);
  });
}

}  // namespace vmr::retrieval
