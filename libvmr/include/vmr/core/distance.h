// Distance: how two vectors are compared, in losses and in retrieval. A plain value.
#pragma once

namespace vmr {

enum class Distance {
  cosine,  // of unit vectors: by their product
  l2,      // by the Euclidean length of their difference
};

}  // namespace vmr
