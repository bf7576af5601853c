// vmr convert CONFIG.yaml RECIPE.json: a configuration of the published UT-CMVMR code as a recipe.
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "convert.h"
#include "recipe_files.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/pipeline/reference_config.h"

namespace vmr::apps {
namespace {

constexpr char kDefaultBase[] = "ut_cmvmr_se_r";

pipeline::ReferenceConfig read(const ConvertOptions& options) {
  auto base = find_recipe(options.recipe.empty() ? kDefaultBase : options.recipe);
  // Whoever names a base goes on with it; else the result is a recipe of its own.
  if (options.recipe.empty()) base.name = std::filesystem::path(options.out).stem().string();
  const pipeline::ReferenceConfigOptions reading{.kind = options.as,
                                                 .as_published = !options.corrected};
  if (options.input.ends_with(".json")) {
    return pipeline::reference_config(read_json_file(options.input), options.input, base, reading);
  }
  return pipeline::read_reference_config(options.input, base, reading);
}

nlohmann::json to_json(const pipeline::ReferenceConfig& config) {
  auto unused = nlohmann::json::object();
  for (const auto& [key, why] : config.unused) unused[key] = why;
  return {{"kind", config.kind},
          {"unknown", config.unknown},
          {"unused", unused},
          {"files", config.files},
          {"reference_behaviour", data::to_json(config.recipe.reference)}};
}

void print(const pipeline::ReferenceConfig& config, const std::string& out) {
  std::cout << "recipe written to " << out << ": " << config.kind << "\n";
  for (const auto& [key, why] : config.unused) std::cout << "  " << key << ": " << why << "\n";
  for (const auto& [key, path] : config.files) {
    std::cout << "  " << key << " = " << path << ": data, not part of a recipe\n";
  }
  const auto switches = data::to_json(config.recipe.reference);
  if (switches.empty()) return;
  std::cout << "  reference_behaviour:";
  for (const auto& [name, on] : switches.items()) std::cout << " " << name;
  std::cout << "\n    what the published code does and its paper does not mean; --corrected leaves "
               "it out\n";
}

}  // namespace

int convert_config(const ConvertOptions& options) {
  VMR_CHECK(!options.out.empty(), "convert: expected a recipe file to write after ", options.input);
  const auto config = read(options);
  std::string unknown;
  for (const auto& key : config.unknown) unknown += (unknown.empty() ? "" : ", ") + key;
  VMR_CHECK(unknown.empty() || !options.strict, options.input, ": unknown keys: ", unknown,
            "; nothing was written (--strict)");
  pipeline::write_recipe(config.recipe, options.out);
  if (options.common.json) {
    auto document = to_json(config);
    document["out"] = options.out;
    print_json(document);
  } else {
    print(config, options.out);
  }
  if (unknown.empty()) return kDone;
  std::cerr << "warning: " << options.input << ": unknown keys, which the recipe lacks: " << unknown
            << "\n";
  return kSomeFailed;
}

}  // namespace vmr::apps
