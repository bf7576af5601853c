// Checks of numbers on the command line that say what is allowed in words: "--top: expected a whole
// number of at least 1, got 0". CLI11's own print the limits of C++ types.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace vmr::apps {

CLI::Validator whole_number(int64_t least, int64_t most = std::numeric_limits<int64_t>::max());
CLI::Validator number(double least, double most);

// Gives every option of a number that has no limits, also those of subcommands, a check that it is
// one.
void check_numbers(CLI::App& app);

}  // namespace vmr::apps
