#include "model/clip_inputs.h"

#include "model/model_checks.h"
#include "vmr/core/error.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::model {
namespace {

using Children = std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>;

at::Tensor look_up(const torch::nn::ModuleDict& tables, const char* name,
                   const at::Tensor& classes) {
  const auto& table = tables->at<torch::nn::EmbeddingImpl>(name);
  return at::embedding(table.weight,
                       classes.to(at::kLong).clamp(0, table.options.num_embeddings() - 1));
}

}  // namespace

void validate_clip_inputs(const ClipInputOptions& o, const char* who) {
  VMR_CHECK(!o.music.empty() && !o.video.empty() && !o.rhythm.empty() && !o.flow.empty(), who,
            ": music, video, rhythm and flow name features and cannot be empty");
  check_range(who, "music_dim", o.music_dim, 1, kLargestDim);
  check_range(who, "video_dim", o.video_dim, 1, kLargestDim);
  check_range(who, "max_clips", o.max_clips, 1, 10000);
  check_range(who, "clip_seconds", o.clip_seconds, 1e-3, 1e6);
  if (!o.rhythm_flow) return;
  VMR_CHECK(o.music_dim % 4 == 0, who, ": music_dim = ", o.music_dim,
            ", expected a multiple of 4 where rhythm_flow is on: beats take half of it, strength "
            "and interval a quarter each");
  VMR_CHECK(o.rhythm_classes.size() == 3, who, ": rhythm_classes has ", o.rhythm_classes.size(),
            " entries, expected 3: beats, strength, interval");
  for (const auto classes : o.rhythm_classes) {
    check_range(who, "rhythm_classes", classes, 1, kLargestDim);
  }
  check_range(who, "flow_classes", o.flow_classes, 1, kLargestDim);
}

ModelInputs clip_model_inputs(const ClipInputOptions& o) {
  const auto spec = [&](const std::string& name, std::vector<int64_t> row, const char* dim_key) {
    return InputSpec{name, std::move(row), o.clip_seconds, o.max_clips, dim_key};
  };
  ModelInputs inputs;
  inputs.music.push_back(spec(o.music, {o.music_dim}, "music_dim"));
  inputs.video.push_back(spec(o.video, {o.video_dim}, "video_dim"));
  if (o.rhythm_flow) {
    inputs.music.push_back(spec(o.rhythm, {3}, ""));
    inputs.video.push_back(spec(o.flow, {}, ""));
  }
  return inputs;
}

ClipInputs::ClipInputs(torch::nn::Module& owner, const ClipInputOptions& o, const char* who)
    : options_(o), who_(who) {
  if (!o.rhythm_flow) return;
  const auto table = [](int64_t classes, int64_t dim) {
    return torch::nn::Embedding(classes, dim).ptr();
  };
  const auto dim = o.music_dim;
  rhythm_ = owner.register_module(
      "A_rhythm_embed", torch::nn::ModuleDict(Children{
                            {"n_beat_embed", table(o.rhythm_classes[0], dim / 2)},
                            {"beat_strength_embed", table(o.rhythm_classes[1], dim / 4)},
                            {"beat_interval_width_embed", table(o.rhythm_classes[2], dim / 4)}}));
  flow_ = owner.register_module(
      "V_optic_embed", torch::nn::ModuleDict(Children{
                           {"optic_displacement_embed", table(o.flow_classes, o.video_dim)}}));
}

// Real clips must agree, or the class of one clip would be added to another.
void ClipInputs::check_same_clips(const data::MaskedTensor& clips,
                                  const data::MaskedTensor& classes,
                                  const std::string& name) const {
  const auto left = clips.mask.sum(1).clamp_max(options_.max_clips);
  const auto right = classes.mask.sum(1).clamp_max(options_.max_clips);
  VMR_CHECK(left.sizes() == right.sizes() && at::equal(left, right), who_, ": feature \"", name,
            "\" and the clip features have different numbers of clips in an item; extract both "
            "with the same clip length");
}

void ClipInputs::check_row(const at::Tensor& values, at::IntArrayRef row,
                           const std::string& name) const {
  VMR_CHECK(values.sizes().slice(2) == row, who_, ": feature \"", name,
            "\" should have rows of shape ", row, ", got ", values.sizes());
}

data::MaskedTensor ClipInputs::music(const data::FeatureMap& music, const at::Tensor& like,
                                     const ClipReading& reading) const {
  const bool own = reading.clips == nullptr;
  const auto clips = find_feature(own ? music : *reading.clips, options_.music, who_);
  check_row(clips.values, {options_.music_dim}, options_.music);
  at::Tensor rhythm;
  if (options_.rhythm_flow) {
    const auto classes = find_feature(music, options_.rhythm, who_);
    check_row(classes.values, {3}, options_.rhythm);
    if (own) check_same_clips(clips, classes, options_.rhythm);
    const auto filled = fill_clips(classes, options_.max_clips, ClipFill::cycle);
    rhythm = at::cat({look_up(rhythm_, "n_beat_embed", filled.select(2, 0)),
                      look_up(rhythm_, "beat_strength_embed", filled.select(2, 1)),
                      look_up(rhythm_, "beat_interval_width_embed", filled.select(2, 2))},
                     2);
  }
  return assemble(clips, rhythm, reading.music_fill, like, reading.unit_over_clips);
}

data::MaskedTensor ClipInputs::video(const data::FeatureMap& video, const at::Tensor& like,
                                     const ClipReading& reading) const {
  const bool own = reading.clips == nullptr;
  const auto clips = find_feature(own ? video : *reading.clips, options_.video, who_);
  check_row(clips.values, {options_.video_dim}, options_.video);
  at::Tensor flow;
  if (options_.rhythm_flow) {
    auto classes = find_feature(video, options_.flow, who_);
    if (classes.values.dim() == 3) classes.values = classes.values.squeeze(2);
    check_row(classes.values, {}, options_.flow);
    if (own) check_same_clips(clips, classes, options_.flow);
    flow = look_up(flow_, "optic_displacement_embed",
                   fill_clips(classes, options_.max_clips, ClipFill::repeat_last));
  }
  return assemble(clips, flow, ClipFill::repeat_last, like, reading.unit_over_clips);
}

data::MaskedTensor ClipInputs::assemble(const data::MaskedTensor& clips, const at::Tensor& added,
                                        ClipFill rule, const at::Tensor& like,
                                        bool unit_over_clips) const {
  auto values = fill_clips(clips, options_.max_clips, rule).to(like.scalar_type());
  if (unit_over_clips) values = values / values.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12);
  if (added.defined()) values = values + added;
  const auto count = clips.mask.sum(1, /*keepdim=*/true);
  return {values, at::arange(options_.max_clips, count.options()).unsqueeze(0) < count};
}

at::Tensor mean_clips(const data::MaskedTensor& clips) {
  return nn::masked_mean(clips.values, clips.mask);
}

}  // namespace vmr::model
