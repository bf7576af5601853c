#include "recipe_files.h"

#include <filesystem>

#include "builtin_recipes.h"
#include "vmr/core/json_reader.h"

namespace vmr::apps {

std::vector<std::string> builtin_recipes() {
  std::vector<std::string> names;
  for (const auto& [name, text] : kBuiltinRecipes) names.emplace_back(name);
  return names;
}

pipeline::Recipe find_recipe(const std::string& text) {
  for (const auto& [name, json] : kBuiltinRecipes) {
    if (text == name) return pipeline::parse_recipe(nlohmann::json::parse(json), text + ".json");
  }
  if (std::filesystem::exists(text)) return pipeline::read_recipe(text);
  const auto near = nearest_name(text, builtin_recipes());
  std::string known;
  for (const auto& name : builtin_recipes()) known += (known.empty() ? "" : ", ") + name;
  throw InvalidArgument("no recipe file \"" + text + "\", and no recipe of that name" +
                        (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                        " (built in: " + known + ")");
}

}  // namespace vmr::apps
