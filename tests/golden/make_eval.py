"""Golden values for tests/eval: usage make_eval.py OUT.json

Ranks by scipy.stats.rankdata, NDCG and average precision by scikit-learn, chance by the
hypergeometric distribution, the exact sign-flip test by scipy.stats.permutation_test, bootstrap
percentiles by numpy.quantile over draws of the same generator (SplitMix64), written out here.
"""
import json
import sys

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn.metrics import average_precision_score, ndcg_score

QUERIES, GALLERY, TRACKS, KS = 14, 11, 5, [1, 3, 5, 10, 25]
rng = np.random.default_rng(7)
scores = np.round(rng.normal(size=(QUERIES, GALLERY)), 3)
gallery_groups = rng.permutation(np.arange(GALLERY) % TRACKS)
query_groups = rng.integers(0, TRACKS, QUERIES)
relevant = query_groups[:, None] == gallery_groups[None, :]

first = []
for row, mask in zip(scores, relevant):
    ranks = scipy.stats.rankdata(-row, method="ordinal")
    first.append(int(ranks[mask].min()))
first = np.array(first)


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def below(self, n):
        limit = ((1 << 64) - 1) // n * n
        value = self.next()
        while value >= limit:
            value = self.next()
        return value % n


def bootstrap(values, labels, resamples, seed):
    order = list(dict.fromkeys(labels.tolist()))
    groups = [values[labels == c] for c in order]
    generator = SplitMix64(seed)
    means = []
    for _ in range(resamples):
        drawn = np.concatenate([groups[generator.below(len(groups))] for _ in groups])
        means.append(drawn.mean())
    return [float(np.mean(values)), *map(float, np.quantile(means, [0.025, 0.975]))]


a = rng.normal(0.4, 1, QUERIES)
b = rng.normal(0.0, 1, QUERIES)
difference = np.array([(a - b)[query_groups == c].sum() for c in dict.fromkeys(query_groups.tolist())])
exact = scipy.stats.permutation_test(
    (difference,), lambda x: np.abs(np.sum(x)), permutation_type="samples",
    n_resamples=np.inf, alternative="greater")

chance = {}
for n, r, k in [(10, 1, 1), (1000, 7, 25), (2000, 1, 10), (5000, 40, 100), (12, 8, 5)]:
    chance[f"{n},{r},{k}"] = float(scipy.stats.hypergeom.sf(0, n, r, k))

document = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__},
    "ks": KS,
    "scores": scores.tolist(),
    "query_groups": query_groups.tolist(),
    "gallery_groups": gallery_groups.tolist(),
    "first_ranks": first.tolist(),
    "hit_rate": [float(np.mean(first <= k)) for k in KS],
    "median_rank": float(np.median(first)),
    "mean_rank": float(np.mean(first)),
    "mean_log_rank": float(np.mean(np.log(first))),
    "mrr": float(np.mean(1 / first)),
    "ndcg": [float(ndcg_score(relevant.astype(float), scores, k=k)) for k in KS],
    "average_precision": float(np.mean([average_precision_score(m, s) for m, s in zip(relevant, scores)])),
    "bootstrap": bootstrap((first <= 3).astype(float), query_groups, 300, 11),
    "paired": {"a": a.tolist(), "b": b.tolist(), "difference": float(np.mean(a - b)),
               "p_value": float(exact.pvalue)},
    "chance": chance,
}
with open(sys.argv[1], "w") as out:
    json.dump(document, out, indent=1)
    out.write("\n")
