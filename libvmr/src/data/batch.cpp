#include "vmr/data/batch.h"

#include <ATen/core/Tensor.h>

namespace vmr::data {
namespace {

at::Tensor moved(const at::Tensor& tensor, const at::Device& device) {
  return tensor.defined() ? tensor.to(device) : tensor;
}

}  // namespace

FeatureMap to_device(const FeatureMap& features, const at::Device& device) {
  FeatureMap result;
  for (const auto& [name, input] : features) {
    result[name] = {moved(input.values, device), moved(input.mask, device)};
  }
  return result;
}

PairBatch PairBatch::to(const at::Device& device) const {
  PairBatch result;
  result.music = to_device(music, device);
  result.video = to_device(video, device);
  result.negative_music = to_device(negative_music, device);
  result.negative_video = to_device(negative_video, device);
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
