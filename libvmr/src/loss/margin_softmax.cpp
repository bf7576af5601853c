#include "vmr/loss/margin_softmax.h"

#include <ATen/ATen.h>

#include "vmr/core/error.h"

namespace vmr::loss {

MarginSoftmaxResult margin_softmax(const at::Tensor& scores, const at::Tensor& labels,
                                   const MarginSoftmaxOptions& options) {
  VMR_CHECK(scores.dim() == 2 && scores.numel() > 0 && labels.dim() == 1 &&
                labels.size(0) == scores.size(0) && labels.scalar_type() == at::kLong,
            "margin_softmax: expected scores [batch, classes] and labels [batch] int64, got ",
            scores.sizes(), " and ", labels.sizes(), " ", labels.scalar_type());
  const auto low = labels.min().item<int64_t>(), high = labels.max().item<int64_t>();
  VMR_CHECK(low >= 0 && high < scores.size(1), "margin_softmax: labels from ", low, " to ", high,
            "; expected 0 to ", scores.size(1) - 1);
  const auto right = at::zeros_like(scores).scatter_(1, labels.unsqueeze(1), options.margin);
  const auto logits = options.scale * (scores - right);
  const auto hit = logits.detach().argmax(1) == labels;
  return {at::cross_entropy_loss(logits, labels), hit.to(scores.scalar_type()).mean()};
}

}  // namespace vmr::loss
