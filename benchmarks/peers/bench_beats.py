"""The field's beat trackers on the pieces of bench_beats.cpp, scored by mir_eval.

librosa at its own rate of 22050 Hz, aubio and essentia's multi-feature tracker at 44100 Hz. madmom's
networks need a second for ten of music: every seventh piece alone, as its name says in the table.
"""

from peer import MEDIA, finish, measure, optional, report

import collections
import json
import os
import pathlib
import subprocess

import librosa
import mir_eval
import numpy as np

FOLDERS = {"songs": MEDIA / "beat_songs", "grooves": MEDIA / "beat_grooves", "library songs": MEDIA,
           "sounds without beats": MEDIA / "beat_none"}
METHODS = ["tracker", "reference, as librosa 0.9", "aubio through libvmr"]


def median_tempo(beats):
    return 60 / np.median(np.diff(beats)) if len(beats) > 1 else 0


def madmom_beats(pieces):
    script = pathlib.Path(__file__).with_name("madmom_beats.py")
    command = [os.environ["VMR_MADMOM_PYTHON"], script, *(path for path, _ in pieces)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def right_tempo(truth, found, factors):
    return any(abs(found - factor * truth) <= 0.04 * factor * truth for factor in factors)


def music_figures(pieces, found):
    values = collections.defaultdict(list)
    for (_, truth), beats in zip(pieces, found):
        scores = mir_eval.beat.evaluate(np.array(truth["beats"]), np.asarray(beats))
        tempi = median_tempo(truth["beats"]), median_tempo(beats)
        values["F"].append(scores["F-measure"])
        values["CMLt"].append(scores["Correct Metric Level Total"])
        values["AMLt"].append(scores["Any Metric Level Total"])
        values["information gain"].append(scores["Information gain"])
        values["tempo 1"].append(right_tempo(*tempi, [1]))
        values["tempo 2"].append(right_tempo(*tempi, [1, 2, 1 / 2, 3, 1 / 3]))
        for tag in truth.get("tags", []):
            values["F:" + tag].append(values["F"][-1])
            values["AMLt:" + tag].append(values["AMLt"][-1])
    return {name: float(np.mean(each)) for name, each in values.items()
            if ":" not in name or len(each) >= 3}


def silent_figures(pieces, found):
    covered = total = 0
    for (path, _), beats in zip(pieces, found):
        seconds = librosa.get_duration(path=path)
        until = 0
        for beat in beats:
            start, end = max(beat - 0.5, until), min(beat + 0.5, seconds)
            covered += max(end - start, 0)
            until = max(until, end)
        total += seconds
    return {"time with beats": float(covered / total)}


def librosa_beats(samples):
    return librosa.beat.beat_track(y=samples, sr=22050, units="time")[1]


def aubio_beats(samples):
    hop = 512
    tempo = aubio.tempo("default", 1024, hop, 44100)
    blocks = np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)
    return [tempo.get_last_s() for block in blocks if tempo(block)]


def essentia_beats(samples):
    return essentia.BeatTrackerMultiFeature()(samples)[0]


aubio = optional("aubio")
essentia = optional("essentia") and __import__("essentia.standard").standard
TOOLS = [(f"librosa {librosa.__version__}", librosa_beats, 22050)]
if aubio:
    TOOLS.append((f"aubio {aubio.version}", aubio_beats, 44100))
if essentia:
    TOOLS.append(("essentia multifeature", essentia_beats, 44100))

for title, folder in FOLDERS.items():
    pieces = [(path.with_suffix(".wav"), json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    cases = [f"{len(pieces)} {title}, {method}" for method in METHODS]
    figures = silent_figures if title == "sounds without beats" else music_figures
    for tool, find, rate in TOOLS:
        samples = [librosa.load(path, sr=rate)[0] for path, _ in pieces]
        measure(cases, tool, "x real time", sum(map(len, samples)) / rate, lambda: [find(one) for one in samples],
                seconds=0, warm_up=tool.startswith("librosa"), figures=lambda found: figures(pieces, found))
    if "VMR_MADMOM_PYTHON" in os.environ:
        some = pieces[::7]
        found = madmom_beats(some)
        report(cases, "madmom 0.16.1, each 7th", "x real time",
               sum(one["seconds"] for one in found) / sum(one["took"] for one in found),
               figures(some, [one["beats"] for one in found]))
finish()
