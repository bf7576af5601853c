// What variational matching models need: Gaussian posteriors, their divergence from the prior,
// their product, samples, and the gap between a pair's score and those of other pairs. After CMVAE
// (arXiv 2107.07268). Thread-safe; no function draws random numbers.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "vmr/loss/ranking.h"

namespace vmr::loss {

// Independent normal distributions, one for each row and dimension.
struct Gaussian {
  at::Tensor mean, log_variance;  // [batch, dim] each
};

// Mean over rows of the divergence from N(0, I),
//   KL = -1/2 sum over dim (1 + log_variance - mean^2 - exp(log_variance)).
// Mean (1, 2), log variance (0, 0): 2.5. Throws: InvalidArgument for unequal or empty shapes.
at::Tensor divergence_from_prior(const Gaussian& posterior);

// mean + exp(log_variance / 2) * noise; noise [batch, dim] drawn from N(0, 1) by the caller.
at::Tensor sample(const Gaussian& distribution, const at::Tensor& noise);

// One view of an item. present [batch] bool: rows without this view; undefined = all have it.
struct Expert {
  Gaussian belief;
  at::Tensor present;
};

// The normalised product of the experts a row has: precision = [1 +] sum exp(-log_variance_i),
// mean = sum mean_i exp(-log_variance_i) / precision, log_variance = -ln precision. The 1 is there
// where `prior` is: N(0, I) is one more expert. Means 1 and 4 of variances 1 and 1/2, no prior:
// precision 3, mean 3. Throws: InvalidArgument for no expert, unequal shapes, and, without a prior,
// a row that has no expert.
Gaussian product_of_experts(const std::vector<Expert>& experts, bool prior);

// What is asked of the gaps S_ii - S_ij.
enum class GapMatching {
  hinge,    // to exceed the margin: mean of max(0, margin - S_ii + S_ij) is made small
  gap_max,  // as published: mean of max(0, S_ii - S_ij - margin) is made large, which rewards pairs
            // that are apart already and has no gradient for those that are not
};

struct GapOptions {
  GapMatching matching = GapMatching::hinge;
  double margin = 0.05;
  int64_t top = 40;  // largest values a row; more than a row has means all
};

// x, y [batch, dim], row i of x matches row i of y; S = x y^T. Per row of S (x_to_y) and of S^T
// (y_to_x) the `top` largest values, their mean over all rows, to be minimised: for gap_max it is
// negative. Columns with the row's id (ids [batch] int64, optional) and the pair itself are left
// out. Without any negative: 0. S = [[1, 0.98], [0, 1]], margin 0.05: hinge x_to_y = 0.03 / 2,
// gap_max x_to_y = -0.95 / 2. Throws: InvalidArgument as inter_modal_ranking.
RankingTerms gap_matching(const at::Tensor& x, const at::Tensor& y, const GapOptions& options = {},
                          const at::Tensor& ids = {});

}  // namespace vmr::loss
