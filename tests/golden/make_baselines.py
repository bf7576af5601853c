#!/usr/bin/env python3
"""Golden values for the baselines CBVMR and CMVAE: make_baselines.py OUT.json

Needs torch and numpy. Networks are torch.nn modules with the weights of formula_values
(tests/nn/formula_weights.h); losses are plain loops over pairs, written out here; divergences are
torch.distributions'; optimiser steps are torch.optim's.
"""
import json
import math
import platform
import sys

import numpy as np
import torch

from formula import fill, formula_values

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def listed(tensor):
    return {"shape": list(tensor.shape),
            "values": [round(float(v), 12) for v in tensor.detach().flatten().double()]}


# --- losses as loops -----------------------------------------------------------------------------

def ranking(x, y, margin, top, ids, count_masked):
    """Hinges of queries x on the gallery y, cosine of unit rows."""
    scores, total, count = x @ y.T, 0.0, 0
    for i in range(len(x)):
        others = [j for j in range(len(y)) if j != i and (ids is None or ids[j] != ids[i])]
        hinges = sorted((max(0.0, margin - float(scores[i, i]) + float(scores[i, j]))
                         for j in others), reverse=True)
        total += sum(hinges[:top])
        count += min(top, len(y)) if count_masked else min(top, len(others))
    return total / max(count, 1)


def gap(x, y, matching, margin, top, ids):
    if matching == "hinge":
        return ranking(x, y, margin, top, ids, False)
    scores, total, count = x @ y.T, 0.0, 0
    for i in range(len(x)):
        others = [j for j in range(len(y)) if j != i and (ids is None or ids[j] != ids[i])]
        gaps = sorted((max(0.0, float(scores[i, i] - scores[i, j]) - margin) for j in others),
                      reverse=True)
        total += sum(gaps[:top])
        count += min(top, len(others))
    return -total / max(count, 1)


def structure(low, embedded, window, rule):
    def distances(rows):
        unit = rows / rows.norm(dim=1, keepdim=True)
        return -(unit @ unit.T)

    d_low, d_emb = distances(low), distances(embedded)
    items = min(window, len(low))
    rows, columns = (items, items - 1) if rule == "vm_net" else (items - 1, items - 2)
    sign = lambda v: (v > 0) - (v < 0)
    total = 0.0
    for i in range(rows):
        for j in range(columns):
            a_low, b_low = float(d_low[i, j]), float(d_low[i, j + 1])
            a_emb, b_emb = float(d_emb[i, j]), float(d_emb[i, j + 1])
            total += (sign(a_low - b_low) - sign(a_emb - b_emb)) * (b_emb - a_emb)
    return total / (rows * columns)


def experts(views, present, prior):
    """views: (mean, log variance) pairs; present[view][row]."""
    rows, dim = views[0][0].shape
    mean, log_variance = torch.zeros(rows, dim), torch.zeros(rows, dim)
    for i in range(rows):
        for d in range(dim):
            precision = 1.0 if prior else 0.0
            weighted = 0.0
            for (mu, lv), shown in zip(views, present):
                if shown[i]:
                    precision += math.exp(-float(lv[i, d]))
                    weighted += float(mu[i, d]) * math.exp(-float(lv[i, d]))
            mean[i, d], log_variance[i, d] = weighted / precision, -math.log(precision)
    return mean, log_variance


def divergence(mean, log_variance):
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return float(torch.distributions.kl_divergence(posterior, prior).sum(1).mean())


def losses():
    mean_a, mean_b = formula_values("mean_a", (5, 3)), formula_values("mean_b", (5, 3))
    lv_a, lv_b = formula_values("lv_a", (5, 3)), formula_values("lv_b", (5, 3))
    x, y, ids = formula_values("x", (6, 4)), formula_values("y", (6, 4)), [0, 1, 0, 2, 3, 1]
    present = [[True] * 5, [True, False, True, False, True]]
    result = {"mean_a": listed(mean_a), "mean_b": listed(mean_b), "log_variance_a": listed(lv_a),
              "log_variance_b": listed(lv_b), "x": listed(x), "y": listed(y), "ids": ids,
              "divergence": divergence(mean_a, lv_a)}
    for name, prior in (("experts", False), ("experts_prior", True)):
        mean, lv = experts([(mean_a, lv_a), (mean_b, lv_b)], present, prior)
        result[name] = {"mean": listed(mean), "log_variance": listed(lv)}
    result["gaps"] = [
        {"matching": matching, "margin": margin, "top": top, "ids": with_ids,
         "x_to_y": gap(x, y, matching, margin, top, ids if with_ids else None),
         "y_to_x": gap(y, x, matching, margin, top, ids if with_ids else None)}
        for matching in ("hinge", "gap_max") for margin, top in ((0.05, 40), (0.3, 2))
        for with_ids in (False, True)]
    result["structure"] = [{"rule": rule, "window": window, "value": structure(y, x, window, rule)}
                           for rule in ("vm_net", "ut_cmvmr") for window in (1024, 4)]
    return result


