#include "vmr/loss/matching.h"

#include <ATen/ATen.h>

#include "vmr/core/error.h"

namespace vmr::loss {

at::Tensor matching_rows(const at::Tensor& music, const at::Tensor& video,
                         const at::Tensor& negative_music, const at::Tensor& negative_video) {
  VMR_CHECK(music.dim() == 2 && video.dim() == 2 && music.sizes() == negative_music.sizes() &&
                video.sizes() == negative_video.sizes() && music.size(0) == video.size(0),
            "matching_rows: expected four [batch, dim], got ", music.sizes(), ", ", video.sizes(),
            ", ", negative_music.sizes(), ", ", negative_video.sizes());
  return at::cat(
      {at::cat({music, music, negative_music}, 0), at::cat({video, negative_video, video}, 0)}, 1);
}

MatchingResult matching_cross_entropy(const at::Tensor& logits, int64_t positives) {
  VMR_CHECK(logits.dim() == 2 && logits.size(1) == 2 && logits.size(0) > 0 && positives >= 0 &&
                positives <= logits.size(0),
            "matching_cross_entropy: expected logits [rows, 2] with at least ", positives,
            " rows, got ", logits.sizes());
  auto labels = at::zeros({logits.size(0)}, logits.options().dtype(at::kLong));
  labels.narrow(0, 0, positives).fill_(1);
  const auto right = logits.detach().argmax(1) == labels;
  return {at::cross_entropy_loss(logits, labels), right.to(logits.scalar_type()).mean()};
}

}  // namespace vmr::loss
