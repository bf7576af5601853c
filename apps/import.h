// Parts of `vmr import`, which has one file a source.
#pragma once

#include "shared.h"

namespace vmr::apps {

// `vmr import features`.
Command add_import_features(CLI::App& import_app);

}  // namespace vmr::apps
