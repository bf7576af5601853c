#!/usr/bin/env python3
"""fit_beat_pulse.py CUES.jsonl: the beat tracker's probability of a pulse.

Logistic regression on ln(salience + 0.1) and grid of each second: is it of music or not. Music as a whole counts
MUSIC times what is none, since a second that is refused costs more than one that gets beats. Prints, by weights of
all makes and by those of the others, the share of each make's seconds that has a pulse, and the constants as
libvmr/src/audio/beat_pulse.cpp has them.

Needs numpy. CUES.jsonl: by beat_pulse_cues.
"""
import argparse
import json
import platform

import numpy as np

MUSIC = 3
SALIENCE_FLOOR = 0.1
RIDGE = 5e-5  # on standardised cues, the loss being a mean


def read(paths):
    """Per make: whether it is music, and [seconds, 3] cues with a column of ones."""
    makes = {}
    for path in paths:
        with open(path) as file:
            for line in map(json.loads, file):
                cues = np.array(line["cues"]).reshape(-1, 2)
                music, rows = makes.setdefault(line["make"], (line["music"], []))
                assert music == line["music"], f"{line['make']} has sounds with beats and without"
                rows.append(np.stack([np.log(cues[:, 0] + SALIENCE_FLOOR), cues[:, 1], np.ones(len(cues))], 1))
    return {make: (music, np.concatenate(rows)) for make, (music, rows) in makes.items()}


def probability(cues, weights):
    return 1 / (1 + np.exp(-cues @ weights))


def fit(makes):
    """Newton's method on the weights of standardised cues; returns those of the cues as they are."""
    cues = np.concatenate([rows for _, rows in makes.values()])
    music = np.concatenate([np.full(len(rows), float(is_music)) for is_music, rows in makes.values()])
    share = np.where(music, MUSIC / music.sum(), 1 / (1 - music).sum()) / (1 + MUSIC)
    mean, scale = cues.mean(0), cues.std(0)
    mean[-1], scale[-1] = 0, 1
    x = (cues - mean) / scale
    ridge = RIDGE * np.array([1, 1, 0])
    weights = np.zeros(3)
    for _ in range(100):
        p = probability(x, weights)
        slope = x.T @ (share * (p - music)) + ridge * weights
        bend = (x.T * (share * p * (1 - p))) @ x + np.diag(ridge)
        weights -= np.clip(np.linalg.solve(bend, slope), -1, 1)
    weights = weights / scale
    weights[-1] -= (weights[:-1] * mean[:-1]).sum()
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cues", nargs="+")
    makes = read(parser.parse_args().cues)
    print(f"Python {platform.python_version()}, numpy {np.__version__}")
    weights = fit(makes)
    print("\nmake            seconds  with a pulse  by the other makes")
    for make, (_, rows) in makes.items():
        others = fit({name: value for name, value in makes.items() if name != make})
        here, there = (100 * (probability(rows, w) > 0.5).mean() for w in (weights, others))
        print(f"{make:15s} {len(rows):7d} {here:10.2f} % {there:16.2f} %")
    print(f"\nconstexpr double kSalienceWeight = {weights[0]:.3g}, kGridWeight = {weights[1]:.3g}, "
          f"kConstant = {weights[2]:.3g};")


if __name__ == "__main__":
    main()
