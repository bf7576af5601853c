"""What all peer scripts share: one thread unless said, timing, and Google Benchmark's report.

A case has the name, the threads and the unit of the case of ../bench_<topic>.cpp. Several tools may
report the same case; `vmr bench` compares with the fastest.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import warnings

# Before numpy, torch and OpenCV are imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, os.environ.get("VMR_PEER_THREADS", "1"))
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "threads;1")

MEDIA = pathlib.Path(tempfile.gettempdir()) / "vmr_bench_media_2"
FFMPEG = shutil.which("ffmpeg")
_cases = []
warnings.filterwarnings("ignore")  # librosa, of its own second way to read m4a


def measure(case, peer, unit, items, work, threads=1, seconds=0.5, warm_up=True, figures=None):
    """Calls `work` once to warm up, then for `seconds` at least; the rate is items per second.

    figures: from what `work` returns to {name: quality}. A list of cases are cases of ours that are
    compared with the same work.
    """
    if warm_up:
        work()
    calls, start = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - start < seconds:
        result = work()
        calls += 1
    rate = items * calls / (time.perf_counter() - start)
    report([case] if isinstance(case, str) else case, peer, unit, rate, figures(result) if figures else {},
           threads)


def report(cases, peer, unit, rate, figures, threads=1):
    """A rate that was measured elsewhere."""
    quality = {f"figure:{name}": value for name, value in figures.items()}
    for name in cases:
        _cases.append({"name": f"{name}/threads:{threads}", "label": unit, "items_per_second": rate,
                       "peer": peer} | quality)


def optional(module):
    """The module, or None where it is not installed or does not load."""
    try:
        return __import__(module)
    except Exception as error:  # a missing shared library is no ImportError everywhere
        print(f"{module} left out: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def finish():
    json.dump({"benchmarks": _cases}, sys.stdout, indent=1)
    print()
