#include "vmr/loss/variational.h"

#include <ATen/ATen.h>

#include "loss/largest_mean.h"
#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

void check_gaussian(const Gaussian& g, const char* who) {
  VMR_CHECK(g.mean.dim() == 2 && g.mean.numel() > 0 && g.mean.sizes() == g.log_variance.sizes(),
            who, ": expected mean and log variance [batch, dim], got ", g.mean.sizes(), " and ",
            g.log_variance.sizes());
}

}  // namespace

at::Tensor divergence_from_prior(const Gaussian& posterior) {
  check_gaussian(posterior, "divergence_from_prior");
  const auto& [mean, log_variance] = posterior;
  return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean();
}

at::Tensor sample(const Gaussian& distribution, const at::Tensor& noise) {
  check_gaussian(distribution, "sample");
  VMR_CHECK(noise.sizes() == distribution.mean.sizes(), "sample: expected noise ",
            distribution.mean.sizes(), ", got ", noise.sizes());
  return distribution.mean + (0.5 * distribution.log_variance).exp() * noise;
}

Gaussian product_of_experts(const std::vector<Expert>& experts, bool prior) {
  VMR_CHECK(!experts.empty(), "product_of_experts: no expert given");
  at::Tensor precision, weighted;
  for (const auto& [belief, present] : experts) {
    check_gaussian(belief, "product_of_experts");
    VMR_CHECK(belief.mean.sizes() == experts[0].belief.mean.sizes(),
              "product_of_experts: experts of shapes ", experts[0].belief.mean.sizes(), " and ",
              belief.mean.sizes(), "; expected equal ones");
    auto certainty = (-belief.log_variance).exp();
    if (present.defined()) {
      VMR_CHECK(present.scalar_type() == at::kBool && present.dim() == 1 &&
                    present.size(0) == belief.mean.size(0),
                "product_of_experts: expected present bool [", belief.mean.size(0), "], got ",
                present.scalar_type(), " ", present.sizes());
      certainty = certainty.masked_fill(present.logical_not().unsqueeze(1), 0);
    }
    const auto part = belief.mean * certainty;
    precision = precision.defined() ? precision + certainty : certainty;
    weighted = weighted.defined() ? weighted + part : part;
  }
  if (prior) precision = precision + 1;
  VMR_CHECK(prior || (precision > 0).all().item<bool>(),
            "product_of_experts: a row has no expert; give it one or take the prior in");
  return {weighted / precision, -precision.log()};
}

RankingTerms gap_matching(const at::Tensor& x, const at::Tensor& y, const GapOptions& options,
                          const at::Tensor& ids) {
  // The distance of inter_modal_ranking is minus S.
  if (options.matching == GapMatching::hinge) {
    return inter_modal_ranking(
        x, y, {.margin = options.margin, .top = options.top, .count_masked = false}, ids);
  }
  VMR_CHECK(x.dim() == 2 && x.numel() > 0 && x.sizes() == y.sizes(),
            "gap_matching: expected two [batch, dim], got ", x.sizes(), " and ", y.sizes());
  VMR_CHECK(options.top >= 1, "gap_matching: top = ", options.top, ", expected at least 1");
  VMR_CHECK(!ids.defined() || (ids.dim() == 1 && ids.size(0) == x.size(0)),
            "gap_matching: expected ids [", x.size(0), "], got ", ids.sizes());
  const auto scores = at::matmul(x, y.t());
  const auto same = same_item(x.size(0), ids, x.device());
  const auto own = scores.diagonal().unsqueeze(1);
  const auto gaps = [&](const at::Tensor& others) {
    return -largest_mean(at::relu(own - others - options.margin), same, options.top,
                         /*count_left_out=*/false);
  };
  return {gaps(scores), gaps(scores.t())};
}

}  // namespace vmr::loss
