// Ranking by tags first, as UT-CMVMR is evaluated: a query orders the tags by how close it is to
// them; the gallery follows tag by tag, the items of one tag by their own scores. The published
// procedure stops at the largest K it reports; here the list goes on to the end of the gallery,
// which changes no Recall@K.
// Thread-safe: plain functions.
#pragma once

#include <ATen/core/Tensor.h>

namespace vmr::eval {

// scores [queries, gallery] float32 or float64; tag_scores [queries, tags], higher = closer, equal
// ones by ascending tag; carries [gallery, tags] bool: the tags an item has. CPU. An item stands
// where its closest tag does; items without a tag come last. -> [queries, gallery] float64, equal
// where the item's tag and score are, NaN where its score is. Rows are not comparable with each
// other: rank along the gallery only.
// Scores (0.9, 0.1, 0.5), carries (a, b, b), b closer than a: the order is 2, 1, 0.
// Throws: InvalidArgument for other shapes and for tag scores that are NaN.
at::Tensor tag_shortlist(const at::Tensor& scores, const at::Tensor& tag_scores,
                         const at::Tensor& carries);

}  // namespace vmr::eval
