"""Signals both languages can make: those of tests/audio/test_signals.h."""
import numpy as np


def noise(samples, seed):
    """Uniform in [-1, 1): sample i is a hash of i and seed."""
    h = (np.arange(samples, dtype=np.uint64) * 2654435761 + seed * 40503 + 1) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(0xC2B2AE35)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2147483648.0 - 1.0
