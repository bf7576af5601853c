"""OpenCV's flow from Python on the frames that bench_flow.cpp wrote."""

from peer import MEDIA, finish, measure

import cv2
import numpy as np

name = f"OpenCV {cv2.__version__}"


def farneback(before, after):
    return cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def dis(preset):
    flow = cv2.DISOpticalFlow_create(preset)
    return lambda before, after: flow.calc(before, after, None)


def run(case, frames, method):
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        measure(case, name, "pairs/s", len(frames) - 1,
                lambda: [method(a, b) for a, b in zip(frames, frames[1:])], threads)


OTHERS = (
    ("farneback_opencv", farneback),
    ("dis medium", dis(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)),
    ("dis fast", dis(cv2.DISOPTICAL_FLOW_PRESET_FAST)),
    ("dis ultrafast", dis(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)))

for width, height in ((224, 224), (320, 240), (640, 480), (1920, 1080)):
    size = f"{width}x{height}"
    frames = np.fromfile(MEDIA / f"flow_{size}.raw", np.uint8).reshape(-1, height, width)
    run(f"farneback {size}, 1 pair", frames[:2], farneback)
    run(f"farneback {size}, {len(frames) - 1} pairs", frames, farneback)
    for case, method in OTHERS:
        run(f"{case} {size}, 1 pair", frames[:2], method)
        run(f"{case} {size}, 8 pairs", frames[:9], method)
finish()
