"""librosa, torchcodec and the ffmpeg program on the files of bench_decode_audio.cpp."""

from peer import FFMPEG, MEDIA, finish, measure, optional

import subprocess

librosa, torchcodec = optional("librosa"), optional("torchcodec.decoders")
SECONDS = 240


def ffmpeg(path, *output):
    command = [FFMPEG, "-v", "error", "-nostdin", "-threads", "1", "-i", path, "-map", "0:a", *output]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def with_torchcodec(path):
    decoder = torchcodec.decoders.AudioDecoder(path, sample_rate=16000, num_channels=1)
    return decoder.get_all_samples().data


for extension in ("mp3", "m4a", "ogg"):
    path = str(MEDIA / f"sound.{extension}")
    if FFMPEG:
        measure(extension, "ffmpeg program", "x real time", SECONDS,
                lambda: ffmpeg(path, "-ac", "1", "-ar", "16000", "-f", "f32le", "-"))
        measure(f"{extension} against bare decoder", "ffmpeg -f null", "x real time", SECONDS,
                lambda: ffmpeg(path, "-f", "null", "-"))
    if torchcodec:
        measure(extension, f"torchcodec {torchcodec.__version__}", "x real time", SECONDS,
                lambda: with_torchcodec(path))
    if librosa:
        measure(extension, f"librosa {librosa.__version__}", "x real time", SECONDS,
                lambda: librosa.load(path, sr=16000))
finish()
