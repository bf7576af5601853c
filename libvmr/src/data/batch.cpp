#include "vmr/data/batch.h"

#include <ATen/core/Tensor.h>

namespace vmr::data {
namespace {

at::Tensor moved(const at::Tensor& tensor, const at::Device& device) {
  return tensor.defined() ? tensor.to(device) : tensor;
}

FeatureMap moved(const FeatureMap& features, const at::Device& device) {
  FeatureMap result;
  for (const auto& [name, input] : features) {
    result[name] = {moved(input.values, device), moved(input.mask, device)};
  }
  return result;
}

}  // namespace

PairBatch PairBatch::to(const at::Device& device) const {
  PairBatch result;
  result.music = moved(music, device);
  result.video = moved(video, device);
  result.negative_music = moved(negative_music, device);
  result.negative_video = moved(negative_video, device);
  result.text = moved(text, device);
  result.negative_text = moved(negative_text, device);
  result.track_ids = moved(track_ids, device);
  result.negative_track_ids = moved(negative_track_ids, device);
  result.tag_ids = moved(tag_ids, device);
  result.negative_tag_ids = moved(negative_tag_ids, device);
  result.music_ids = music_ids;
  result.video_ids = video_ids;
  return result;
}

ClipBatch ClipBatch::to(const at::Device& device) const {
  return {moved(values, device), moved(labels, device), item_ids};
}

}  // namespace vmr::data
