#include "vmr/loss/ranking.h"

#include <ATen/ATen.h>

#include "loss/largest_mean.h"
#include "vmr/core/error.h"

namespace vmr::loss {
namespace {

// distances [batch, batch], rows against columns; `no_negative` marks pairs that cannot violate.
at::Tensor hardest(const at::Tensor& distances, const at::Tensor& own,
                   const at::Tensor& no_negative, const RankingOptions& options) {
  // Within a row the smallest distance has the largest hinge.
  return largest_mean(at::relu(options.margin + own.unsqueeze(1) - distances), no_negative,
                      options.top, options.count_masked);
}

}  // namespace

RankingTerms inter_modal_ranking(const at::Tensor& x, const at::Tensor& y,
                                 const RankingOptions& options, const at::Tensor& ids) {
  VMR_CHECK(x.dim() == 2 && x.numel() > 0 && x.sizes() == y.sizes(),
            "inter_modal_ranking: expected two [batch, dim], got ", x.sizes(), " and ", y.sizes());
  VMR_CHECK(options.top >= 1, "inter_modal_ranking: top = ", options.top, ", expected at least 1");
  const auto batch = x.size(0);
  VMR_CHECK(!ids.defined() || (ids.dim() == 1 && ids.size(0) == batch),
            "inter_modal_ranking: expected ids [", batch, "], got ", ids.sizes());
  at::Tensor distances;
  if (options.distance == Distance::cosine) {
    distances = -at::matmul(x, y.t());
  } else {
    // Differences, not products: these lose half of the digits of a small distance.
    constexpr int64_t kWithoutProducts = 2;
    distances = at::cdist(x + 1e-6, y, 2.0, kWithoutProducts);
  }
  const auto same = same_item(batch, ids, x.device());
  const auto own = distances.diagonal();
  return {hardest(distances, own, same, options), hardest(distances.t(), own, same, options)};
}

}  // namespace vmr::loss
