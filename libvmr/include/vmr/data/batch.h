// The two kinds of batch that leave a dataset and enter a model. Variable lengths are padded and
// carry a mask; nothing downstream may depend on what stands in the padding.
// Plain values: safe to share between threads for reading.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vmr::data {

// One input of a batch. mask [batch, time] bool, true = real.
struct MaskedTensor {
  at::Tensor values;  // [batch, time, ...], dtype of the feature
  at::Tensor mask;    // [batch, time] bool
};

// Feature name ("conformer_audio", "rhythm", ...) -> its values for every item of the batch.
using FeatureMap = std::map<std::string, MaskedTensor>;

FeatureMap to_device(const FeatureMap& features, const at::Device& device);

// Pairs of music and video with a real negative for each: row i of `music` belongs to row i of
// `video`; row i of the negatives is another pair with another tag and another track.
struct PairBatch {
  FeatureMap music, video;
  FeatureMap negative_music, negative_video;  // empty maps where the model needs none
  at::Tensor text, negative_text;  // [batch, text_dim] float32 tag vectors; undefined without tags
  at::Tensor track_ids,
      negative_track_ids;  // [batch] int64; equal = the same track (many films a track)
  at::Tensor tag_ids, negative_tag_ids;  // [batch] int64 class of the tag
  std::vector<std::string> music_ids, video_ids;

  int64_t size() const { return track_ids.defined() ? track_ids.size(0) : 0; }
  PairBatch to(const at::Device& device) const;
};

// Labelled clips for pre-training and tagging.
struct ClipBatch {
  at::Tensor values;                  // [clips, ...], dtype of the feature
  at::Tensor labels;                  // [clips] int64 class, or [clips, classes] float32
  std::vector<std::string> item_ids;  // the film or track of every clip

  int64_t size() const { return values.defined() ? values.size(0) : 0; }
  ClipBatch to(const at::Device& device) const;
};

}  // namespace vmr::data
