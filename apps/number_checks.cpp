#include "number_checks.h"

#include <cstdio>
#include <string>
#include <type_traits>

namespace vmr::apps {
namespace {

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

template <typename Number, typename Allowed>
CLI::Validator check(const std::string& expected, const std::string& limits,
                     const Allowed& allowed) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        Number value = 0;
        // The C library takes -1 for the largest unsigned number.
        const bool signed_text = std::is_unsigned_v<Number> && text.find('-') != text.npos;
        if (!signed_text && CLI::detail::lexical_cast(text, value) && allowed(value)) return "";
        return "expected " + expected + ", got " + (text.empty() ? "nothing" : text);
      },
      limits);
}

}  // namespace

CLI::Validator whole_number(int64_t least, int64_t most) {
  const bool open = most == std::numeric_limits<int64_t>::max();
  const auto limits = open ? "at least " + std::to_string(least)
                           : std::to_string(least) + " to " + std::to_string(most);
  return check<int64_t>("a whole number " + std::string(open ? "of " : "from ") + limits, limits,
                        [=](int64_t value) { return value >= least && value <= most; });
}

CLI::Validator number(double least, double most) {
  const auto limits = text_of(least) + " to " + text_of(most);
  return check<double>("a number from " + limits, limits,
                       [=](double value) { return value >= least && value <= most; });
}

void check_numbers(CLI::App& app) {
  for (auto* option : app.get_options()) {
    // "INT:at least 1" where there is a check already.
    const auto type = option->get_type_name();
    const auto any = [](auto) { return true; };
    if (type == "INT") option->check(check<int64_t>("a whole number", "", any));
    if (type == "UINT") option->check(check<uint64_t>("a whole number of at least 0", "", any));
    if (type == "FLOAT") option->check(check<double>("a number", "", any));
  }
  for (auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    check_numbers(*command);
  }
}

}  // namespace vmr::apps
