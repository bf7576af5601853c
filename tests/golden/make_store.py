"""Makes tests/golden/store: files written by NumPy and by the safetensors package.

    python make_store.py tests/golden/store

Values follow the formula value(i) = 3 i - 7 (bool: i % 3 == 0) over the C order of the shape, which the
tests repeat.
"""
import json
import pathlib
import sys

import numpy as np
import safetensors
import safetensors.torch
import torch

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def values(shape, dtype):
    index = np.arange(int(np.prod(shape))).reshape(shape)
    return (index % 3 == 0) if dtype == "?" else (3 * index - 7).astype(dtype)


for name, dtype in {"f2": "<f2", "f4": "<f4", "f8": "<f8", "i1": "i1", "i2": "<i2", "i4": "<i4", "i8": "<i8",
                    "u1": "u1", "b1": "?"}.items():
    np.save(out / f"{name}.npy", values((3, 4), dtype))
np.save(out / "scalar.npy", values((), "<f4"))
np.save(out / "vector.npy", values((5,), "<f4"))
np.save(out / "empty.npy", values((0, 5), "<f4"))
np.save(out / "fortran.npy", np.asfortranarray(values((2, 3, 4), "<f4")))
np.save(out / "big_f8.npy", values((3, 4), ">f8"))
np.save(out / "big_fortran_i2.npy", np.asfortranarray(values((3, 4), ">i2")))
np.save(out / "special_f2.npy", np.array([np.inf, -np.inf, 6e-8, -0.0, 65504], "<f2"))
for major in (2, 3):
    with open(out / f"version{major}.npy", "wb") as file:
        np.lib.format.write_array(file, values((3, 4), "<f4"), version=(major, 0))
np.save(out / "complex.npy", np.zeros(2, np.complex64))
np.save(out / "record.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))

dtypes = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
          "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8,
          "bool": torch.bool}
tensors = {}
for name, dtype in dtypes.items():
    tensors[name] = torch.from_numpy(values((3, 5), "?" if name == "bool" else "<i8").copy()).to(dtype)
tensors["scalar"] = torch.tensor(2.5)
tensors["empty"] = torch.zeros(0, 4)
tensors["layer.0.weight"] = torch.from_numpy(values((2, 3), "<f4"))
tensors['quote"d é'] = torch.from_numpy(values((2,), "<f4"))
safetensors.torch.save_file(tensors, out / "all.safetensors", metadata={"format": "pt é"})
safetensors.torch.save_file({"a": torch.tensor([1.0, 2.0])}, out / "plain.safetensors")
with open(out / "versions.json", "w") as file:
    json.dump({"numpy": np.__version__, "safetensors": safetensors.__version__, "torch": torch.__version__}, file)
