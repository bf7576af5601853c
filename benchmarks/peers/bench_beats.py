"""librosa's beat tracker at its own rate of 22050 Hz on the songs of bench_beats.cpp."""

from peer import MEDIA, finish, measure

import json

import librosa


def f_measure(truth, found):
    truth, found = [t for t in truth if t >= 5], [t for t in found if t >= 5]
    i = j = hits = 0
    while i < len(truth) and j < len(found):
        if abs(truth[i] - found[j]) <= 0.07:
            hits, i, j = hits + 1, i + 1, j + 1
        elif truth[i] < found[j]:
            i += 1
        else:
            j += 1
    return 2 * hits / (len(truth) + len(found)) if truth or found else 1


paths = sorted(MEDIA.glob("song_*.wav"))
songs = [librosa.load(path, sr=22050)[0] for path in paths]
truth = [json.loads(path.with_suffix(".json").read_text())["beats"] for path in paths]


def track():
    return [librosa.beat.beat_track(y=song, sr=22050, units="time")[1] for song in songs]


def quality(found):
    return {"F": sum(map(f_measure, truth, found)) / len(songs)}


measure(["24 songs", "24 songs, reference mode"], f"librosa {librosa.__version__}", "x real time",
        sum(map(len, songs)) / 22050, track, seconds=0, figures=quality)
finish()
