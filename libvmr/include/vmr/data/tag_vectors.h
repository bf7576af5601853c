// One fixed vector per tag, the text side of tag-guided models: either sentence embeddings made
// elsewhere or, where no text model is at hand, vectors from a formula. A formula vector depends on
// its tag, the dimension and the seed alone, so adding a tag moves no other, and it has the same
// bits on every machine. Plain values: safe to share between threads for reading.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmr::data {

struct TagVectors {
  std::vector<std::string> tags;  // sorted, distinct
  at::Tensor vectors;             // [tags, dim] float32, row i belongs to tags[i]

  bool empty() const { return tags.empty(); }
  int64_t dim() const { return vectors.defined() ? vectors.size(1) : 0; }
  // Position of a tag, the class of its films; empty where absent.
  std::optional<int64_t> find(const std::string& tag) const;
};

// Throws InvalidArgument unless tags are sorted and distinct with one finite float32 row each.
void validate(const TagVectors& vectors);

// Unit vectors in directions that are uniform to within sampling error: two of them have an
// expected dot product of 0 with standard deviation 1/sqrt(dim). Component i before normalisation
// is the sum of 256 random signs (a Gaussian to 1 % of kurtosis, exact in integers) from a
// counter-based generator keyed by SHA-256 of the tag, the seed and i. `tags` may come in any order
// and repeat.
// Throws: InvalidArgument for dim < 1.
TagVectors formula_tag_vectors(std::vector<std::string> tags, int64_t dim = 768, uint64_t seed = 0);

}  // namespace vmr::data
