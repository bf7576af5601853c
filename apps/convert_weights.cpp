// vmr convert --as conformer-audio|conformer-video|ut_cmvmr: published weights as a run.
#include <iostream>
#include <nlohmann/json.hpp>

#include "convert.h"
#include "recipe_files.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/reference_weights.h"

namespace vmr::apps {

int convert_weights(const ConvertOptions& options) {
  VMR_CHECK(!options.out.empty(), "convert: expected a folder for the run after ", options.input);
  VMR_CHECK(!options.recipe.empty(), "convert: --as ", options.as,
            " needs --recipe, which says what the network reads");
  const auto recipe = find_recipe(options.recipe);
  const bool matching = options.as == "ut_cmvmr";
  const auto imported =
      matching ? pipeline::import_ut_cmvmr(options.input, recipe, options.out, options.key)
               : pipeline::import_conformer(options.input,
                                            options.as == "conformer-audio" ? "audio" : "video",
                                            recipe, options.out, options.key);
  if (options.common.json) {
    print_json({{"out", options.out},
                {"key", imported.key},
                {"removed_prefix", imported.prefix},
                {"left_out", imported.left_out},
                {"made_up", imported.made_up},
                {"weights_hash", imported.weights_hash}});
    return kDone;
  }
  for (const auto& name : imported.left_out) std::cout << "left out: " << name << "\n";
  for (const auto& name : imported.made_up) {
    std::cout << "not in the checkpoint, set to zeros: " << name << "\n";
  }
  std::cout << "run written to " << options.out << "; next: vmr "
            << (matching ? "evaluate" : "embed") << " --run " << options.out << " --store STORE\n";
  return kDone;
}

}  // namespace vmr::apps
