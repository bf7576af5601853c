// Failures of items as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "vmr/core/run_control.h"

namespace vmr::apps {

// [{"id", "reason"}]
nlohmann::json listed(const std::vector<ItemFailure>& failures);

}  // namespace vmr::apps
