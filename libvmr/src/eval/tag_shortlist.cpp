#include "vmr/eval/tag_shortlist.h"

#include <ATen/ATen.h>

#include <limits>
#include <tuple>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::eval {
namespace {

// Place of each tag in the order of a query, 0 = closest: [queries, tags].
at::Tensor tag_places(const at::Tensor& tag_scores) {
  const auto order = std::get<1>(tag_scores.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
  const auto places = at::arange(tag_scores.size(1), at::kLong).expand_as(order);
  return at::empty_like(order).scatter(1, order, places);
}

}  // namespace

at::Tensor tag_shortlist(const at::Tensor& scores, const at::Tensor& tag_scores,
                         const at::Tensor& carries) {
  VMR_CHECK(scores.dim() == 2 && tag_scores.dim() == 2 && carries.dim() == 2 &&
                tag_scores.size(0) == scores.size(0) && carries.size(0) == scores.size(1) &&
                tag_scores.size(1) == carries.size(1) && tag_scores.size(1) > 0,
            "tag_shortlist: expected scores [queries, gallery], tag_scores [queries, tags] and "
            "carries [gallery, tags], got ",
            scores.sizes(), ", ", tag_scores.sizes(), " and ", carries.sizes());
  VMR_CHECK(!tag_scores.isnan().any().item<bool>(), "tag_shortlist: some tag scores are NaN");
  const auto places = tag_places(tag_scores);
  const int64_t gallery = scores.size(1), tags = tag_scores.size(1);
  const auto unknown = scores.isnan();
  const auto filled = scores.masked_fill(unknown, -std::numeric_limits<double>::infinity());
  std::vector<at::Tensor> rows;
  for (int64_t query = 0; query < scores.size(0); ++query) {
    // [gallery, tags] -> the closest tag's place; `tags` for an item that has none.
    const auto place = std::get<0>(places[query].masked_fill(carries.logical_not(), tags).min(1));
    // Places among the distinct scores, ascending: ties stay ties.
    const auto rank = std::get<1>(at::_unique(filled[query], /*sorted=*/true,
                                              /*return_inverse=*/true));
    const auto row = (rank - place * gallery).to(at::kDouble);
    rows.push_back(row.masked_fill(unknown[query], std::numeric_limits<double>::quiet_NaN()));
  }
  return at::stack(rows);
}

}  // namespace vmr::eval
