#include "vmr/data/tag_vectors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "data/random_stream.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr::data {

std::optional<int64_t> TagVectors::find(const std::string& tag) const {
  const auto place = std::lower_bound(tags.begin(), tags.end(), tag);
  if (place == tags.end() || *place != tag) return std::nullopt;
  return place - tags.begin();
}

void validate(const TagVectors& vectors) {
  if (vectors.empty()) return;
  const auto count = static_cast<int64_t>(vectors.tags.size());
  VMR_CHECK(std::adjacent_find(vectors.tags.begin(), vectors.tags.end(), std::greater_equal<>()) ==
                vectors.tags.end(),
            "TagVectors: tags must be sorted and distinct");
  VMR_CHECK(vectors.vectors.defined() && vectors.vectors.dim() == 2 &&
                vectors.vectors.size(0) == count && vectors.vectors.scalar_type() == at::kFloat,
            "TagVectors: expected vectors [", count, ", dim] float32, got ",
            vectors.vectors.defined() ? vectors.vectors.sizes() : at::IntArrayRef{});
  VMR_CHECK(at::isfinite(vectors.vectors).all().item<bool>(),
            "TagVectors: a vector holds nan or infinity");
}

TagVectors formula_tag_vectors(std::vector<std::string> tags, int64_t dim, uint64_t seed) {
  VMR_CHECK(dim >= 1, "formula_tag_vectors: dim must be at least 1, got ", dim);
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  TagVectors result;
  result.vectors = at::empty({static_cast<int64_t>(tags.size()), dim}, at::kFloat);
  auto* row = result.vectors.mutable_data_ptr<float>();
  std::vector<int> sums(static_cast<size_t>(dim));
  for (const auto& tag : tags) {
    const std::string hash = hash_text(tag);
    RandomStream random({seed, static_cast<uint64_t>(Purpose::tag_vector),
                         std::stoull(hash.substr(0, 16), nullptr, 16),
                         std::stoull(hash.substr(16), nullptr, 16)});
    int64_t squares = 0;
    for (auto& sum : sums) {
      int ones = 0;
      for (int word = 0; word < 4; ++word) ones += std::popcount(random.next());
      sum = 2 * ones - 256;
      squares += int64_t{sum} * sum;
    }
    // A zero vector needs every sum to be 0: possible for tiny dims only.
    if (squares == 0) squares = sums[0] = 1;
    const double norm = std::sqrt(static_cast<double>(squares));
    for (const int sum : sums) *row++ = static_cast<float>(sum / norm);
  }
  result.tags = std::move(tags);
  return result;
}

}  // namespace vmr::data
