// Recipes: files of the user's, or one of those that come with the program, by name.
#pragma once

#include <string>
#include <vector>

#include "vmr/pipeline/recipe.h"

namespace vmr::apps {

// `text` is a path, or the name of a recipe of apps/recipes ("ut_cmvmr_se_r"). Throws:
// InvalidArgument naming the nearest known recipe.
pipeline::Recipe find_recipe(const std::string& text);
std::vector<std::string> builtin_recipes();

}  // namespace vmr::apps
