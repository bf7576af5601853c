"""librosa's log-mel spectrogram, and the same in eager torch on the CPU and on CUDA."""

from peer import finish, measure, optional

import torch

librosa = optional("librosa")


def eager(device):
    window = torch.hann_window(2048, device=device)
    # Which bands does not matter for the time.
    bands = torch.rand(128, 1025, device=device)

    def log_mel(waveform):
        spectrum = torch.stft(waveform, 2048, 512, window=window, pad_mode="constant", return_complex=True)
        decibel = 10 * torch.log10((bands @ spectrum.abs().square()).clamp(min=1e-10))
        return torch.maximum(decibel, decibel.amax((-2, -1), keepdim=True) - 80)

    return log_mel


with torch.no_grad():
    waveform = torch.randn(1, 30 * 16000) * 0.1
    for threads in (1, 2):
        torch.set_num_threads(threads)
        log_mel = eager("cpu")
        measure("cpu 30 s", f"eager torch {torch.__version__}", "x real time", 30,
                lambda: log_mel(waveform), threads)
    if librosa:
        samples = waveform[0].numpy()
        measure("cpu 30 s", f"librosa {librosa.__version__}", "x real time", 30,
                lambda: librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=16000)))
    if torch.cuda.is_available():
        log_mel = eager("cuda")
        for batch in (1, 64):
            there = (torch.randn(batch, 30 * 16000) * 0.1).cuda()
            measure(f"cuda batch {batch} x 30 s", f"eager torch {torch.__version__}", "x real time",
                    30 * batch, lambda: log_mel(there).flatten()[0].item())
finish()
