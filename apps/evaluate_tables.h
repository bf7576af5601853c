// What vmr evaluate prints for people: each table under what was ranked, by which distance and
// weight.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace vmr::apps {

void print_evaluation(const nlohmann::json& document);
// Lists the protocols that the run or the split did not allow. Returns the exit code.
int report_protocols(const nlohmann::json& document);
// Of --compare-variants.
void print_variants(const nlohmann::json& document);

}  // namespace vmr::apps
