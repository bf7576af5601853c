"""The Python stack as a researcher writes it: OpenCV decodes and resizes, OpenCV's Farneback,
torchaudio's filter banks, librosa's beats; one pass over the film."""

import os

from peer import MEDIA, finish, measure

import cv2
import librosa
import numpy as np
import torch
from torchaudio.compliance import kaldi

cv2.setNumThreads(1)
torch.set_num_threads(1)
FRAMES_PER_SECOND, CLIP_FRAMES, CLIP_SAMPLES = 25, 4, 64000


def farneback(before, after):
    return cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def dis_fast(before, after):
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(before, after, None)


def film(path, flow):
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    stills, trajectory, previous, index = [], [], None, 0
    while capture.grab():
        wants_still = index / FRAMES_PER_SECOND >= len(stills)
        wants_motion = index / FRAMES_PER_SECOND >= len(trajectory) / 3
        index += 1
        if not wants_still and not wants_motion:
            continue
        picture = capture.retrieve()[1]
        if wants_motion:
            grey = cv2.cvtColor(cv2.resize(picture, (320, 240)), cv2.COLOR_BGR2GRAY)
            field = flow(previous, grey) if previous is not None else np.zeros((1, 1, 2))
            trajectory.append(float(np.linalg.norm(field, axis=2).mean()))
            previous = grey
        if wants_still:
            small = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
            stills.append(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
    clips = [np.hstack(stills[i:i + CLIP_FRAMES]) for i in range(0, len(stills) - CLIP_FRAMES + 1, CLIP_FRAMES)]
    return np.stack(clips), trajectory


def music(path):
    samples, rate = librosa.load(path, sr=16000)
    clips = torch.from_numpy(samples[: len(samples) // CLIP_SAMPLES * CLIP_SAMPLES]).view(-1, 1, CLIP_SAMPLES)
    banks = torch.stack([kaldi.fbank(clip, num_mel_bins=80, sample_frequency=rate) for clip in clips])
    return banks, librosa.beat.beat_track(y=samples, sr=rate, units="time")[1]


song = str(MEDIA / "song_00.wav")
music(song)  # numba compiles
for height in (720, 360):
    for gop in (12, 250):
        path = str(MEDIA / f"film_{height}p_gop{gop}.mp4")
        cases = {f"{height}p gop {gop}": farneback}
        if gop == 12:
            cases[f"{height}p gop {gop}, dis_fast flow"] = dis_fast
        for case, flow in cases.items():
            measure(case, "Python stack", "items/s", 1, lambda: (film(path, flow), music(song)), seconds=0,
                    warm_up=False)
# The same with every library allowed both cores.
cv2.setNumThreads(2)
torch.set_num_threads(2)
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;2"
path = str(MEDIA / "film_720p_gop12.mp4")
measure("720p gop 12", "Python stack", "items/s", 1, lambda: (film(path, farneback), music(song)), threads=2,
        seconds=0, warm_up=False)
finish()
