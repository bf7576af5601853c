// Why a data set would be empty, for its error.
#pragma once

#include <string>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/store/manifest.h"

namespace vmr::data {

// "no film has the split "tset"; the splits are "test", "train"", or how many items there are and
// the first reasons why they cannot be used.
std::string none_usable(const store::Manifest& manifest, const std::string& kind,
                        const std::string& split, const std::vector<ItemFailure>& missing);

}  // namespace vmr::data
