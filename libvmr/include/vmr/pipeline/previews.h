// Previews of one film with several tracks, as many files. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "vmr/core/run_control.h"
#include "vmr/media/film_writer.h"

namespace vmr::pipeline {

struct PreviewItem {
  std::filesystem::path music;
  media::PreviewOptions options;
  std::filesystem::path out;
};

struct PreviewsSummary {
  // One an item, in order; none where it failed, or was not begun before a stop.
  std::vector<std::optional<media::PreviewSummary>> previews;
  std::vector<ItemFailure> failures;  // id: the item's `out`
};

// Writes one preview after the other (media::write_preview). One that fails is listed and the next
// is begun; a stop ends the batch, and what is written by then stays.
// Throws: InvalidArgument, before any work, for options out of range, a name that does not end as
// a preview's, and two items with the same `out`.
PreviewsSummary write_previews(const std::filesystem::path& film,
                               const std::vector<PreviewItem>& items,
                               const RunControl& control = {});

}  // namespace vmr::pipeline
