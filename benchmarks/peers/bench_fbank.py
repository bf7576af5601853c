"""torchaudio's Kaldi filter banks."""

from peer import finish, measure

import torch
import torchaudio
from torchaudio.compliance import kaldi

for seconds in (4, 30):
    waveform = torch.randn(1, seconds * 16000) * 0.1
    for threads in (1, 2):
        torch.set_num_threads(threads)
        measure(f"{seconds} s", f"torchaudio {torchaudio.__version__}", "x real time", seconds,
                lambda: kaldi.fbank(waveform, num_mel_bins=80, sample_frequency=16000), threads)
finish()
