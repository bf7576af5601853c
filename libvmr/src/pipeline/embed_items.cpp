#include "pipeline/embed_items.h"

#include <torch/torch.h>

#include <algorithm>

#include "vmr/core/error.h"

namespace vmr::pipeline {
data::FeatureMap batch_of_one(const NamedTracks& tracks,
                              const std::vector<model::InputSpec>& inputs,
                              const c10::Device& device) {
  data::FeatureMap batch;
  for (const auto& input : inputs) {
    const auto found = std::find_if(tracks.begin(), tracks.end(), [&](const auto& track) {
      return track.first == input.feature;
    });
    VMR_CHECK(found != tracks.end(), "the model reads the feature \"", input.feature,
              "\", which was not extracted; add it to the recipe's extract.features");
    auto values = found->second.values;
    if (input.max_rows > 0 && values.size(0) > input.max_rows) {
      values = values.narrow(0, 0, input.max_rows);
    }
    values = values.is_floating_point() ? values.to(torch::kFloat) : values.to(torch::kLong);
    batch[input.feature] = {
        values.unsqueeze(0).to(device),
        torch::ones({1, values.size(0)}, torch::dtype(torch::kBool).device(device))};
  }
  return batch;
}

}  // namespace vmr::pipeline
