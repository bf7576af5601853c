"""Beats of WAV files by madmom: [{"beats", "seconds" of music, "took" seconds}] as JSON.

Run by bench_beats.py with an interpreter of madmom's own, because madmom 0.16 is older than Python
3.10 and numpy 1.24: what it misses of them is put back.
"""

import collections
import collections.abc
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
for name in ("MutableSequence", "Iterable", "Sequence", "Mapping"):
    setattr(collections, name, getattr(collections.abc, name))

from madmom.audio.signal import Signal
from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor

networks, bars = RNNBeatProcessor(), DBNBeatTrackingProcessor(fps=100)
results = []
for path in sys.argv[1:]:
    signal = Signal(path, num_channels=1)
    start = time.perf_counter()
    beats = bars(networks(signal))
    results.append({"beats": [float(beat) for beat in beats], "seconds": signal.length,
                    "took": time.perf_counter() - start})
json.dump(results, sys.stdout)
