#include "pipeline/run_inputs.h"

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/pipeline/extraction.h"

namespace vmr::pipeline {
namespace {

void check_spec(const MatchingRun& run, const store::FeatureStore& store,
                const std::filesystem::path& folder, const model::InputSpec& spec,
                const char* kind) {
  const auto keys = store.keys(spec.feature, kind);
  VMR_CHECK(!keys.empty(), "the run \"", run.recipe.name, "\" reads the ", kind, " feature \"",
            spec.feature, "\", which ", folder.string(),
            " lacks; `vmr extract` and `vmr embed` write features, `vmr store stats` lists them");
  const auto track = store.find(keys.front());
  VMR_CHECK(track.has_value(), folder.string(), ": \"", spec.feature, "\" went while it was read");
  const auto row = track->values.sizes().slice(1);
  VMR_CHECK(row == at::IntArrayRef(spec.row), "the run \"", run.recipe.name, "\" reads \"",
            spec.feature, "\" in rows of shape ", at::IntArrayRef(spec.row), ", those of ",
            folder.string(), " are ", row,
            "; fill a store with the encoders that the run belongs to (`vmr embed`)");
}

// Classes are numbers without a meaning where they were cut at other edges.
void check_flow_edges(const MatchingRun& run, const store::FeatureStore& store,
                      const std::filesystem::path& folder) {
  const auto stored = stored_flow_edges(store);
  const auto own = run.about.find("clip_flow_edges");
  if (!stored || own == run.about.end()) return;
  const auto edges = video::flow_class_edges_from_json(own->dump());
  VMR_CHECK(edges == *stored, "the run \"", run.recipe.name, "\" reads classes of flow with ",
            edges.kind, " edges, those of ", folder.string(), " have ",
            edges.kind == stored->kind ? "others of that kind" : stored->kind + " ones",
            "; use the store it was trained on, or extract with clip_flow.classes \"", edges.kind,
            "\"");
}

}  // namespace

nlohmann::json read_about(const std::filesystem::path& run_folder) {
  const auto about = run_folder / "about.json";
  if (!std::filesystem::exists(about)) {
    throw StoreError(
        run_folder.string() +
        (std::filesystem::exists(run_folder) ? " is no run folder" : " does not exist") +
        "; name the --out folder of `vmr pretrain` or `vmr train`");
  }
  return read_json_file(about.string());
}

void check_inputs(const MatchingRun& run, const store::FeatureStore& store,
                  const std::filesystem::path& store_folder, ItemKinds kinds) {
  const auto inputs = run.model->inputs();
  for (const auto& spec : inputs.music) check_spec(run, store, store_folder, spec, "music");
  if (kinds == ItemKinds::music) return;
  for (const auto& spec : inputs.video) {
    check_spec(run, store, store_folder, spec, "film");
    if (spec.feature == "clip_flow") check_flow_edges(run, store, store_folder);
  }
}

}  // namespace vmr::pipeline
