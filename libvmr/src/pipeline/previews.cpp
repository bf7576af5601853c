#include "vmr/pipeline/previews.h"

#include <set>

#include "vmr/core/error.h"

namespace vmr::pipeline {

PreviewsSummary write_previews(const std::filesystem::path& film,
                               const std::vector<PreviewItem>& items, const RunControl& control) {
  std::set<std::filesystem::path> names;
  for (const PreviewItem& item : items) {
    media::validate_preview_path(item.out);
    media::validate(item.options);
    VMR_CHECK(names.insert(item.out.lexically_normal()).second,
              "write_previews: two items are written to ", item.out.string(),
              "; give each a name of its own");
  }
  PreviewsSummary summary;
  summary.previews.resize(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const PreviewItem& item = items[i];
    control.progress({"preview", int64_t(i), int64_t(items.size()), item.out.filename().string()});
    try {
      summary.previews[i] =
          media::write_preview(film, item.music, item.out, item.options, control.stop);
    } catch (const std::exception& error) {
      if (control.stop.stop_requested()) return summary;
      summary.failures.push_back({item.out.string(), error.what()});
    }
  }
  control.progress({"preview", int64_t(items.size()), int64_t(items.size()), ""});
  return summary;
}

}  // namespace vmr::pipeline
