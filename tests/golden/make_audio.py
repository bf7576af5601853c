#!/usr/bin/env python3
"""Golden values of the audio area. Signals are formulas, the same here and in
tests/audio/test_signals.h, so that only results are stored.

  make_audio.py librosa    OUT.json   (needs librosa 0.9.2)
  make_audio.py torchaudio OUT.json   (needs torch and torchaudio)
"""
import json
import sys

import numpy as np

from signals import noise

RATE = 16000


def tone(samples, hz, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / rate)


def add_hit(out, start, gain, decay, source):
    """source * gain * exp(-n / decay), for six decays."""
    begin = int(round(start))
    length = min(int(6 * decay), len(source), len(out) - begin)
    if begin < 0 or length <= 0:
        return
    n = np.arange(length)
    out[begin:begin + length] += gain * np.exp(-n / decay) * source[:length]


def song(bpm, seconds, seed, ramp=0.0):
    """Kick, snare, hats and chords; every hit is up to 4 ms early or late and up to 20 % softer.
    The tempo changes by `ramp` of itself from beginning to end."""
    samples = int(seconds * RATE)
    out = 0.0005 * noise(samples, seed)
    jitter = noise(8192, seed + 1)
    hiss = noise(8000, seed + 2)
    kick = np.sin(2 * np.pi * 62 * np.arange(8000) / RATE)
    at = 0.11 + 0.013 * (seed % 7)
    beat = 0
    while at < seconds:
        now = bpm * (1 + ramp * at / seconds)
        period = 60 / now
        late = 0.004 * jitter[4 * beat % 8192]
        soft = 1 - 0.1 * (1 + jitter[(4 * beat + 1) % 8192])
        start = (at + late) * RATE
        if beat % 2 == 0:
            add_hit(out, start, 0.8 * soft, 0.07 * RATE, kick)
        else:
            add_hit(out, start, 0.5 * soft, 0.04 * RATE, hiss)
        for half in range(2):
            late = 0.004 * jitter[(4 * beat + 2 + half) % 8192]
            add_hit(out, (at + half * period / 2 + late) * RATE, 0.12, 0.01 * RATE, hiss)
        if beat % 4 == 0:
            root = 110 * 2 ** ((seed + beat // 4 * 5) % 12 / 12)
            n = np.arange(32000)
            for ratio in (1.0, 1.25, 1.5):
                add_hit(out, at * RATE, 0.08, 0.6 * RATE,
                        np.sin(2 * np.pi * root * ratio * n / RATE))
        at += period
        beat += 1
    return out.astype(np.float32)


CLIP_BPM = [60, 66, 72, 79, 85, 90, 97, 104, 110, 117, 123, 128, 134, 140, 146, 152, 160, 168, 176,
            183, 190, 75]


def rounded(values, digits=6):
    return [float(f"{float(v):.{digits}g}") for v in np.asarray(values).ravel()]


def librosa_values():
    import librosa
    import numba
    import scipy
    import scipy.signal
    scipy.signal.hann = scipy.signal.windows.hann  # newer scipy moved what librosa 0.9 calls

    def onset(y, **options):
        return librosa.onset.onset_strength(y=y, sr=RATE, **options)

    def beats(y):
        # On the mean over the bands: beat_track(y) alone would take their median.
        tempo, frames = librosa.beat.beat_track(onset_envelope=onset(y), sr=RATE, hop_length=512)
        return {"tempo": float(tempo), "beats": [int(f) for f in frames]}

    clips = []
    for i, bpm in enumerate(CLIP_BPM):
        y = song(bpm, 4, i)
        clips.append({"bpm": bpm, "seconds": 4, "seed": i, "ramp": 0.0, "onset": rounded(onset(y)),
                      **beats(y)})
    songs = []
    for bpm, seconds, seed, ramp in ((84, 30, 40, 0.0), (126, 30, 41, 0.0), (171, 20, 42, 0.0),
                                     (100, 40, 43, 0.2)):
        y = song(bpm, seconds, seed, ramp)
        songs.append({"bpm": bpm, "seconds": seconds, "seed": seed, "ramp": ramp,
                      "onset": rounded(onset(y)[::8]), **beats(y)})
    y = song(97, 4, 6)
    reflect = librosa.feature.melspectrogram(y=y, sr=RATE, pad_mode="reflect", power=2.0)
    reflect = librosa.power_to_db(reflect)
    noisy = (0.1 * noise(6000, 5)).astype(np.float32)
    mels = [
        {"name": "default", "values": rounded(librosa.power_to_db(
            librosa.feature.melspectrogram(y=noisy, sr=RATE)))},
        {"name": "reflect", "values": rounded(librosa.power_to_db(librosa.feature.melspectrogram(
            y=noisy, sr=RATE, n_fft=1024, win_length=800, hop_length=400, n_mels=40,
            pad_mode="reflect")))},
        {"name": "htk", "values": rounded(np.log(librosa.feature.melspectrogram(
            y=noisy, sr=RATE, n_fft=512, hop_length=600, n_mels=30, htk=True, norm=None, fmin=50,
            fmax=7000) + 1e-6))},
        {"name": "musicnn", "values": rounded(np.log10(10000 * librosa.feature.melspectrogram(
            y=noisy, sr=RATE, n_fft=512, hop_length=256, n_mels=96) + 1))},
        {"name": "vggish", "values": rounded(vggish(noisy))},
    ]
    return {"versions": {"librosa": librosa.__version__, "numpy": np.__version__,
                         "scipy": scipy.__version__, "numba": numba.__version__},
            "clips": clips, "songs": songs,
            "onset_reflect": rounded(librosa.onset.onset_strength(S=reflect, sr=RATE)),
            "log_mels": mels}


def vggish(y):
    """The published front end: [mels, frames]."""
    frames = np.stack([y[i:i + 400] for i in range(0, len(y) - 399, 160)]).astype(np.float64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitude = np.abs(np.fft.rfft(frames * hann, 512))
    mel = lambda hz: 1127.0 * np.log(1.0 + hz / 700.0)
    edges = np.linspace(mel(125.0), mel(7500.0), 66)
    bins = mel(np.linspace(0.0, RATE / 2, 257))
    up = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(up, down))
    weights[0] = 0.0
    return np.log(magnitude @ weights + 0.01).T


def torchaudio_values():
    import torch
    import torchaudio

    def fbank(y, **options):
        settings = dict(num_mel_bins=80, frame_length=25, frame_shift=10, dither=0.0,
                        htk_compat=True, window_type="povey", sample_frequency=RATE)
        settings.update(options)
        wave = torch.from_numpy(y.astype(np.float32))[None]
        return rounded(torchaudio.compliance.kaldi.fbank(wave, **settings).numpy())

    n = 1000
    other = dict(num_mel_bins=23, frame_length=20, frame_shift=12.5, sample_frequency=8000,
                 low_freq=100, high_freq=3500, preemphasis_coefficient=0.9)
    cases = [
        {"name": "noise", "values": fbank(0.3 * noise(n, 1))},
        {"name": "tone", "values": fbank(tone(n, 440))},
        {"name": "silence", "values": fbank(np.zeros(n))},
        {"name": "offset", "values": fbank(0.25 + 0.001 * noise(n, 2))},
        {"name": "song", "values": fbank(song(123, 1, 10)[:n + 3000][3000:])},
        {"name": "other", "values": fbank(0.3 * noise(n, 3), **other)},
        {"name": "raw_dc", "values": fbank(0.3 * noise(n, 4), remove_dc_offset=False)},
        {"name": "scaled", "values": fbank(32768 * 0.3 * noise(n, 1))},
    ]
    return {"versions": {"torch": torch.__version__, "torchaudio": torchaudio.__version__,
                         "numpy": np.__version__}, "fbank": cases}


def main():
    values = {"librosa": librosa_values, "torchaudio": torchaudio_values}[sys.argv[1]]()
    values["made_by"] = "tests/golden/make_audio.py " + sys.argv[1]
    with open(sys.argv[2], "w") as out:
        json.dump(values, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
