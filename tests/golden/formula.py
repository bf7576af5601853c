"""Values both languages can make: weights and inputs of goldens that need not be stored.

The same as tests/nn/formula_weights.h, bit for bit.
"""
import math

import numpy as np
import torch


def formula_values(name, shape, scale=1.0, offset=0.0):
    """offset + scale * u, u in [-1, 1) a hash of (name, index in C order); float32, in torch's default dtype."""
    phase = sum((k + 1) * byte for k, byte in enumerate(name.encode())) % 1009
    wave = np.sin(np.arange(math.prod(shape), dtype=np.float64) * 12.9898 + phase) * 43758.5453
    values = offset + scale * (2.0 * (wave - np.floor(wave)) - 1.0)
    return torch.from_numpy(values.astype(np.float32)).to(torch.get_default_dtype()).reshape(shape)


def fill(module, rename=lambda name: name):
    """Parameters and batch-norm averages by their names; `rename`: a key to the name it goes by."""
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            name, shape = rename(key), tuple(tensor.shape)
            if key.endswith(("pe", "num_batches_tracked")):
                continue
            if key.endswith("running_var"):
                tensor.copy_(formula_values(name, shape, 0.5, 1.0))
            elif len(shape) > 1:
                tensor.copy_(formula_values(name, shape, 1.5 / math.sqrt(tensor.numel() / shape[0])))
            elif key.endswith("weight"):
                tensor.copy_(formula_values(name, shape, 0.3, 1.0))
            else:
                tensor.copy_(formula_values(name, shape, 0.2))
    return module
