"""OpenCV's flow from Python on the frames that bench_flow.cpp wrote."""

from peer import MEDIA, finish, measure

import cv2
import numpy as np

frames = np.fromfile(MEDIA / "flow_frames.raw", np.uint8).reshape(-1, 240, 320)
name = f"OpenCV {cv2.__version__}"


def farneback(before, after):
    return cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def dis(preset):
    flow = cv2.DISOpticalFlow_create(preset)
    return lambda before, after: flow.calc(before, after, None)


METHODS = {
    "farneback": farneback,
    "dis medium": dis(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "dis fast": dis(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "dis ultrafast": dis(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
}
for case, method in METHODS.items():
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        measure(case, name, "pairs/s", len(frames) - 1,
                lambda: [method(a, b) for a, b in zip(frames, frames[1:])], threads)
finish()
