// Features of a film that somebody waits for, by several threads.
#pragma once

#include "vmr/pipeline/extraction.h"

namespace vmr::pipeline::detail {

// pipeline::extract_film with the film's decoder on `threads` threads (0 = one per core), which
// changes speed only. Batches leave it at one: their items are the unit of parallel work.
Extracted extract_film(const std::filesystem::path& path, const ExtractRecipe& recipe,
                       std::stop_token stop, int threads);

}  // namespace vmr::pipeline::detail
