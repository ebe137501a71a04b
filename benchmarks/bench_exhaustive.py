"""The nearest by looking at all: the formula in NumPy, ours, and faiss's flat indexes, float32.

100,000 points in 200 clusters, which lie about 16 dimensions of 64.  faiss's own threads follow SCRATCHML_NUM_THREADS.
"""
import numpy as np

from benchmarks import Case, Growth, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.core.jit import n_threads
from scratchml.neighbors import NearestNeighbors

N, D, K = 100_000, 64, 10


def clustered(n, seed=0):
    """Points (n, D) about 200 centres in 16 dimensions, turned into D, with noise."""
    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    centres, turned = fixed.normal(size=(200, 16)), fixed.normal(size=(16, D))
    inside = centres[rng.integers(200, size=n)] + 0.5 * rng.normal(size=(n, 16))
    return (inside @ turned + 0.3 * rng.normal(size=(n, D))).astype(np.float32)


def queries(metric, B, n=N):
    X = clustered(n)
    return NearestNeighbors(K, metric=metric).fit(X), flat(metric, X), X, clustered(B, 1)


def flat(metric, X):
    """faiss's index, or None without faiss."""
    try:
        import faiss
    except ImportError:
        return None
    index = (faiss.IndexFlatIP if metric == "inner_product" else faiss.IndexFlatL2)(X.shape[1])
    index.add(X)
    return index


def ours(model, index, X, Q):
    return model.kneighbors(Q, return_distance=False)


def sorted_blocks(model, index, X, Q):
    """Products of 256 queries at a time, and argpartition."""
    offsets = 0 if model.metric == "inner_product" else (X * X).sum(axis=1) / 2
    found = []
    for start in range(0, len(Q), 256):
        S = Q[start:start + 256] @ X.T - offsets
        some = np.argpartition(-S, K, axis=1)[:, :K]
        order = np.take_along_axis(-S, some, 1).argsort(axis=1)
        found.append(np.take_along_axis(some, order, 1))
    return np.concatenate(found)


@peer("faiss")
def theirs(model, index, X, Q):
    import faiss
    faiss.omp_set_num_threads(n_threads())
    return index.search(Q, K)[1]


def agree(theirs, ours):
    """But for neighbours so nearly as near that float32 cannot tell."""
    assert (theirs == ours).mean() > 0.999


CONTENDERS = {"formula": sorted_blocks, "scratchml": ours, "faiss": theirs}

CASES = [
    *(Case(f"{B:,} {'query' if B == 1 else 'queries'}, {metric}, {N:,} x {D}",
           lambda metric=metric, B=B: queries(metric, B), CONTENDERS, agree) for B in (1000, 1)
           for metric in ("inner_product", "euclidean")),
    Growth("points, 200 queries", lambda n: queries("euclidean", 200, n), {"scratchml": ours, "faiss": theirs},
           (10_000, 30_000, 100_000), stated=1, agree=agree),
]
