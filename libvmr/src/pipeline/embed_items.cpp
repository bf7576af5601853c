#include "pipeline/embed_items.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

// Items embedded at a time; changes no result, an embedding depends on its item alone.
constexpr int64_t kEmbedBatch = 256;

at::Tensor embed_in_batches(int64_t count,
                            const std::function<at::Tensor(const std::vector<int64_t>&)>& embed) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < count; begin += kEmbedBatch) {
    std::vector<int64_t> items(size_t(std::min(kEmbedBatch, count - begin)));
    std::iota(items.begin(), items.end(), begin);
    parts.push_back(embed(items).to(torch::kCPU));
  }
  return torch::cat(parts);
}

data::FeatureMap moved(data::FeatureMap features, const c10::Device& device) {
  for (auto& [name, feature] : features) {
    feature.values = feature.values.to(device);
    feature.mask = feature.mask.to(device);
  }
  return features;
}

}  // namespace

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

at::Tensor embed_all_music(model::MatchingModel& model, const data::PairDataset& items,
                           const c10::Device& device) {
  return embed_in_batches(int64_t(items.tracks().size()), [&](const auto& batch) {
    return model.embed_music(moved(items.collate_music(batch), device));
  });
}

at::Tensor embed_all_films(model::MatchingModel& model, const data::PairDataset& items,
                           const c10::Device& device) {
  return embed_in_batches(int64_t(items.films().size()), [&](const auto& batch) {
    return model.embed_video(moved(items.collate_video(batch), device));
  });
}

at::Tensor embedding_scores(const at::Tensor& films, const at::Tensor& tracks) {
  VMR_CHECK(films.dim() == 3 && tracks.dim() == 3 && films.size(1) == tracks.size(1) &&
                films.size(2) == tracks.size(2),
            "embedding_scores: expected [films, vectors, dim] and [tracks, vectors, dim], got ",
            films.sizes(), " and ", tracks.sizes());
  return torch::mm(films.flatten(1), tracks.flatten(1).t()) / double(films.size(1));
}

}  // namespace vmr::pipeline
