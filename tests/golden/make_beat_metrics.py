"""Golden values for tests/eval/beat_metrics_test.cpp: usage make_beat_metrics.py OUT.json

mir_eval.beat.evaluate on beats that are right, shaken, off, at other metrical levels, missing,
random, few or none, and of down-beats alone, with the first 5 s left out and with nothing left out;
tempi as numpy's median tells them; accuracies of tempi as hits of mir_eval.tempo.detection, which knows
one reference at a time: of the true tempo, and of it and its double, half, triple and third.
"""
import json
import sys
import warnings

import mir_eval
import numpy as np

warnings.filterwarnings("ignore")
rng = np.random.default_rng(5)
steady = 0.43 + 0.512 * np.arange(60)
drifting = 0.9 + np.cumsum(0.47 * (1 + 0.2 * np.sin(np.arange(70) / 11)))


def shaken(beats, deviation):
    return np.sort(beats + rng.normal(0, deviation, len(beats)))


def between(beats):
    return (beats[1:] + beats[:-1]) / 2


def multiplied(beats, factor):
    return np.interp(np.arange(0, len(beats) - 1 + 1e-9, 1 / factor), np.arange(len(beats)), beats)


cases = {
    "equal": (steady, steady),
    "within_the_window": (steady, steady + 0.0699),
    "beyond_the_window": (steady, steady + 0.0701),
    "shaken_20_ms": (steady, shaken(steady, 0.02)),
    "shaken_60_ms": (drifting, shaken(drifting, 0.06)),
    "shaken_200_ms": (drifting, shaken(drifting, 0.2)),
    "off_beat": (steady, between(steady)),
    "off_beat_shaken": (drifting, shaken(between(drifting), 0.02)),
    "double": (drifting, multiplied(drifting, 2)),
    "double_shaken": (drifting, shaken(multiplied(drifting, 2), 0.015)),
    "triple": (steady, multiplied(steady, 3)),
    "half_odd": (drifting, drifting[::2]),
    "half_even": (steady, steady[1::2]),
    "third": (steady, steady[::3]),
    "two_against_three": (steady, multiplied(steady, 1.5)),
    "drops_out": (drifting, np.concatenate([drifting[:30], drifting[41:]])),
    "wrong_tempo": (steady, 0.2 + 0.47 * np.arange(66)),
    "changes_level": (steady, np.concatenate([steady[:25], multiplied(steady[25:], 2)])),
    "changes_phase": (steady, np.concatenate([steady[:20], between(steady[19:])])),
    "begins_late": (drifting, drifting[25:]),
    "begins_early": (drifting[20:], drifting),
    "begins_early_shaken": (drifting[20:50], shaken(drifting, 0.03)),
    "random": (steady, np.sort(rng.uniform(0, 31, 55))),
    "random_dense": (drifting, np.sort(rng.uniform(0, 34, 240))),
    "random_both": (np.sort(rng.uniform(0, 40, 90)), np.sort(rng.uniform(0, 40, 80))),
    "twice_the_same": (steady, np.sort(np.concatenate([steady, steady[10:15]]))),
    "twice_the_same_truth": (np.sort(np.concatenate([steady, steady[30:32]])), shaken(steady, 0.01)),
    "found_none": (steady, np.array([])),
    "true_none": (np.array([]), steady),
    "both_none": (np.array([]), np.array([])),
    "found_one": (steady, np.array([steady[20]])),
    "true_one": (np.array([12.0]), steady),
    "both_one": (np.array([12.0]), np.array([12.03])),
    "found_two": (steady, steady[20:22]),
    "true_two": (np.array([11.0, 11.6]), np.array([11.01, 11.59, 12.2])),
    "true_three": (np.array([11.0, 11.6, 12.1]), np.array([10.4, 11.01, 11.59, 12.2])),
    "all_before_5_s": (np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])),
    "down_beats_shaken": (drifting[::4], shaken(drifting, 0.03)[::4]),
    "down_beats_a_beat_late": (steady[::4], steady[1::4]),
    "down_beats_of_half_bars": (steady[::4], steady[::2]),
    "down_beats_of_three_for_four": (drifting[::4], drifting[::3]),
    "down_beats_slip": (steady[::4], np.concatenate([steady[:24:4], steady[26::4]])),
}
# True tempo, found tempo, tolerance: on and beside the edges, at other levels.
tempi = [(100.0, found, 0.04) for found in (100, 104, 104.01, 96, 95.99, 0, 150, 66.5, 25, 400)]
tempi += [(97.3, 97.3 * factor * (1 + off), 0.04)
          for factor in (2, 0.5, 3, 1 / 3, 1.5) for off in (-0.041, -0.039, 0.0, 0.039, 0.041)]
tempi += [(88.0, 88 * factor, 0.08) for factor in (1.079, 1.081, 0.921, 0.919, 2.15, 2.17)]
NAMES = {
    "F-measure": "f_measure", "Cemgil": "cemgil", "Cemgil Best Metric Level": "cemgil_best",
    "Correct Metric Level Continuous": "correct_continuous", "Correct Metric Level Total": "correct_total",
    "Any Metric Level Continuous": "any_continuous", "Any Metric Level Total": "any_total",
    "Information gain": "information_gain",
}


def scores(truth, found, skip):
    # Goto's score and the P-score, which libvmr lacks, fail on few beats: each metric by itself.
    truth, found = (mir_eval.beat.trim_beats(beats, skip) for beats in (truth, found))
    cemgil = mir_eval.beat.cemgil(truth, found)
    continuity = mir_eval.beat.continuity(truth, found)
    values = [mir_eval.beat.f_measure(truth, found), *cemgil, *continuity,
              mir_eval.beat.information_gain(truth, found)]
    return dict(zip(NAMES.values(), map(float, values)))


def tempo(beats):
    return float(60 / np.median(np.diff(beats))) if len(beats) > 1 else 0.0


def hit(truth, found, tolerance):
    # The second tempo of mir_eval's pairs is left out: weight 1 on the first.
    return mir_eval.tempo.detection(np.array([truth, 0.0]), 1.0, np.array([found, found]), tol=tolerance)[0] > 0


def tempo_case(truth, found, tolerance):
    return {"truth": truth, "found": float(found), "tolerance": tolerance,
            "accuracy_1": bool(hit(truth, found, tolerance)),
            "accuracy_2": any(bool(hit(truth * factor, found, tolerance)) for factor in (1, 2, 1 / 2, 3, 1 / 3))}


evaluated = mir_eval.beat.evaluate(*cases["shaken_60_ms"])
assert {NAMES[k]: float(v) for k, v in evaluated.items() if k in NAMES} == scores(*cases["shaken_60_ms"], 5)
document = {
    "versions": {"mir_eval": mir_eval.__version__, "numpy": np.__version__},
    "cases": [{"name": name, "truth": truth.tolist(), "found": found.tolist(),
               "true_bpm": tempo(truth), "found_bpm": tempo(found),
               "skipped_5_s": scores(truth, found, 5.0), "whole": scores(truth, found, 0.0)}
              for name, (truth, found) in cases.items()],
    "tempi": [tempo_case(*one) for one in tempi],
}
with open(sys.argv[1], "w") as out:
    json.dump(document, out, indent=None, separators=(",", ":"))
    out.write("\n")
