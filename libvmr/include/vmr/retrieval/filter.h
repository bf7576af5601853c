// A filter on metadata, as people type it:
//   genre=rock               equal; an array matches where an element does
//   genre=rock,pop           either
//   license!=nc              not equal; the negation of =, so it also matches where absent
//   bpm:100..120             in the closed range; 100.. and ..120 are open on one side
//   tags:calm title:"deep b" array holds it, or text contains it; quotes keep spaces and commas
//   duration<60  >= <= >     numbers; text that is a number counts as one
//   isrc:*                   present and not null
// Conditions separated by spaces must all hold. Text is compared without regard to ASCII case.
// Thread-safe: immutable after parsing.
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::retrieval {

enum class FilterOperator { equal, not_equal, has, less, less_equal, greater, greater_equal };

// One alternative on the right-hand side.
struct FilterValue {
  enum class Kind { text, number, range, any } kind = Kind::text;
  std::string text;  // as typed, lower case; a number also compares as text
  double low = -std::numeric_limits<double>::infinity();  // of a range; the number itself
  double high = std::numeric_limits<double>::infinity();
};

struct FilterCondition {
  std::string field;
  FilterOperator op = FilterOperator::equal;
  std::vector<FilterValue> values;  // alternatives

  // `value` is the field's metadata, nullptr where absent.
  bool matches(const nlohmann::json* value) const;
};

class Filter {
 public:
  Filter() = default;  // matches everything
  // Throws: InvalidArgument naming the position and what was expected there.
  static Filter parse(std::string_view text);

  bool empty() const { return conditions_.empty(); }
  const std::vector<FilterCondition>& conditions() const { return conditions_; }
  const std::string& text() const { return text_; }
  bool matches(const nlohmann::json& metadata) const;

 private:
  std::string text_;
  std::vector<FilterCondition> conditions_;
};

}  // namespace vmr::retrieval
