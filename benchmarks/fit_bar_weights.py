#!/usr/bin/env python3
"""fit_bar_weights.py CUES.jsonl... [--ridge R]: the weights of what tells the first beat of a bar.

Multinomial logistic regression over the bars of 2 to 7 beats from any beat on, 27 of a song: the chosen ones should
be right. Right is soft, (F of their first beats / best F of the song)^6. A bar's logarithmic odds are the weighed means
of cue times template (libvmr/src/audio/beat_bars.h) and what its metre has in advance. The loss is the mean over songs
of -log sum p_i right_i plus the ridge on standardised cues; each make of songs weighs as much as any other. Songs come
by their true beats and by those that the tracker hears. Prints mean F of what is chosen, bars of one length throughout,
also by weights fitted on the other makes; then the tables as libvmr/src/audio/beat_bars.cpp has them.

Needs numpy and scipy. CUES.jsonl: by beat_cues. Where no bars have F > 0.6 nothing is learnt; F counts them.
"""
import argparse
import json
import platform

import numpy as np
import scipy

import fit_beat_weights

LEAST_F = 0.6
SHARPNESS = 6
METRES = np.arange(2, 8)


class Song:
    def __init__(self, make, bars):
        self.make, self.beats = make, bars["beats"]
        self.f = np.array(bars["f"])
        metre = np.array(bars["metre"])[:, None] == METRES
        self.cues = np.concatenate([bars["cues"], metre], axis=1)
        self.right = np.maximum(self.f, 1e-3) ** SHARPNESS / max(self.f.max(), 1e-3) ** SHARPNESS


def read(paths):
    names, songs = None, []
    for path in paths:
        with open(path) as file:
            header = json.loads(next(file))["bar_cues"]
            assert names in (None, header), f"{path} has other cues; run beat_cues again"
            names = header
            for line in map(json.loads, file):
                songs += [Song(line["make"], bars) for bars in line["bars"]]
    return names, songs


def fit(songs, ridge):
    """Weights of the cues as they are and of the metres, [cues + metres]."""
    return fit_beat_weights.fit([song for song in songs if song.f.max() > LEAST_F], ridge)


def chosen(songs, weights):
    return np.mean([song.f[(song.cues @ weights).argmax()] for song in songs])


def report_makes(songs, ridge, everything):
    print(f"\n{'make':12s}{'beats':8s}songs   F: without the make  with it   best")
    for make in sorted({song.make for song in songs}):
        others = fit([song for song in songs if song.make != make], ridge)
        for beats in ("true", "heard"):
            inside = [song for song in songs if song.make == make and song.beats == beats]
            print(f"{make:12s}{beats:8s}{len(inside):5d}{chosen(inside, others):22.3f}{chosen(inside, everything):9.3f}"
                  f"{np.mean([song.f.max() for song in inside]):7.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cues", nargs="+")
    parser.add_argument("--ridge", type=float, default=0.02)
    options = parser.parse_args()
    names, songs = read(options.cues)
    print(f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}; ridge "
          f"{options.ridge}; {len(songs)} songs by true or heard beats")
    weights = fit(songs, options.ridge)
    report_makes(songs, options.ridge, weights)
    print("\nconstexpr std::array<Cue, kBarCues> kTable{{")
    for name, weight in zip(names, weights):
        print(f'    {{"{name}", {weight:.3g}}},')
    in_advance = ", ".join(f"{weight:.2f}" for weight in weights[len(names):])
    print("}};\nconstexpr std::array<double, kLongestBar + 1> kInAdvance{0, 0, " + in_advance + "};")


if __name__ == "__main__":
    main()
