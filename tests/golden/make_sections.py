#!/usr/bin/env python3
"""Golden novelty of tests/audio/sections_test.cpp: the whole matrix of cosines and the whole
checkerboard kernel, summed entry by entry, where the library sums rows.

  make_sections.py OUT.json   (needs numpy)
"""
import json
import sys

import numpy as np

from signals import noise

FRAMES, DIMS, HALF = 40, 5, 8


def frames():
    """Two parts of 22 and 18 frames around means of their own; frame 5 is empty."""
    values = noise(FRAMES * DIMS, 3).reshape(FRAMES, DIMS)
    values[:22, 0] += 1.5
    values[22:, 1] -= 1.5
    values[5] = 0
    return values.astype(np.float32).astype(np.float64)


def novelty(values, half):
    lengths = np.linalg.norm(values, axis=1)
    cosines = np.zeros((len(values), len(values)))
    for i in range(len(values)):
        for j in range(len(values)):
            if lengths[i] > 0 and lengths[j] > 0:
                cosines[i, j] = values[i] @ values[j] / (lengths[i] * lengths[j])
    result = [0.0]
    for i in range(1, len(values)):
        places = [a for a in range(-half, half) if 0 <= i + a < len(values)]
        weight = {a: np.exp(-2 * ((a + 0.5) / half) ** 2) for a in places}
        for side in (lambda a: a < 0, lambda a: a >= 0):
            total = sum(weight[a] for a in places if side(a))
            weight.update({a: weight[a] / total for a in places if side(a)})
        total = 0.0
        for a in places:
            for b in places:
                sign = 1 if (a < 0) == (b < 0) else -1
                total += sign * weight[a] * weight[b] * cosines[i + a, i + b] / 4
        result.append(total)
    return result


with open(sys.argv[1], "w") as out:
    json.dump({"numpy": np.__version__, "novelty": novelty(frames(), HALF)}, out, indent=1)
    out.write("\n")
