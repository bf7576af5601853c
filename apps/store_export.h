// `vmr store export`: a store's values as files that other programs read.
#pragma once

#include "shared.h"

namespace vmr::apps {

struct StoreExport {
  std::string feature, kind, out;
  std::string format = "npy";
};

void add_export_options(CLI::App& app, StoreExport& options);

int export_store(const std::string& folder, const StoreExport& options, bool json);

}  // namespace vmr::apps