# --- the items all models see ----------------------------------------------------------------------

BATCH, CLIPS, MUSIC, VIDEO, TEXT = 5, 4, 12, 8, 7
COUNTS = [4, 3, 2, 1, 4]       # real clips; what stands behind them is not looked at
TRACKS = [0, 1, 2, 1, 3]       # films 1 and 3 share a track
RHYTHM, FLOW = (5, 6, 7), 9


class Inputs(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.A_rhythm_embed = torch.nn.ModuleDict({
            "n_beat_embed": torch.nn.Embedding(RHYTHM[0], MUSIC // 2),
            "beat_strength_embed": torch.nn.Embedding(RHYTHM[1], MUSIC // 4),
            "beat_interval_width_embed": torch.nn.Embedding(RHYTHM[2], MUSIC // 4)})
        self.V_optic_embed = torch.nn.ModuleDict({
            "optic_displacement_embed": torch.nn.Embedding(FLOW, VIDEO)})

    def classes(self, name, count):
        values = formula_values(name, (BATCH, CLIPS)) * (count / 2) + count / 2
        return values.floor().long().clamp(0, count - 1)

    def vectors(self):
        """Mean over own clips of clip feature + class embeddings: music, video."""
        tables = self.A_rhythm_embed
        music = formula_values("music", (BATCH, CLIPS, MUSIC)) + torch.cat([
            tables["n_beat_embed"](self.classes("beats", RHYTHM[0])),
            tables["beat_strength_embed"](self.classes("strength", RHYTHM[1])),
            tables["beat_interval_width_embed"](self.classes("interval", RHYTHM[2]))], 2)
        video = formula_values("video", (BATCH, CLIPS, VIDEO)) + self.V_optic_embed[
            "optic_displacement_embed"](self.classes("flow", FLOW))
        return [torch.stack([row[:n].mean(0) for row, n in zip(side, COUNTS)])
                for side in (music, video)]


class Cbvmr(Inputs):
    def __init__(self, first_norm, linear):
        super().__init__()

        def branch(width, hidden):
            layers = []
            for i, out in enumerate(hidden):
                layers.append(torch.nn.Linear(width, out))
                if not linear:
                    if first_norm and i == 0:
                        layers.append(torch.nn.BatchNorm1d(out, eps=1e-3, momentum=0.01))
                    layers.append(torch.nn.ReLU())
                layers.append(torch.nn.Dropout(0.0))
                width = out
            return torch.nn.Sequential(*layers, torch.nn.Linear(width, 6),
                                       torch.nn.BatchNorm1d(6, eps=1e-3, momentum=0.01))

        self.music_net, self.video_net = branch(MUSIC, [10, 9]), branch(VIDEO, [11])


def unit(rows):
    return rows / rows.square().sum(1, keepdim=True).clamp_min(1e-12).sqrt()


def first_rows():
    return [TRACKS.index(track) for track in dict.fromkeys(TRACKS)]


def without_gradients(net, run):
    with torch.no_grad():
        return run()


def cbvmr(first_norm, linear):
    net = fill(Cbvmr(first_norm, linear))

    def run():
        music_in, video_in = net.vectors()
        music, video = unit(net.music_net(music_in)), unit(net.video_net(video_in))
        once = first_rows()
        return music, video, {
            "music_to_video": ranking(music, video, 0.5, 1024, TRACKS, False),
            "video_to_music": ranking(video, music, 0.5, 1024, TRACKS, False),
            "music_structure": structure(music_in[once], music[once], 1024, "vm_net"),
            "video_structure": structure(video_in, video, 1024, "vm_net")}

    music, video, terms = without_gradients(net.eval(), run)
    result = {"first_norm": first_norm, "linear": linear, "keys": sorted(net.state_dict()),
              "music": listed(music), "video": listed(video), "terms": terms}
    _, _, result["training_terms"] = without_gradients(net.train(), run)
    result["running_mean"] = listed(net.state_dict()[
        [k for k in net.state_dict() if k.startswith("music_net") and "running_mean" in k][-1]])
    return result


class Encoder(torch.nn.Module):
    def __init__(self, width, latent):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(width)
        self.mean = torch.nn.Linear(width, latent)
        self.log_variance = torch.nn.Linear(width, latent)

    def forward(self, x):
        x = self.norm(x)
        norm = lambda v: v / v.norm(dim=1, keepdim=True).clamp_min(1e-10)
        return norm(self.mean(x)), norm(self.log_variance(x)).clamp(max=10)


class Decoder(torch.nn.Module):
    def __init__(self, latent, width, relu):
        super().__init__()
        self.norm, self.linear = torch.nn.BatchNorm1d(latent), torch.nn.Linear(latent, width)
        self.relu = relu

    def forward(self, z):
        y = self.linear(self.norm(z))
        return y.relu() if self.relu else y


class Cmvae(Inputs):
    def __init__(self, text, relu):
        super().__init__()
        latent = 6
        self.music_encoder, self.video_encoder = Encoder(MUSIC, latent), Encoder(VIDEO, latent)
        self.music_decoder, self.video_decoder = (Decoder(latent, MUSIC, relu),
                                                  Decoder(latent, VIDEO, relu))
        if text:
            self.text_encoder, self.text_decoder = Encoder(TEXT, latent), Decoder(latent, TEXT, relu)


def cmvae(text, prior, matching, relu):
    net = fill(Cmvae(text, relu))
    words = formula_values("text", (BATCH, TEXT))
    shown = [True] * BATCH

    def fuse(*views):
        return experts(list(views), [shown] * len(views), prior)

    def run():
        music_in, video_in = net.vectors()
        music, visual = net.music_encoder(music_in), net.video_encoder(video_in)
        views = [visual] + ([net.text_encoder(words)] if text else [])
        film = fuse(*views)
        mse = lambda a, b: float((a - b).square().mean())
        terms = {"reconstruct_music": mse(net.music_decoder(film[0]), music_in),
                 "reconstruct_video": mse(net.video_decoder(music[0]), video_in)}
        if text:
            terms["reconstruct_text"] = mse(net.text_decoder(music[0]), words)
        terms |= {"divergence_music": divergence(*music), "divergence_video": divergence(*film),
                  "match_music": gap(music[0], film[0], matching, 0.05, 40, TRACKS),
                  "match_video": gap(film[0], music[0], matching, 0.05, 40, TRACKS)}
        vectors = {"music": listed(unit(music[0])), "video": listed(unit(fuse(visual)[0]))}
        if text:
            vectors["text"] = listed(unit(fuse(views[1])[0]))
        return terms, vectors, divergence(*music)

    terms, vectors, _ = without_gradients(net.eval(), run)
    training = without_gradients(net.train(), run)[2]
    return {"takes_text": text, "prior": prior, "matching": matching, "relu": relu,
            "keys": sorted(net.state_dict()), "terms": terms, **vectors,
            "training_divergence_music": training}


def adam():
    weights = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    options = {"lr": 0.05, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}
    optimiser = torch.optim.Adam([weights], **options)
    gradients = [[0.5, -1.0], [0.1, 2.0], [-3.0, 0.25], [1e-4, -1e-3], [0.7, 0.7]]
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        optimiser.step()
    return {"learning_rate": 0.05, "weight_decay": 0.1, "gradients": gradients,
            "weights": weights.tolist()}


document = {
    "versions": {"python": platform.python_version(), "torch": torch.__version__,
                 "numpy": np.__version__},
    "losses": losses(),
    "cbvmr": [cbvmr(False, False), cbvmr(True, False), cbvmr(False, True)],
    "cmvae": [cmvae(False, False, "hinge", True), cmvae(True, True, "gap_max", False)],
    "adam": adam(),
}
with open(sys.argv[1], "w") as out:
    json.dump(document, out, indent=1)
    out.write("\n")
