#!/usr/bin/env python3
"""One training step of the published UT-CMVMR code: loss, gradients, weights and averages after Adam.

    make_training_step.py UT_CMVMR_CHECKOUT OUTPUT_FILE

Needs torch and numpy. Weights and inputs are filled by formula_values (tests/nn/formula_weights.h);
of every tensor its norm, its dot product with formula_values("probe." + name) and ENTRIES of its
values, evenly spaced, are kept. Dropout is 0, so that both sides compute the same. A second step has
positive and negative items exchanged: Adam's first is nearly the sign of the gradient, its second not.
"""
import contextlib
import io
import json
import math
import platform
import re
import sys
from pathlib import Path

import numpy as np
import torch

from formula import formula_values
from published import item_batch, matching_network

checkout, output = (Path(p) for p in sys.argv[1:3])
BATCH = 4
ENTRIES = 8
WITHOUT_DROPOUT = dict(additional_dropout=0.0, dropout_encoder=0.0, dropout_decoder=0.0, keep_prob=1.0,
                       dropout_enc=0.0)


def summary(name, tensor):
    probe = formula_values("probe." + name, tuple(tensor.shape)).double()
    flat = tensor.double().flatten()
    entries = [flat[i * len(flat) // ENTRIES] for i in range(ENTRIES)]
    return [float(f"{float(v):.9g}") for v in (flat.norm(), (tensor.double() * probe).sum(), *entries)]


def step(net, positive_as_negative, items="positive", others="negative"):
    music, rhythm, video, flow = item_batch(items, BATCH)
    other_music, other_rhythm, other_video, other_flow = item_batch(others, BATCH)
    if positive_as_negative:
        other_music, other_video = music.clone(), video.clone()
    texts = {"positive": formula_values("text", (BATCH, 16)),
             "negative": formula_values("negative_text", (BATCH, 16))}
    before = {name: value.detach().clone() for name, value in
              net.named_parameters(remove_duplicate=False)}
    loss, _, accuracy = net.optimize_params(
        music, video, texts[items], other_music, other_video, texts[others], None, None, None,
        rhythm, flow, other_rhythm, other_flow, optimize=True)
    result = {"loss": loss.item(), "match_accuracy": float(accuracy), "gradients": {}, "changes": {},
              "averages": {}}
    for name, value in net.named_parameters(remove_duplicate=False):
        if value.grad is None or name.startswith(("damsoftmax_loss", "adv_loss", "ce_match_loss.bn")):
            continue
        # The code clips in place before the step; pos_emb1D is not among what it clips or trains.
        result["gradients"][name] = summary(name, value.grad)
        result["changes"][name] = summary(name, value.detach() - before[name])
    for name, value in net.named_buffers(remove_duplicate=False):
        if "running" in name and not name.startswith(("damsoftmax_loss", "ce_match_loss.bn")):
            result["averages"][name] = summary(name, value)
    return result


def two_steps(module, positive_as_negative):
    net = matching_network(module, **WITHOUT_DROPOUT).train()
    first = step(net, positive_as_negative)
    second = step(net, positive_as_negative, "negative", "positive")
    return {**first, "second": {key: second[key] for key in ("loss", "changes")}}


def terms(module):
    """The terms the published training leaves out, in evaluation mode."""
    torch.Tensor.cuda = lambda self: self  # the tag loss insists on a device
    net = matching_network(module, **WITHOUT_DROPOUT).eval()
    music, rhythm, video, flow = item_batch("positive", BATCH)
    other_music, other_rhythm, other_video, other_flow = item_batch("negative", BATCH)
    with torch.no_grad():
        net.forward(music, video, formula_values("text", (BATCH, 16)), other_music, other_video,
                    formula_values("negative_text", (BATCH, 16)), None, None, None, rhythm, flow,
                    other_rhythm, other_flow, False)
        labels, ids = torch.tensor([3, 0, 4, 1]), np.arange(BATCH)
        structure = (net.intraloss(net.phi_a, net.audio_fe_attn, ids)
                     + net.intraloss(net.audio_fe_attn, net.phi_a_rec, ids)
                     + net.intraloss(net.phi_v, net.video_fe_attn, ids)
                     + net.intraloss(net.video_fe_attn, net.phi_v_rec, ids))
        tag, tag_accuracy = net.damsoftmax_loss(net.rho_a, net.rho_v, labels)
        domain, domain_accuracy = net.adv_loss(net.rho_a, net.rho_v)
    return {"structure": float(structure), "tag_softmax": float(tag),
            "tag_accuracy": float(tag_accuracy), "adversarial": float(domain),
            "adversarial_accuracy": float(domain_accuracy)}


def alone(module):
    """Lone items attending to a learned partner: ours, from the published modules."""
    net = matching_network(module, **WITHOUT_DROPOUT).eval()

    def unit(x):
        return torch.nn.functional.normalize(x, p=2, dim=1)

    def vector(projection, phi, partner, place):
        other = partner.expand_as(phi)
        pair = torch.stack((phi, other) if place == 0 else (other, phi), 1)
        out = net.cross_attention(pair + net.pos_emb1D)
        theta = projection(phi + out[:, place])
        return torch.cat((math.sqrt(0.6) * unit(theta), math.sqrt(0.4) * unit(net.D(theta))), 1)

    with torch.no_grad():
        music, rhythm, video, flow = item_batch("positive", BATCH)
        phi_a = net.A_enc(net.A_enc_former(music + net.A_rhythm_embed(rhythm) + net.A_p_embed(7)).mean(1))
        phi_v = net.V_enc(net.V_enc_former(video + net.V_optic_embed(flow) + net.V_p_embed(7)).mean(1))
        a = vector(net.A_proj, phi_a, formula_values("null_video", (16,), 0.2), 0)
        v = vector(net.V_proj, phi_v, formula_values("null_music", (16,), 0.2), 1)
        scores = a @ v.t()
        own = scores.diagonal()
        off = 1 - torch.eye(BATCH)
        ranking = sum((torch.relu(0.1 + s - own[:, None]) * off).mean() for s in (scores, scores.t()))
    return {"music": a.flatten().tolist(), "video": v.flatten().tolist(), "independent": float(ranking)}


torch.set_num_threads(1)
sys.path.insert(0, str(checkout))
with contextlib.redirect_stdout(io.StringIO()):
    import model_pretrained  # noqa: E402
content = {"versions": {"python": platform.python_version(), "torch": torch.__version__,
                        "numpy": np.__version__},
           "step": two_steps(model_pretrained, False),
           "step_positive_as_negative": two_steps(model_pretrained, True),
           "terms": terms(model_pretrained), "alone": alone(model_pretrained)}
text = json.dumps(content, indent=1)
# A tensor's numbers on one line.
text = re.sub(r"\[\s+([^\[\]]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
output.write_text(text + "\n")
print(output, output.stat().st_size, "bytes")
