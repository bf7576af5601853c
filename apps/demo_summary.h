// demo/summary.json: written, printed, and checked against what a demo must show.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace vmr::apps {

void write_demo_summary(const std::filesystem::path& path, const nlohmann::json& summary);
void print_demo_summary(const nlohmann::json& summary, const std::filesystem::path& folder);
// Files, and recall above chance in both directions; of a small demo that each stage did its work.
// Returns an exit code.
int check_demo(const std::filesystem::path& folder);

}  // namespace vmr::apps
