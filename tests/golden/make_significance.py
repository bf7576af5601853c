#!/usr/bin/env python3
"""Golden values for tests/eval/significance_test.cpp: make_significance.py OUT.json

Needs numpy, scipy and statsmodels. Exact p-values and those within the power's resamples are
scipy.stats.permutation_test's, Holm's correction is statsmodels', percentiles are numpy.quantile's;
draws come from the same generator (SplitMix64), written out here.
"""
import json
import sys

import numpy as np
import scipy
import scipy.stats
import statsmodels
from statsmodels.stats.multitest import multipletests

ALPHA = 0.05


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


def exact_p(sums):
    return float(scipy.stats.permutation_test(
        (sums,), lambda x, axis: np.abs(np.sum(x, axis=axis)), permutation_type="samples",
        n_resamples=np.inf, alternative="greater", vectorized=True).pvalue)


def drawn_p(sums, permutations, seed):
    """(b + 1) / (m + 1) over sign patterns taken bit by bit from the generator's words."""
    generator, extreme = SplitMix64(seed), 0
    threshold = abs(sums.sum()) - 1e-12 * np.abs(sums).sum()
    for _ in range(permutations):
        words = [generator.next() for _ in range((len(sums) + 63) // 64)]
        signs = np.array([-1 if words[i // 64] >> (i % 64) & 1 else 1 for i in range(len(sums))])
        extreme += abs((signs * sums).sum()) >= threshold
    return (1 + int(extreme)) / (1 + permutations)


def p_value(sums, permutations, seed):
    return exact_p(sums) if 2 ** len(sums) <= permutations else drawn_p(sums, permutations, seed)


def comparison(rng, clusters, seeds_a, seeds_b, effect, permutations, resamples, seed):
    queries = len(clusters)
    a = rng.normal(effect, 1, (seeds_a, queries)).round(3)
    b = rng.normal(0, 1, (seeds_b, queries)).round(3)
    difference = a.mean(0) - b.mean(0)
    order = list(dict.fromkeys(clusters.tolist()))
    groups = [difference[clusters == c] for c in order]
    sums = np.array([g.sum() for g in groups])

    generator, means = SplitMix64(seed), []
    for _ in range(resamples):
        means.append(np.concatenate([groups[generator.below(len(groups))] for _ in groups]).mean())
    return {"a": a.tolist(), "b": b.tolist(), "clusters": clusters.tolist(), "seed": seed,
            "permutations": permutations, "resamples": resamples, "mean_a": float(a.mean()),
            "mean_b": float(b.mean()), "exact": 2 ** len(sums) <= permutations,
            "difference": [float(difference.mean()), *map(float, np.quantile(means, [0.025, 0.975]))],
            "p_value": p_value(sums, permutations, seed)}


def family(rng, clusters, effects, permutations, power_resamples, seed):
    """Claims about systems over the same clusters; each resample draws these once for all."""
    order = list(dict.fromkeys(clusters.tolist()))
    values = rng.normal(0, 1, (len(effects), len(clusters))) + np.array(effects)[:, None]
    values = values.round(3)
    sums = np.array([[v[clusters == c].sum() for c in order] for v in values])

    def held(sums, seeds):
        p = [p_value(s, permutations, seed) for s, seed in zip(sums, seeds)]
        return p, (multipletests(p, method="holm")[1] < ALPHA) & (sums.sum(1) > 0)

    generator, times = SplitMix64(seed), np.zeros(len(effects))
    for _ in range(power_resamples):
        places = [generator.below(len(order)) for _ in order]
        times += held(sums[:, places], [generator.next() for _ in effects])[1]
    return {"values": values.tolist(), "clusters": clusters.tolist(), "seed": seed,
            "permutations": permutations, "power_resamples": power_resamples,
            "holds": held(sums, [seed] * len(effects))[1].tolist(),
            "power": (times / power_resamples).tolist()}


rng = np.random.default_rng(23)
p_values = [0.012, 0.2, 0.003, 0.04, 0.04, 0.9, 0.001]
document = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__,
                 "statsmodels": statsmodels.__version__},
    "comparisons": [
        # 9 clusters of 1 to 4 queries: all 512 patterns.
        comparison(rng, rng.permutation(np.repeat(np.arange(9) * 3, [1, 4, 2, 3, 1, 2, 4, 1, 2])),
                   3, 2, 0.7, 1000, 300, 11),
        # 70 clusters: 400 drawn patterns, two words each.
        comparison(rng, rng.permutation(np.concatenate([np.arange(70), np.arange(20)])),
                   1, 2, 0.25, 400, 200, 4),
    ],
    "families": [
        # A strong claim, middling ones and the reverse of one, all 512 patterns.
        family(rng, rng.permutation(np.repeat(np.arange(9) * 3, [1, 4, 2, 3, 1, 2, 4, 1, 2])),
               [1.2, 0.8, -1.0, 0.6], 1000, 100, 3),
        # 70 clusters: 400 drawn patterns.
        family(rng, rng.permutation(np.concatenate([np.arange(70), np.arange(20)])),
               [0.45, 0.3, -0.4], 400, 60, 8),
        family(rng, np.arange(40), [0.4], 400, 60, 5),
    ],
    "holm": {"p_values": p_values,
             "adjusted": multipletests(p_values, method="holm")[1].tolist()},
}
with open(sys.argv[1], "w") as out:
    json.dump(document, out, separators=(",", ":"))
    out.write("\n")
