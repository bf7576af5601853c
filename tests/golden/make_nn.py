#!/usr/bin/env python3
"""Golden outputs for tests/nn and tests/model.

    make_nn.py UT_CMVMR_CHECKOUT SOOFTWARE_CONFORMER_CHECKOUT OUTPUT_FOLDER

Needs torch, numpy and einops. Weights are not stored: both languages fill them by formula_values
(tests/nn/formula_weights.h), from the name of each parameter.
"""
import contextlib
import io
import json
import math
import platform
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from formula import fill, formula_values
from published import item_batch, listed, load, matching_network

ut_cmvmr, sooftware, output = (Path(p) for p in sys.argv[1:4])


def keys(module):
    return sorted(k for k in module.state_dict() if not k.endswith("pe"))


def no_dropout(module):
    for child in module.modules():
        if isinstance(child, torch.nn.Dropout):
            child.p = 0.0
    return module


def conformers():
    ut = load("ut_conformer", ut_cmvmr / "data_preprocess/model_Conformer.py")
    x = formula_values("input", (3, 47, 20))
    lengths = torch.tensor([47, 47, 47])
    net = fill(ut.Conformer(5, 20, 16, 2, 4, conv_kernel_size=7)).eval()
    embedding, logits, _ = net(x, lengths)
    result = {"keys": keys(net), "embedding": listed(embedding), "logits": listed(logits)}
    no_dropout(net).train()
    embedding, _, _ = net(x, lengths)
    result["training_embedding"] = listed(embedding)

    sys.path.insert(0, str(sooftware))
    from conformer.encoder import ConformerEncoder
    encoder = ConformerEncoder(20, 16, 2, 4, conv_kernel_size=7)
    fill(encoder, lambda name: "encoder." + name.replace(".linear.", ".")).eval()
    steps, _ = encoder(x, lengths)
    result["transformer_xl_embedding"] = listed(steps.mean(1))
    return result


def parts(ut):
    with contextlib.redirect_stdout(io.StringIO()):
        transformer = fill(ut.Transformer(12, 2, 3, 2, 10, 8, 0.5)).eval()
        wide = fill(ut.EmbeddingNet(6, 5, 0, True, 0.55, hidden_size=7))
        narrow = fill(ut.EmbeddingNet(6, 5, 0, True, 0.55))
    x = formula_values("sequence", (2, 5, 12))
    y = formula_values("rows", (4, 6))
    result = {"transformer_keys": keys(transformer), "transformer": listed(transformer(x)),
              "embedding_net_keys": keys(wide),
              "embedding_net": listed(wide.eval()(y)), "embedding_net_0": listed(narrow.eval()(y)),
              "embedding_net_training": listed(wide.train()(y))}
    result["embedding_net_running_mean"] = listed(wide.net[4].running_mean)
    return result


def matching(ut):
    net, batch = matching_network(ut).eval(), 4

    def encode(kind):
        audio, rhythm, video, flow = item_batch(kind, batch)
        audio = audio + net.A_rhythm_embed(rhythm) + net.A_p_embed(7)
        video = video + net.V_optic_embed(flow) + net.V_p_embed(7)
        return net.A_enc(net.A_enc_former(audio).mean(1)), net.V_enc(net.V_enc_former(video).mean(1))

    def attend(phi_a, phi_v):
        out = net.cross_attention(torch.stack((phi_a + net.pos_emb1D[0], phi_v + net.pos_emb1D[1]), 1))
        return phi_a + out[:, 0], phi_v + out[:, 1]

    def unit(x):
        return F.normalize(x, p=2, dim=1)

    with torch.no_grad():
        phi_a, phi_v = encode("positive")
        phi_an, phi_vn = encode("negative")
        raw_a, raw_v = net.A_proj(attend(phi_a, phi_v)[0]), net.V_proj(attend(phi_a, phi_v)[1])
        raw_an, raw_vn = (net.A_proj(attend(phi_an, phi_vn)[0]), net.V_proj(attend(phi_an, phi_vn)[1]))
        w = unit(formula_values("text", (batch, 16)))
        raw_w = net.W_proj(w)
        theta_a, theta_v, theta_w = unit(raw_a), unit(raw_v), unit(raw_w)
        theta_an, theta_vn = unit(raw_an), unit(raw_vn)
        rho_a, rho_v, rho_w = unit(net.D(raw_a)), unit(net.D(raw_v)), unit(net.D(raw_w))
        rho_an, rho_vn = unit(net.D(raw_an)), unit(net.D(raw_vn))
        t, mse = net.triplet_loss, net.criterion_reg
        terms = {
            "triplet": t(theta_a, theta_w, theta_an) + t(theta_v, theta_w, theta_vn)
            + t(theta_w, theta_a, theta_an) + t(theta_w, theta_v, theta_vn),
            "regular": mse(net.V_rec(raw_v), phi_v) + mse(net.A_rec(raw_a), phi_a)
            + mse(theta_v, theta_w) + mse(theta_a, theta_w),
            "text": mse(w, rho_v) + mse(w, rho_a) + mse(w, rho_w),
            "match": net.ce_match_loss(rho_a, rho_v, rho_an, rho_vn)[0],
            "rank": sum(net.interloss(theta_a, theta_v)),
        }
        scores = torch.zeros(batch, batch)
        for film in range(batch):
            for track in range(batch):
                f_a, f_v = attend(phi_a[track:track + 1], phi_v[film:film + 1])
                a, v = net.A_proj(f_a), net.V_proj(f_v)
                scores[film, track] = (0.6 * (unit(a) * unit(v)).sum()
                                       + 0.4 * (unit(net.D(a)) * unit(net.D(v))).sum())
        text = torch.cat((math.sqrt(0.6) * theta_w, math.sqrt(0.4) * rho_w), 1)
    state = keys(net)
    return {"keys": [k for k in state if not k.startswith(("damsoftmax", "adv_loss", "ce_match_loss.bn"))],
            "terms": {k: round(float(v), 9) for k, v in terms.items()},
            "scores": listed(scores), "text": listed(text)}


def write(name, content):
    versions = {"python": platform.python_version(), "torch": torch.__version__,
                "numpy": np.__version__}
    path = output / name
    path.write_text(json.dumps({"versions": versions, **content}, indent=1) + "\n")
    print(path, path.stat().st_size, "bytes")


torch.set_num_threads(1)
output.mkdir(parents=True, exist_ok=True)
sys.path.insert(0, str(ut_cmvmr))
with contextlib.redirect_stdout(io.StringIO()):
    model_pretrained = load("model_pretrained", ut_cmvmr / "model_pretrained.py")
write("conformer.json", conformers())
write("parts.json", parts(model_pretrained))
write("ut_cmvmr.json", matching(model_pretrained))
