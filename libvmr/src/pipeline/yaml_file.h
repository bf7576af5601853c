// YAML files as JSON values, typed as YAML's core schema has it: plain true, 5, 3e-4, ~ and lists
// of them; all else is text. Stateless, thread-safe.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace vmr::pipeline {

// Throws: StoreError where unreadable; InvalidArgument naming file and line for what is no YAML,
// keys that stand twice, values that are no key: value lines, and files made to exhaust memory;
// NotBuilt without yaml-cpp.
nlohmann::json read_yaml_file(const std::filesystem::path& path);

}  // namespace vmr::pipeline
