"""What the golden scripts that run published code share: loading it, its matching network and
batches filled by formula, and writing tensors as JSON."""
import contextlib
import importlib.util
import io
import sys

import torch

from formula import fill, formula_values


def load(name, path):
    """The file as a module of that name, which its own imports may find."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def listed(tensor):
    return {"shape": list(tensor.shape),
            "values": [round(float(v), 9) for v in tensor.detach().flatten().double()]}


def item_batch(kind, batch):
    """Music, its rhythm classes, video and its flow classes of one side's items, by formula."""
    classes = [(formula_values(f"{kind}_{name}", (batch, 7)) * half + half).floor().long().clamp(0, last)
               for name, half, last in (("beats", 9, 17), ("strength", 24, 48), ("interval", 32, 64))]
    flow = (formula_values(kind + "_flow", (batch, 7)) * 32 + 32).floor().long().clamp(0, 64)
    return (formula_values(kind + "_music", (batch, 7, 512)), torch.stack(classes, 2),
            formula_values(kind + "_video", (batch, 7, 512)), flow)


def matching_network(module, **changed):
    """The published matching network in small, filled by formula, with some sizes changed."""
    sizes = dict(a_data_dim=512, v_data_dim=512, t_data_dim=16, dim_theta=8, dim_rho=16,
                 init_method="kaiming", encoder_hidden_size=12, decoder_hidden_size=10,
                 depth_transformer=1, additional_dropout=0.5, momentum=0.55,
                 first_additional_triplet=1, second_additional_triplet=1, dropout_encoder=0.8,
                 dropout_decoder=0.5, margin=0.05, lr=3e-4, target_dim=5, keep_prob=0.6,
                 loss_mask=[1] * 9, max_grad_norm=3, decay_rate=0.96, inter_margin=0,
                 inter_topk=1024, intra_topk=1024, batch_size=8, distance_type="COS",
                 a_enc_dmodel=512, v_enc_dmodel=512, nlayers=1, dropout_enc=0.8,
                 enc_hidden_dim=9, cross_hidden_dim=11, max_clip=7, add_rhythm=1)
    with contextlib.redirect_stdout(io.StringIO()):
        return fill(module.Model_structure(**{**sizes, **changed}))
