// A store's measures as the statistics texts of the published UT-CMVMR code.
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>

#include <filesystem>
#include <functional>

#include "core/file_io.h"
#include "core/statistics_text.h"
#include "vmr/audio/rhythm.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/reference_data.h"

namespace vmr::pipeline {
namespace {

// Adds an item's measures to the text. Throws: InvalidArgument for what the format cannot hold.
using AddItem = std::function<void(const std::string& id, const at::Tensor& measures)>;

void add_items(const store::FeatureStore& store, const char* feature, const char* kind,
               ExportedStatistics& result, const AddItem& add) {
  for (const auto& key : store.keys(feature, kind)) {
    try {
      VMR_CHECK(vmr::detail::is_line_id(key.id),
                "the id is empty, begins with # or has white space, at which lines are split");
      const auto measures = store.find(key)->values;
      add(key.id, measures);
      ++result.items;
      result.clips += measures.size(0);
    } catch (const InvalidArgument& error) {
      result.problems.push_back({key.id, error.what()});
    } catch (const StoreError& error) {
      result.problems.push_back({key.id, error.what()});
    }
  }
}

}  // namespace

ExportedStatistics export_statistics(const store::FeatureStore& store,
                                     const std::filesystem::path& folder) {
  ExportedStatistics result;
  std::vector<audio::RhythmEntry> songs;
  add_items(store, "rhythm_measures", "music", result,
            [&](const std::string& id, const at::Tensor& measures) {
              VMR_CHECK(measures.dim() == 2 && measures.size(1) == 3,
                        "expected rhythm_measures [clips, 3], got ", measures.sizes());
              songs.push_back({id, measures});
            });
  std::string flow;
  add_items(store, "clip_flow_measures", "film", result,
            [&](const std::string& id, const at::Tensor& measures) {
              VMR_CHECK(measures.dim() == 1, "expected clip_flow_measures [clips], got ",
                        measures.sizes());
              VMR_CHECK(at::isfinite(measures).all().item<bool>(),
                        "has clips without a displacement, which the text cannot say");
              const auto values = measures.to(at::kFloat).contiguous();
              const auto* value = values.const_data_ptr<float>();
              for (int64_t i = 0; i < values.size(0); ++i) {
                flow += id + '\t' + vmr::detail::shortest(value[i]) + '\n';
              }
            });
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    result.files.push_back(folder / name);
    vmr::detail::write_file_atomically(result.files.back(), text);
  };
  if (!songs.empty()) write("rhythm.txt", audio::write_rhythm_text(songs));
  if (!flow.empty()) write("flow.txt", "#vid\tdisplacement\n" + flow);
  return result;
}

}  // namespace vmr::pipeline
