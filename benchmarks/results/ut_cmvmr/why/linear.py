"""What linear matching finds in each set of inputs: regularised canonical correlation between means
over the clips of films and tracks, fitted on the training split, its two options chosen on the
validation split. Needs numpy.

    linear.py LIBRARY FEATURES    FEATURES/<feature>/<kind>_<id>.npy as `vmr store export` writes them
"""
import json
import sys

import numpy as np

CLIPS = 7
RHYTHM_CLASSES, FLOW_CLASSES = (18, 49, 65), 65
library, features = sys.argv[1:3]
items = [json.loads(line) for line in open(f"{library}/manifest.jsonl")]
music = {i["id"]: i for i in items if i["kind"] == "music"}
films = {i["id"]: i for i in items if i["kind"] == "film"}


def load(feature, kind, item):
    return np.load(f"{features}/{feature}/{kind}_{item}.npy")[:CLIPS]


def shares(classes, count):
    return np.eye(count)[np.clip(classes, 0, count - 1).astype(int)].mean(0)


def part(name, item):
    kind = "music" if name.startswith(("audio", "rhythm")) else "film"
    if name in ("rhythm classes", "flow classes"):
        if kind == "music":
            classes = load("rhythm", kind, item)
            return np.concatenate([shares(classes[:, j], n) for j, n in enumerate(RHYTHM_CLASSES)])
        return shares(load("clip_flow", kind, item).ravel(), FLOW_CLASSES)
    if name in ("rhythm values", "flow values"):
        feature = "rhythm_measures" if kind == "music" else "clip_flow_measures"
        values = np.nan_to_num(load(feature, kind, item).astype(float))
        values = values.reshape(len(values), -1)
        means = [values.mean(0), np.log1p(values).mean(0)]
        return np.concatenate(means + ([np.log1p(values).std(0)] if kind == "film" else []))
    side, _, what = name.partition(" ")
    clips = load(f"conformer_{side}" + ("_private" if what == "private" else ""), kind, item)
    half = len(clips) // 2
    if what == "order":
        return clips[:half].mean(0) - clips[-half:].mean(0)
    return clips.std(0) if what == "spread" else clips.mean(0)


def data(split, of_films, of_music):
    film_ids = [i for i in films if films[i]["split"] == split]
    track_ids = [i for i in music if music[i]["split"] == split]
    column = {track: j for j, track in enumerate(track_ids)}
    rows = lambda ids, parts: np.array([np.concatenate([part(p, i) for p in parts]) for i in ids])
    return (rows(film_ids, of_films), rows(track_ids, of_music),
            np.array([column[films[i]["track"]] for i in film_ids]))


def whitener(x, ridge):
    values, vectors = np.linalg.eigh(x.T @ x / len(x) + ridge * np.eye(x.shape[1]))
    return vectors @ np.diag(1 / np.sqrt(np.maximum(values, 1e-9))) @ vectors.T


def ranks(parts, ridge, dims):
    f, m, track = parts["train"]
    m = m[track]
    centre, scale = (f.mean(0), m.mean(0)), (f.std(0) + 1e-6, m.std(0) + 1e-6)
    x, y = (f - centre[0]) / scale[0], (m - centre[1]) / scale[1]
    wx, wy = whitener(x, ridge), whitener(y, ridge)
    u, s, vt = np.linalg.svd(wx @ (x.T @ y / len(x)) @ wy)
    dims = min(dims, len(s))
    result = {}
    for split, (f, m, track) in parts.items():
        a = (f - centre[0]) / scale[0] @ wx @ u[:, :dims] * np.sqrt(s[:dims])
        b = (m - centre[1]) / scale[1] @ wy @ vt.T[:, :dims] * np.sqrt(s[:dims])
        a, b = (z / (np.linalg.norm(z, axis=1, keepdims=True) + 1e-9) for z in (a, b))
        scores = a @ b.T
        result[split] = 1 + (scores > scores[np.arange(len(track)), track][:, None]).sum(1)
    return result


def report(name, of_music, of_films):
    parts = {split: data(split, of_films, of_music) for split in ("train", "valid", "test")}
    fits = [ranks(parts, ridge, dims) for ridge in (.03, .1, .3, 1, 3, 10)
            for dims in (2, 4, 8, 16, 32)]
    best = min(fits, key=lambda fit: np.log(fit["valid"]).mean())
    figures = " | ".join(f"{100 * (best[s] <= 10).mean():.1f} | {np.log(best[s]).mean():.3f}"
                         for s in ("train", "test"))
    print(f"| {name} | {figures} |", flush=True)
    return best["test"], parts["test"][2]


def gain(name, found, before):
    """Paired difference of mean log rank and Recall@10, 95 % interval by bootstrap over tracks."""
    (after, track), (base, _) = found, before
    by_track = [np.flatnonzero(track == t) for t in np.unique(track)]
    draws = np.random.default_rng(1).integers(len(by_track), size=(2000, len(by_track)))
    values = []
    for what in (100.0 * (after <= 10) - 100.0 * (base <= 10), np.log(base) - np.log(after)):
        means = np.array([what[rows].mean() for rows in by_track])  # tracks have equally many films
        low, high = np.quantile(means[draws].mean(1), (.025, .975))
        values.append(f"{what.mean():.3g} [{low:.3g}, {high:.3g}]")
    print(f"{name}: Recall@10 {values[0]} points, mean log rank better by {values[1]}")


print("| inputs | train R@10 | train mean log rank | test R@10 | test mean log rank |")
print("|---|--:|--:|--:|--:|")
report("AE", ["audio private"], ["video private"])
shared = report("SE", ["audio"], ["video"])
report("rhythm and flow, classes, alone", ["rhythm classes"], ["flow classes"])
report("rhythm and flow, values, alone", ["rhythm values"], ["flow values"])
classes = report("SE, classes", ["audio", "rhythm classes"], ["video", "flow classes"])
values = report("SE, values", ["audio", "rhythm values"], ["video", "flow values"])
report("SE, first half less second", ["audio", "audio order"], ["video", "video order"])
report("SE, spread over clips", ["audio", "audio spread"], ["video", "video spread"])
gain("classes over SE", classes, shared)
gain("values over SE", values, shared)
