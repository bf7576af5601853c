#!/usr/bin/env python3
"""Checkpoints as the published UT-CMVMR code writes them, small, and what its networks answer.

    make_reference_weights.py UT_CMVMR_CHECKOUT tests/golden/reference_weights

Needs torch, numpy and einops. Weights follow formula_values (tests/nn/formula_weights.h). The constant
position tables are cut to 4 rows: their keys matter, their 640 kB do not.
"""
import contextlib
import io
import json
import platform
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from formula import fill, formula_values
from published import listed, load

checkout, output = (Path(p) for p in sys.argv[1:3])


def state(module):
    return {key: value[..., :4, :].clone() if key.endswith("pe") else value.clone()
            for key, value in module.state_dict().items()}


def save(name, value, **options):
    torch.save(value, output / name, **options)
    print(output / name, (output / name).stat().st_size, "bytes")


def conformer():
    module = load("ut_conformer", checkout / "data_preprocess/model_Conformer.py")
    net = fill(module.Conformer(5, 20, 16, 2, 4, conv_kernel_size=7)).eval()
    x = formula_values("input", (3, 47, 20))
    embedding, _, _ = net(x, torch.tensor([47, 47, 47]))
    weights = state(net)
    save("conformer.pth", weights)
    # What a training loop of one's own keeps: several devices, no classes, other things beside.
    bare = {"module." + key: value for key, value in weights.items() if key != "classification.weight"}
    save("conformer_training.pth", {"state_dict": bare, "epoch": 7, "optimizer": {"lr": 1e-3}},
         _use_new_zipfile_serialization=False)
    return {"embedding": listed(embedding)}


def video_conformer():
    """Of pictures 16 wide, two side by side."""
    module = load("ut_conformer", checkout / "data_preprocess/model_Conformer.py")
    net = fill(module.Conformer(5, 32, 16, 1, 4, conv_kernel_size=7)).eval()
    embedding, _, _ = net(formula_values("pictures", (3, 16, 32)), torch.tensor([16, 16, 16]))
    save("conformer_video.pth", state(net), _use_new_zipfile_serialization=False)
    return {"embedding": listed(embedding)}


def matching():
    with contextlib.redirect_stdout(io.StringIO()):
        module = load("model_pretrained", checkout / "model_pretrained.py")
        net = fill(module.Model_structure(
            a_data_dim=16, v_data_dim=12, t_data_dim=8, dim_theta=4, dim_rho=8, init_method="kaiming",
            encoder_hidden_size=12, decoder_hidden_size=10, depth_transformer=1, additional_dropout=0.5,
            momentum=0.55, first_additional_triplet=1, second_additional_triplet=1, dropout_encoder=0.8,
            dropout_decoder=0.5, margin=0.05, lr=3e-4, target_dim=5, keep_prob=0.6, loss_mask=[1] * 9,
            max_grad_norm=3, decay_rate=0.96, inter_margin=0, inter_topk=1024, intra_topk=1024, batch_size=8,
            distance_type="COS", a_enc_dmodel=16, v_enc_dmodel=12, nlayers=1, dropout_enc=0.8,
            enc_hidden_dim=9, cross_hidden_dim=11, max_clip=7, add_rhythm=0)).eval()
    save("ut_cmvmr.pth", state(net), _use_new_zipfile_serialization=False)

    def unit(x):
        return F.normalize(x, p=2, dim=1)

    with torch.no_grad():
        music = formula_values("music", (4, 7, 16)) + net.A_p_embed(7)
        film = formula_values("film", (4, 7, 12)) + net.V_p_embed(7)
        phi_a, phi_v = net.A_enc(net.A_enc_former(music).mean(1)), net.V_enc(net.V_enc_former(film).mean(1))
        scores = torch.zeros(4, 4)
        for v in range(4):
            for a in range(4):
                pair = torch.stack((phi_a[a:a + 1], phi_v[v:v + 1]), 1)
                out = net.cross_attention(pair + net.pos_emb1D)
                theta_a, theta_v = net.A_proj(pair[:, 0] + out[:, 0]), net.V_proj(pair[:, 1] + out[:, 1])
                scores[v, a] = (0.6 * (unit(theta_a) * unit(theta_v)).sum()
                                + 0.4 * (unit(net.D(theta_a)) * unit(net.D(theta_v))).sum())
    return {"scores": listed(scores)}


torch.set_num_threads(1)
output.mkdir(parents=True, exist_ok=True)
sys.path.insert(0, str(checkout))
versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
expected = {"versions": versions, "conformer": conformer(),
            "conformer_video": video_conformer(), "ut_cmvmr": matching()}
(output / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
