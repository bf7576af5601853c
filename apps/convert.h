// What vmr convert makes of which file; one function a kind of input.
#pragma once

#include <string>

#include "shared.h"

namespace vmr::apps {

struct ConvertOptions {
  Common common;
  std::string input, out, key, as, recipe;
  bool list = false, strict = false, corrected = false;
};

// A configuration of the published UT-CMVMR code as a recipe.
int convert_config(const ConvertOptions& options);
// Its weights as a run.
int convert_weights(const ConvertOptions& options);

}  // namespace vmr::apps
