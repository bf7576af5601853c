#!/usr/bin/env python3
"""Golden onset curves of our beat tracker: make_beat_bands.py OUT.json (needs librosa 0.10 or later)

A spectrogram in decibels that is a formula, the same in tests/audio/beat_bands_test.cpp; the rises of
its bands by librosa.onset.onset_strength_multi (Boeck and Widmer's, lag 2, neighbours 3 wide); the
norm, which librosa lacks, written out in numpy. Every STEP-th frame is stored.
"""
import json
import sys

import librosa
import numpy as np

from signals import noise

FRAMES, STEP = 1000, 7
MEL_HZ = [100, 150, 250, 500, 900, 1500, 2000, 2300, 3000, 4000, 5500, 7000]
LOW, MIDDLE = 2, 7  # bands below 190 and 2100 Hz
MELS = len(MEL_HZ)

decibels = (-50 + 45 * noise(FRAMES * MELS, 3)).astype(np.float32).reshape(FRAMES, MELS).T
floor = decibels.max() - 60
values = np.maximum(decibels, floor) - floor


def rises(spectrum, max_size, channels):
    return librosa.onset.onset_strength_multi(S=spectrum.astype(np.float64), sr=16000, hop_length=160, lag=2,
                                              max_size=max_size, channels=channels, center=False, detrend=False,
                                              aggregate=np.mean)


def normalised(curve):
    def near(values, t, reach):
        return values[max(0, t - reach):t + reach + 1].mean()

    quiet = 0.05 * np.mean(curve ** 2) + 1e-9
    return [max(0.0, curve[t] - near(curve, t, 50)) / np.sqrt(near(curve ** 2, t, 400) + quiet)
            for t in range(len(curve))]


low, mid, high = rises(values, 3, [0, LOW, MIDDLE, MELS])
loud = rises(10 ** (values / 40), 1, [0, MELS])[0] * MELS
curves = {"low": low, "mid": mid, "high": high, "all": 0.3 * low + mid + 0.7 * high, "loud": loud}
document = {
    "versions": {"librosa": librosa.__version__, "numpy": np.__version__},
    "step": STEP,
    "curves": {name: [round(v, 6) for v in normalised(curve)[::STEP]] for name, curve in curves.items()},
}
with open(sys.argv[1], "w") as out:
    json.dump(document, out, separators=(",", ":"))
    out.write("\n")
