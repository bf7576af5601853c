"""numpy and faiss on the sizes of bench_search.cpp."""

from peer import finish, measure, optional

import os

import numpy as np
from threadpoolctl import threadpool_limits

faiss = optional("faiss")
count = int(os.environ.get("VMR_BENCH_ITEMS", 100000))
random = np.random.default_rng(1)
items = random.standard_normal((count, 256), np.float32)


def with_numpy(queries):
    scores = queries @ items.T
    best = np.argpartition(-scores, 10, axis=1)[:, :10]
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
    return np.take_along_axis(best, order, 1)


if faiss:
    index = faiss.IndexFlatIP(256)
    index.add(items)
for threads in (1, 2):
    if faiss:
        faiss.omp_set_num_threads(threads)
    for batch in (1, 64):
        queries = random.standard_normal((batch, 256), np.float32)
        case = f"{count} x 256, " + ("single" if batch == 1 else "batch 64")
        with threadpool_limits(threads):
            measure(case, f"numpy {np.__version__}", "queries/s", batch, lambda: with_numpy(queries), threads)
        if faiss:
            measure(case, f"faiss {faiss.__version__} Flat", "queries/s", batch,
                    lambda: index.search(queries, 10), threads)
finish()
