"""Makes tests/golden/torch_checkpoint: files of torch.save, and what torch.load finds in them.

    python make_torch_checkpoint.py tests/golden/torch_checkpoint

Values follow the formula value(i) = 3 i - 7 (bool: i % 3 == 0). expected.safetensors has what torch.load finds
in state_dict, mixed and training, as "FILE/dotted name"; the tests have the others by hand.
"""
import argparse
import collections
import json
import pathlib
import sys

import numpy as np
import safetensors.torch
import torch

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
expected = {}
# The legacy layout keeps the path of a module's source: of this file wherever it lies.
source_of = torch.serialization.get_source_lines_and_file
torch.serialization.get_source_lines_and_file = lambda *found: (*source_of(*found)[:2], "make_torch_checkpoint.py")


def values(*shape, dtype=torch.float32):
    index = torch.arange(int(np.prod(shape))).reshape(shape)
    return (index % 3 == 0) if dtype == torch.bool else (3 * index - 7).to(dtype)


def collect(name, value):
    """The tensors of a loaded checkpoint under dotted names."""
    if isinstance(value, torch.Tensor):
        expected[name] = value.detach().clone().contiguous()
    elif isinstance(value, dict):
        for key, item in value.items():
            collect(f"{name}.{key}" if not name.endswith("/") else name + str(key), item)
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            collect(f"{name}.{place}" if not name.endswith("/") else name + str(place), item)


def save(name, value, legacy=False, **options):
    torch.save(value, out / f"{name}.pth", _use_new_zipfile_serialization=not legacy, **options)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(values(*parameter.shape))

    def forward(self, x):
        return self.linear(x)


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(values(2))


base = values(4, 6)
mixed = {
    "f64": values(2, 3, dtype=torch.float64), "f16": values(3, dtype=torch.float16),
    "bf16": values(3, dtype=torch.bfloat16), "i64": values(3, dtype=torch.int64),
    "bool": values(5, dtype=torch.bool), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4),
    "parameter": torch.nn.Parameter(values(2, 2)),
    "base": base, "transposed": base.t(), "strided": base[1:4:2, 1::2], "expanded": base[0, :2].expand(3, 2),
    "nested": {"list": [base[0], {"deep": base[1, 1:3]}], 7: base[2]},
    "by_hand": collections.OrderedDict([("b", base[3, :2]), ("a", base[3, 2:])]),
    "epoch": 3, "best": -0.1, "name": "net é", "done": True, "none": None, "large": -(1 << 40),
    "options": argparse.Namespace(lr=0.5, layers=[1, 2]), "numpy": np.float64(1.5),
}
save("mixed", mixed)
save("mixed_legacy", mixed, legacy=True)
collect("mixed/", torch.load(out / "mixed.pth", weights_only=False))

net = Net()
save("state_dict", net.state_dict())
collect("state_dict/", torch.load(out / "state_dict.pth"))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
net(values(4, 2)).pow(3).sum().backward()
optimizer.step()
save("training", {"model": {"module." + key: value for key, value in net.state_dict().items()}, "epoch": 3,
                  "optimizer": optimizer.state_dict()}, legacy=True)
collect("training/", torch.load(out / "training.pth"))

few = {"a": values(2, 2).t(), "half": values(3).half(), "text": "x" * 300, "set": {1}, "n": np.int64(5)}
save("protocol4", values(2, 2).t(), pickle_protocol=4)
save("protocol5", few, legacy=True, pickle_protocol=5)
save("one", values(2, 3), legacy=True)
save("rare", {"u": torch.tensor([1, 65535], dtype=torch.uint16), "c": torch.tensor([1 + 2j]),
              "i16": values(3, dtype=torch.int16), "u8": values(4, dtype=torch.uint8)}, legacy=True)
save("module", Tiny(), legacy=True)
save("sparse", {"a": values(2), "s": values(2, 2).to_sparse()}, legacy=True)
save("quantised", torch.quantize_per_tensor(values(2), 0.5, 1, torch.qint8), legacy=True)

safetensors.torch.save_file(expected, out / "expected.safetensors")
with open(out / "expected.json", "w") as file:
    json.dump({"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0],
               "safetensors": safetensors.__version__}, file)
