#!/usr/bin/env python3
"""Scores of the published UT-CMVMR retrieval, its ranking by distance and the poster's triplets.

    make_published_scores.py UT_CMVMR_CHECKOUT OUTPUT_FILE

Needs torch, numpy and einops. Weights and inputs are filled by formula_values (tests/nn/formula_weights.h).
The scores are those of the published get_embeddings, one film at a time with the whole gallery, and
of its utils/recall.py. The triplets are the poster's formulas over the published modules, every item
and tag of unit length.
"""
import contextlib
import io
import json
import platform
import sys
from pathlib import Path

import numpy as np
import torch

from formula import formula_values
from published import item_batch, listed, load, matching_network

checkout, output = (Path(p) for p in sys.argv[1:3])
BATCH = 4


def unit(x):
    return torch.nn.functional.normalize(x, p=2, dim=1)


def gallery_mean(net, recall):
    """[film, track], cosine and L2, as the published test loop gets them."""
    result = {}
    for distance in ("COS", "L2"):
        rows = torch.zeros(BATCH, BATCH)
        for film in range(BATCH):
            music, rhythm, video, flow = item_batch("positive", BATCH)
            theta_a, theta_v, rho_v, rho_a = net.get_embeddings(
                audio=music, video=video[film:film + 1], rhythm=rhythm, optical=flow[film:film + 1])
            order, values = recall.Recall().cal_recall(theta_a, rho_a, theta_v, rho_v, distance, BATCH,
                                                       "v-a", 0.6)
            rows[film, order[:, 0]] = values[:, 0]
        result[distance] = listed(rows)
    return result


def encode(net, kind):
    music, rhythm, video, flow = item_batch(kind, BATCH)
    phi_a = net.A_enc(net.A_enc_former(music + net.A_rhythm_embed(rhythm) + net.A_p_embed(7)).mean(1))
    phi_v = net.V_enc(net.V_enc_former(video + net.V_optic_embed(flow) + net.V_p_embed(7)).mean(1))
    return phi_a, phi_v


def attend(net, phi_a, phi_v):
    out = net.cross_attention(torch.stack((phi_a, phi_v), 1) + net.pos_emb1D)
    return phi_a + out[:, 0], phi_v + out[:, 1]


def spaces(projection, decoder, attended):
    theta = projection(attended)
    return unit(theta), unit(decoder(theta))


def training_terms(net, module):
    f_a, f_v = attend(net, *encode(net, "positive"))
    f_an, f_vn = attend(net, *encode(net, "negative"))
    (theta_a, rho_a), (theta_v, rho_v) = spaces(net.A_proj, net.D, f_a), spaces(net.V_proj, net.D, f_v)
    (theta_an, rho_an), (theta_vn, rho_vn) = (spaces(net.A_proj, net.D, f_an),
                                              spaces(net.V_proj, net.D, f_vn))
    theta_w, rho_w = spaces(net.W_proj, net.D, unit(formula_values("text", (BATCH, 16))))
    theta_wn, _ = spaces(net.W_proj, net.D, unit(formula_values("negative_text", (BATCH, 16))))
    t = net.triplet_loss
    items = t(theta_v, theta_a, theta_an) + t(theta_a, theta_v, theta_vn)
    tags_of_music = (t(theta_a, theta_w, theta_an) + t(theta_w, theta_a, theta_an)
                     + t(rho_w, rho_a, rho_an))
    tags_of_videos = t(theta_v, theta_w, theta_vn) + t(rho_w, rho_v, rho_vn)
    by_distance = module.InterModalRankingLoss(BATCH, 0, "L2", 1024)(theta_a, theta_v)
    return {"items": float(items),
            "printed": float(items + tags_of_music + tags_of_videos + t(theta_w, theta_v, theta_wn)),
            "symmetric": float(items + tags_of_music + tags_of_videos + t(theta_w, theta_v, theta_vn)),
            "rank_l2": float(sum(by_distance))}


torch.set_num_threads(1)
sys.path.insert(0, str(checkout))
with contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
    published = load("model_pretrained", checkout / "model_pretrained.py")
    recall = load("published_recall", checkout / "utils/recall.py")
    net = matching_network(published).eval()
    content = {"versions": {"python": platform.python_version(), "torch": torch.__version__,
                            "numpy": np.__version__},
               "gallery_mean": gallery_mean(net, recall), **training_terms(net, published)}
output.write_text(json.dumps(content, indent=1) + "\n")
print(output, output.stat().st_size, "bytes")
