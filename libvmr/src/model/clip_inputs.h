// The part of a model that turns the features of ClipInputOptions into sequences of clips: lookup
// of the class embeddings, filling, checks. Also the JSON fields and limits of the options.
#pragma once

#include <torch/nn/modules/container/moduledict.h>

#include "model/clip_sequence.h"
#include "vmr/model/clip_inputs.h"
#include "vmr/model/matching_model.h"

namespace vmr::model {

// One list of fields for both directions: `visit(key, field)` reads or writes.
template <typename Options, typename Visit>
void visit_clip_inputs(Options& o, Visit&& visit) {
  visit("music", o.music);
  visit("video", o.video);
  visit("rhythm", o.rhythm);
  visit("flow", o.flow);
  visit("music_dim", o.music_dim);
  visit("video_dim", o.video_dim);
  visit("rhythm_flow", o.rhythm_flow);
  visit("max_clips", o.max_clips);
  visit("clip_seconds", o.clip_seconds);
  visit("rhythm_classes", o.rhythm_classes);
  visit("flow_classes", o.flow_classes);
}

// Throws: InvalidArgument naming `who`, field, value and rule.
void validate_clip_inputs(const ClipInputOptions& options, const char* who);

// The features of both sides, without text and negatives.
ModelInputs clip_model_inputs(const ClipInputOptions& options);

// What the published UT-CMVMR code does otherwise.
struct ClipReading {
  const data::FeatureMap* clips = nullptr;  // whose clip features to take instead of the items' own
  ClipFill music_fill = ClipFill::cycle;    // of clip features; rhythm always cycles
  bool unit_over_clips = false;  // each channel of the clip features has unit length over the clips
};

class ClipInputs {
 public:
  // Registers A_rhythm_embed and V_optic_embed with `owner` where rhythm_flow is on. `options` and
  // `who`, the name in errors, must outlive this.
  ClipInputs(torch::nn::Module& owner, const ClipInputOptions& options, const char* who);

  // Features of a batch -> values [batch, max_clips, dim] in the type of `like`, class embeddings
  // added, short items filled; mask = the item's own clips.
  data::MaskedTensor music(const data::FeatureMap& music, const at::Tensor& like,
                           const ClipReading& reading = {}) const;
  data::MaskedTensor video(const data::FeatureMap& video, const at::Tensor& like,
                           const ClipReading& reading = {}) const;

 private:
  data::MaskedTensor assemble(const data::MaskedTensor& clips, const at::Tensor& added,
                              ClipFill rule, const at::Tensor& like, bool unit_over_clips) const;
  void check_same_clips(const data::MaskedTensor& clips, const data::MaskedTensor& classes,
                        const std::string& name) const;
  void check_row(const at::Tensor& values, at::IntArrayRef row, const std::string& name) const;

  const ClipInputOptions& options_;
  const char* who_;
  torch::nn::ModuleDict rhythm_{nullptr}, flow_{nullptr};
};

// What ClipInputs gave -> [batch, dim], the mean over the item's own clips, not over those that
// fill the sequence.
at::Tensor mean_clips(const data::MaskedTensor& clips);

}  // namespace vmr::model
