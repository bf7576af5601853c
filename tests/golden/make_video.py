"""Golden data for tests/video: resize by Pillow and OpenCV, grey and flow by OpenCV.

usage: python make_video.py OUTPUT_FOLDER

Writes frame.json and flow.json. The input frames are made by integer formulas that
tests/video/texture.h repeats, so only results are stored.
"""
import hashlib
import json
import pathlib
import sys

import cv2
import numpy as np
import PIL
from PIL import Image

VERSIONS = {"opencv": cv2.__version__, "pillow": PIL.__version__, "numpy": np.__version__}


def mixed(x):
    """32-bit integer hash, elementwise."""
    x = np.asarray(x, dtype=np.uint64) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x7FEB352D) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x846CA68B) & 0xFFFFFFFF
    x ^= x >> 16
    return x


def noise_image(h, w, c, seed):
    """Random bytes; every fourth one is 0 or 255, so that cubic overshoot is clipped."""
    v = mixed(np.arange(h * w * c, dtype=np.uint64) + np.uint64(seed * 1000003))
    byte = (v >> 24).astype(np.int64)
    extreme = np.where(v & 4, 255, 0)
    return np.where((v & 3) == 0, extreme, byte).astype(np.uint8).reshape(h, w, c)


def lattice(ix, iy, seed):
    key = (ix + 4096) * 8192 + (iy + 4096) + seed * 69069
    return (mixed(key) >> 24).astype(np.int64)


def octave(x, y, cell, seed):
    """Bilinear interpolation of the lattice, all in integers; x, y in 1/16 pixel."""
    side = cell * 16
    ix, iy, fx, fy = x // side, y // side, x % side, y % side
    top = lattice(ix, iy, seed) * (side - fx) + lattice(ix + 1, iy, seed) * fx
    low = lattice(ix, iy + 1, seed) * (side - fx) + lattice(ix + 1, iy + 1, seed) * fx
    return (top * (side - fy) + low * fy) // (side * side)


def texture(h, w, x0, y0, seed):
    """Grey picture of size h x w whose corner lies at (x0, y0), in 1/16 pixel, of a plane."""
    y, x = np.mgrid[0:h, 0:w].astype(np.int64) * 16
    x, y = x + x0, y + y0
    return ((octave(x, y, 6, seed) + 2 * octave(x, y, 17, seed + 1)) // 3).astype(np.uint8)


def digest(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:32]


def pillow_resize(image, height, width, filter_):
    if image.shape[2] == 1:
        return np.asarray(Image.fromarray(image[:, :, 0]).resize((width, height), filter_))[..., None]
    return np.asarray(Image.fromarray(image).resize((width, height), filter_))


def resize_cases():
    filters = {"pillow_bilinear": Image.Resampling.BILINEAR, "pillow_bicubic": Image.Resampling.BICUBIC}
    sizes = [(5, 7, 3, 9, 4), (1, 1, 3, 5, 5), (8, 8, 1, 1, 1), (240, 320, 3, 112, 150), (112, 150, 3, 240, 320),
             (360, 640, 3, 224, 398), (37, 53, 1, 37, 20), (37, 53, 3, 90, 53), (33, 47, 3, 33, 47),
             (719, 405, 3, 256, 144), (2, 300, 3, 299, 2), (100, 100, 3, 7, 93)]
    rng = np.random.default_rng(7)
    for _ in range(28):
        h, w, height, width = (int(v) for v in rng.integers(1, 150, 4))
        sizes.append((h, w, int(rng.choice([1, 3])), height, width))
    cases = []
    for seed, (h, w, c, height, width) in enumerate(sizes):
        image = noise_image(h, w, c, seed)
        for name, filter_ in filters.items():
            out = pillow_resize(image, height, width, filter_)
            # Pillow up to 12 always works along the width first; two calls of one axis each do so in any version.
            width_first = pillow_resize(pillow_resize(image, h, width, filter_), height, width, filter_)
            case = {"seed": seed, "from": [h, w, c], "to": [height, width], "kernel": name, "hash": digest(out),
                    "width_first_hash": digest(width_first)}
            if out.size <= 120:
                case["values"] = out.ravel().tolist()
            cases.append(case)
    return cases


def opencv_resize_cases():
    cases = []
    for seed, (h, w, c, height, width) in enumerate(
            [(48, 64, 3, 12, 16), (30, 41, 3, 13, 17), (12, 16, 1, 25, 30), (36, 48, 3, 16, 20)]):
        image = noise_image(h, w, c, 100 + seed)
        unit = image.astype(np.float32) / 255
        for name, flag in (("bilinear", cv2.INTER_LINEAR), ("area", cv2.INTER_AREA)):
            whole = cv2.resize(image, (width, height), interpolation=flag)
            cut = (cv2.resize(unit, (width, height), interpolation=flag) * np.float32(255)).astype(np.uint8)
            for kernel, out in ((f"opencv_{name}", whole), (f"opencv_{name}_float", cut)):
                cases.append({"seed": 100 + seed, "from": [h, w, c], "to": [height, width], "kernel": kernel,
                              "values": out.ravel().tolist()})
    return cases


def grey_cases():
    colours = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3], [127, 128, 129], [254, 1, 77]]
    patch = np.array([colours], dtype=np.uint8)
    image = noise_image(97, 131, 3, 500)
    return {"colours": colours,
            "rgb": cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)[0].tolist(),
            "bgr": cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)[0].tolist(),
            "image": {"seed": 500, "from": [97, 131, 3],
                      "rgb_hash": digest(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)),
                      "bgr_hash": digest(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))}}


def flow_cases():
    # Corner of each frame on the textured plane, in 1/16 pixel: the motion between frames varies.
    corners = [[0, 0], [40, 8], [96, 8], [96, 40], [60, 52], [61, 52]]
    settings = [
        {"size": [240, 320], "farneback": [0.5, 3, 15, 3, 5, 1.2, 0]},
        {"size": [97, 131], "farneback": [0.5, 3, 15, 3, 5, 1.2, 0]},
        {"size": [120, 90], "farneback": [0.5, 2, 21, 2, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN]},
        {"size": [64, 80], "farneback": [0.6, 4, 9, 5, 5, 1.1, 0]},
    ]
    for number, case in enumerate(settings):
        h, w = case["size"]
        frames = [texture(h, w, x, y, 31 + number) for x, y in corners]
        case.update(seed=31 + number, corners=corners, frames_hash=digest(np.stack(frames)))
        flows = [cv2.calcOpticalFlowFarneback(a, b, None, *case["farneback"]) for a, b in zip(frames, frames[1:])]
        case["magnitudes"] = [float(np.sqrt((f.astype(np.float64) ** 2).sum(-1)).mean()) for f in flows]
        # Every 24th pixel of the second field, corner included.
        case["field"] = [[round(float(v), 6) for v in flows[1][::24, ::24, k].ravel()] for k in (0, 1)]
    return settings


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    frame = {"versions": VERSIONS, "resize": resize_cases(), "opencv_resize": opencv_resize_cases(), "grey": grey_cases()}
    (folder / "frame.json").write_text(json.dumps(frame) + "\n")
    (folder / "flow.json").write_text(json.dumps({"versions": VERSIONS, "flow": flow_cases()}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
