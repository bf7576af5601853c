"""python-lmdb with buffers, and .npy files: 200 values of 100 kB."""

from peer import finish, measure

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lmdb
import numpy as np

TRACKS, WORDS = 200, 12500
GIGABYTES = 8e-9 * TRACKS * WORDS
folder = Path(tempfile.mkdtemp(prefix="vmr_bench_peer_"))
values = np.random.default_rng(1).integers(0, 1 << 30, WORDS)


def write_lmdb(name="lmdb_write"):
    shutil.rmtree(folder / name, ignore_errors=True)
    with lmdb.open(str(folder / name), map_size=1 << 30, sync=False) as store:
        for first in range(0, TRACKS, 10):
            with store.begin(write=True) as commit:
                for i in range(first, first + 10):
                    commit.put(b"track_%d" % i, values.tobytes())


def write_npy():
    shutil.rmtree(folder / "npy", ignore_errors=True)
    (folder / "npy").mkdir()
    for i in range(TRACKS):
        np.save(folder / "npy" / f"{i}.npy", values)


def sum_lmdb(part):
    with store.begin(buffers=True) as reading:
        return sum(int(np.frombuffer(reading.get(b"track_%d" % i), np.int64).sum()) for i in part)


def sum_npy(part):
    return sum(int(np.load(folder / "npy" / f"{i}.npy").sum()) for i in part)


write_lmdb("lmdb_read")
write_npy()
store = lmdb.open(str(folder / "lmdb_read"), readonly=True, lock=False)
version = f"python-lmdb {lmdb.__version__}"
for readers in (1, 2):
    parts = [range(k, TRACKS, readers) for k in range(readers)]
    with ThreadPoolExecutor(readers) as pool:
        for peer, read in ((version, sum_lmdb), (".npy files", sum_npy)):
            measure("read and sum 100 kB", peer, "GB/s", GIGABYTES, lambda: list(pool.map(read, parts)), readers)
measure("write 100 kB", version, "GB/s", GIGABYTES, write_lmdb)
measure("write 100 kB", ".npy files", "GB/s", GIGABYTES, write_npy)
finish()
shutil.rmtree(folder)
