"""torchcodec, OpenCV and the ffmpeg program on the films of bench_decode_video.cpp."""

from peer import FFMPEG, MEDIA, finish, measure, optional

import subprocess

import cv2

torchcodec = optional("torchcodec.decoders")
SECONDS, FRAMES_PER_SECOND = 30, 25
cv2.setNumThreads(1)


def ffmpeg(path, fps, width, height):
    command = [FFMPEG, "-v", "error", "-nostdin", "-threads", "1", "-skip_frame", "noref", "-i", path,
               "-filter_threads", "1", "-vf", f"fps={fps},scale={width}:{height}:flags=bilinear",
               "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def opencv(path, fps, width, height):
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    frames, wanted, index = [], 0, 0
    while capture.grab():
        if index / FRAMES_PER_SECOND >= wanted / fps:
            frames.append(cv2.resize(capture.retrieve()[1], (width, height)))
            wanted += 1
        index += 1
    return frames


def with_torchcodec(path, fps, width, height):
    decoder = torchcodec.decoders.VideoDecoder(path, num_ffmpeg_threads=1, seek_mode="exact",
                                               dimension_order="NHWC")
    frames = decoder.get_frames_played_at([k / fps for k in range(SECONDS * fps)]).data
    return [cv2.resize(frame.numpy(), (width, height)) for frame in frames]


STILLS, MOTION = (1, 224, 224), (3, 320, 240)
for height in (720, 360):
    for gop in (12, 250):
        path = str(MEDIA / f"film_{height}p_gop{gop}.mp4")
        name = f"{height}p gop {gop}"
        jobs = {name: [STILLS]}
        if (height, gop) == (360, 12):
            jobs |= {f"{name}, 3 fps": [MOTION], f"{name}, 1 and 3 fps": [STILLS, MOTION]}
        tools = {f"OpenCV {cv2.__version__}": opencv}
        if FFMPEG:
            tools["ffmpeg -skip_frame noref"] = ffmpeg
        if torchcodec:
            tools[f"torchcodec {torchcodec.__version__}"] = with_torchcodec
        for case, wanted in jobs.items():
            for tool, read in tools.items():
                measure(case, tool, "films/s", 1, lambda: [read(path, *job) for job in wanted], seconds=0)
finish()
