#!/usr/bin/env python3
"""fit_beat_weights.py CUES.jsonl [--ridge R]: the weights of the beat tracker's cues.

Multinomial logistic regression: of the hypotheses of a song the chosen one should be right. Right is
soft, (F / best F of the song)^6, so that two chains that differ by a beat share the blame. The loss
is the mean over songs of -log sum p_i right_i plus the ridge on standardised cues; each make of songs
weighs as much as any other, bare clicks too. Prints mean F of what is chosen, by weights fitted on the
other folds and, group by group, on the songs outside of the group: how far the weights carry to songs of
another make, tempo, metre, instruments. Then the table as libvmr/src/audio/beat_evidence.cpp has it.

Needs numpy and scipy. CUES.jsonl: by beat_cues. Songs without any hypothesis of F > 0.6 are left out.
"""
import argparse
import collections
import json
import platform

import numpy as np
import scipy
from scipy.optimize import minimize

LEAST_F = 0.6
SHARPNESS = 6
FOLDS = 6
SEED = 1
TEMPI = (0, 80, 110, 150, 1000)
# Tags that do not name what plays.
TREATMENTS = {"band", "compound", "expressive", "fade", "fast", "fluidsynth", "medium", "mp3", "noise", "pause",
              "quiet", "ramp", "slow", "step", "swung", "syncopation"}


class Song:
    def __init__(self, line):
        self.name, self.make = line["make"] + "/" + line["name"], line["make"]
        self.f, self.cues = np.array(line["f"]), np.array(line["cues"])
        self.right = np.maximum(self.f, 1e-3) ** SHARPNESS / self.f.max() ** SHARPNESS
        metre = [tag for tag in line["tags"] if tag.startswith("metre_")]
        plays = [tag for tag in line["tags"]
                 if tag not in TREATMENTS and not tag.startswith(("metre_", "chords_"))]
        tempo = np.searchsorted(TEMPI, line["true_bpm"], side="right")
        self.groups = {"make": self.make, "metre": metre[0],
                       "tempo": f"{TEMPI[tempo - 1]:3d} to {TEMPI[tempo]}",
                       "instruments": self.make + " " + plays[-1]}


def read(paths):
    names, songs, left_out = None, [], 0
    for path in paths:
        with open(path) as file:
            header = json.loads(next(file))["cues"]
            assert names in (None, header), f"{path} has other cues; run beat_cues again"
            names = header
            for line in map(json.loads, file):
                if line["f"] and max(line["f"]) > LEAST_F:
                    songs.append(Song(line))
                else:
                    left_out += 1
    return names, songs, left_out


def fit(songs, ridge):
    """Weights of the cues as they are, [cues]."""
    counts = np.array([len(song.f) for song in songs])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of_song = np.repeat(np.arange(len(songs)), counts)
    cues = np.concatenate([song.cues for song in songs])
    scale = cues.std(0) + 1e-6
    x = (cues - cues.mean(0)) / scale
    right = np.concatenate([song.right for song in songs])
    of_make = collections.Counter(song.make for song in songs)
    share = np.array([1 / of_make[song.make] for song in songs])
    share /= share.sum()

    def loss(weights):
        z = x @ weights
        p = np.exp(z - np.maximum.reduceat(z, first)[of_song])
        p /= np.add.reduceat(p, first)[of_song]
        hit = np.add.reduceat(p * right, first)
        pull = (p * right / hit[of_song] - p) * share[of_song]
        return -(share * np.log(hit)).sum() + ridge * weights @ weights, 2 * ridge * weights - pull @ x

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return found.x / scale


def chosen(songs, weights):
    return np.array([song.f[(song.cues @ weights).argmax()] for song in songs])


def mean_by_make(songs, values):
    makes = sorted({song.make for song in songs})
    return "  ".join(f"{make} {np.mean([v for s, v in zip(songs, values) if s.make == make]):.4f}" for make in makes)


def by_folds(songs, ridge):
    fold = np.random.RandomState(SEED).permutation(len(songs)) % FOLDS
    values = np.zeros(len(songs))
    for k in range(FOLDS):
        test = np.flatnonzero(fold == k)
        weights = fit([song for song, f in zip(songs, fold) if f != k], ridge)
        values[test] = chosen([songs[i] for i in test], weights)
    return values


def report_groups(songs, ridge, everything):
    """Leave one group out: F there by weights of the others, against F by the weights of all."""
    for kind in ("make", "tempo", "metre", "instruments"):
        print(f"\nleft out: one {kind}\n{'':28s}songs  without it  with it  best")
        for group in sorted({song.groups[kind] for song in songs}):
            inside = [song for song in songs if song.groups[kind] == group]
            outside = [song for song in songs if song.groups[kind] != group]
            print(f"{group:28s}{len(inside):5d}  {chosen(inside, fit(outside, ridge)).mean():10.4f}"
                  f"  {chosen(inside, everything).mean():7.4f}  {np.mean([s.f.max() for s in inside]):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cues", nargs="+")
    parser.add_argument("--ridge", type=float, default=0.0005)
    options = parser.parse_args()
    names, songs, left_out = read(options.cues)
    print(f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}; ridge "
          f"{options.ridge}, {FOLDS} folds of seed {SEED}; {len(songs)} songs, {left_out} left out")
    weights = fit(songs, options.ridge)
    print("songs by make:", dict(collections.Counter(song.make for song in songs)))
    print("\nmean F of\nbest          ", mean_by_make(songs, [song.f.max() for song in songs]))
    print("all songs     ", mean_by_make(songs, chosen(songs, weights)))
    print("other folds   ", mean_by_make(songs, by_folds(songs, options.ridge)))
    report_groups(songs, options.ridge, weights)
    print("\nconstexpr std::array<Cue, kCues> kTable{{")
    for name, weight in zip(names, weights):
        print(f'    {{"{name}", {weight:.3g}}},')
    print("}};")


if __name__ == "__main__":
    main()
