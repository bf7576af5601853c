#include "model/clip_sequence.h"

#include "vmr/core/error.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::model {

namespace {

// Which clip stands at each place, [batch, count], for items of `clips` [batch, 1] clips.
at::Tensor clip_at(const at::Tensor& place, const at::Tensor& clips, ClipFill rule) {
  switch (rule) {
    case ClipFill::cycle:
      return place.remainder(clips);
    case ClipFill::repeat_last:
      return at::minimum(place, clips - 1);
    case ClipFill::elementwise: {
      const auto after = place - clips;  // place behind the item's own clips
      const auto times = (place.size(1) - clips).clamp_min(0).div(clips, "floor");
      const auto repeated = after.div(times.clamp_min(1), "floor");
      const auto rest = (after - times * clips).remainder(clips);
      const auto filled = at::where(after < times * clips, repeated, rest);
      return at::where(after < 0, place, filled);
    }
  }
  VMR_ASSERT(false, "clip fill rule ", static_cast<int>(rule));
}

}  // namespace

at::Tensor fill_clips(const data::MaskedTensor& feature, int64_t count, ClipFill rule) {
  const auto clips = feature.mask.sum(1, /*keepdim=*/true);
  const auto place = at::arange(count, clips.options()).unsqueeze(0);
  const auto index = clip_at(place, clips, rule);
  const auto item = at::arange(clips.size(0), clips.options()).unsqueeze(1);
  return feature.values.index({item, index});
}

data::MaskedTensor find_feature(const data::FeatureMap& features, const std::string& name,
                                const char* who) {
  const auto found = features.find(name);
  if (found == features.end()) {
    std::string names;
    for (const auto& [known, unused] : features) names += (names.empty() ? "" : ", ") + known;
    throw InvalidArgument(detail::concat(who, ": the batch has no feature \"", name,
                                         "\", only: ", names.empty() ? "none" : names));
  }
  auto feature = found->second;
  VMR_CHECK(feature.values.defined() && feature.values.dim() >= 2, who, ": feature \"", name,
            "\" should be [batch, time, ...]");
  const auto batch = feature.values.size(0), time = feature.values.size(1);
  if (!feature.mask.defined()) {
    feature.mask = at::ones({batch, time}, feature.values.options().dtype(at::kBool));
  }
  nn::check_mask(feature.mask, batch, time, who);
  VMR_CHECK(time > 0, who, ": feature \"", name, "\" has no clips");
  return feature;
}

}  // namespace vmr::model
