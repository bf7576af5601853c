// The way of a training batch through UtCmvmr's nets, once for all loss terms.
#pragma once

#include "model/ut_cmvmr_nets.h"

namespace vmr::model {

// One kind of item in every space, [batch, ...]; theta and rho unit length unless the published
// code leaves them. Undefined where the loss does not need it.
struct Path {
  at::Tensor phi;       // after the encoder
  at::Tensor attended;  // f: after cross attention
  at::Tensor raw;       // theta before it is made unit length
  at::Tensor theta, rho;
  at::Tensor rebuilt;  // phi again, from raw; of the pairs, where a term compares it
};

struct Spaces {
  Path music, video;                        // the pairs
  Path negative_music, negative_video;      // their negatives, attended with each other
  Path alone_music, alone_video;            // the pairs' items, each with the null partner
  Path mismatched_music, mismatched_video;  // music of row i attended with the film of row i - 1
  Path word, negative_word;                 // of the tags' sentence vectors
  at::Tensor sentence;                      // [batch, text_dim] as the nets see it
};

// Requires: at least two pairs. Throws: InvalidArgument for missing or ill-shaped parts of a batch.
Spaces spaces_of(UtCmvmr::Nets& nets, const data::PairBatch& batch);

}  // namespace vmr::model
