// Items of any number of clips made into sequences of a fixed number, so that stored features stay
// plain: longer items keep their first clips, shorter ones are filled.
#pragma once

#include <ATen/core/Tensor.h>

#include "vmr/data/batch.h"

namespace vmr::model {

// cycle: c0 c1 c2 c0 c1 ...; repeat_last: c0 c1 c2 c2 c2 ...; elementwise, as published for music:
// as many whole repetitions as fit clip by clip, then from the first: c0 c1 | c0 c0 c1 c1 | c0.
enum class ClipFill { cycle, repeat_last, elementwise };

// values [batch, time, ...] with mask -> [batch, count, ...]. Each item needs a real clip (checked
// by find_feature).
at::Tensor fill_clips(const data::MaskedTensor& feature, int64_t count, ClipFill rule);

// The feature `name` of a batch, its mask filled in where undefined. Throws: InvalidArgument naming
// `who` for an absent feature, a mask that does not fit, or an item without clips.
data::MaskedTensor find_feature(const data::FeatureMap& features, const std::string& name,
                                const char* who);

}  // namespace vmr::model
