"""HNSW beside hnswlib, each with one thread and with two, and how its time grows with the number of points.

The points lie in 200 clusters, of 16 dimensions in 64.  hnswlib is built from source: pip install hnswlib.
`python -m benchmarks.bench_hnsw 1_000_000` says what memory so many points take, builds, and asks.
"""
import os
import sys
import time
from functools import lru_cache

import numpy as np

from benchmarks import Case, Growth, peer, test_contender           # noqa: F401  pytest runs it
from scratchml.neighbors import HNSW, NearestNeighbors

N, K, EF = 100_000, 10, (20, 40, 80, 160)


@lru_cache(maxsize=1)
def clustered(n=N, queries=1000):
    """Points (n, 64) and queries of the same kind, float32."""
    rng = np.random.default_rng(0)
    centers, spread = rng.normal(size=(200, 16)), rng.normal(size=(16, 64)) / 4
    latent = centers[rng.integers(200, size=n + queries)] + rng.normal(size=(n + queries, 16)) / 2
    X = (latent @ spread + rng.normal(size=(n + queries, 64)) / 10).astype(np.float32)
    return X[:n], X[n:]


def ordered():
    """The points, a cluster after the other, in a hundred pieces, and queries."""
    X, Q = clustered()
    along = np.random.default_rng(1).normal(size=64)
    return X[np.argsort(X @ along)], Q


# --- contenders: each returns labels of the nearest for the queries


class threads:
    """Within it, ours has n threads."""

    def __init__(self, n):
        self.n = n

    def __enter__(self):
        self.before = os.environ.get("SCRATCHML_NUM_THREADS")
        os.environ["SCRATCHML_NUM_THREADS"] = str(self.n)

    def __exit__(self, *error):
        del os.environ["SCRATCHML_NUM_THREADS"]
        if self.before is not None:
            os.environ["SCRATCHML_NUM_THREADS"] = self.before


def hnswlib_index(X, n_threads):
    import hnswlib
    index = hnswlib.Index("l2", X.shape[1])
    index.init_index(len(X), M=16, ef_construction=200, random_seed=0)
    index.set_num_threads(n_threads)
    return index


def built(n):
    """Both, built from all points at once by n threads and asked with ef = 40."""
    def ours(X, Q):
        with threads(n):
            return HNSW(random_state=0, ef=40).fit(X).knn_query(Q, K)[0]

    @peer("hnswlib")
    def theirs(X, Q):
        index = hnswlib_index(X, n)
        index.add_items(X)
        index.set_ef(40)
        return index.knn_query(Q, K)[0]
    return {f"ours, {n} threads": ours, f"hnswlib, {n} threads": theirs}


def built_in_pieces(X, Q):
    index = HNSW(random_state=0, ef=50)
    for piece in np.array_split(X, 100):
        index.add_items(piece)
    return index.knn_query(Q, K)[0]


@peer("hnswlib")
def hnswlib_in_pieces(X, Q):
    index = hnswlib_index(X, 2)
    for piece in np.array_split(X, 100):
        index.add_items(piece)
    index.set_ef(50)
    return index.knn_query(Q, K)[0]


@lru_cache(maxsize=2)
def index_of(n=N):
    return HNSW(random_state=0).fit(clustered(n)[0])


@lru_cache(maxsize=1)
def their_index():
    index = hnswlib_index(clustered()[0], 2)
    index.add_items(clustered()[0])
    return index


def asked(ef, n):
    """Both, asked by n threads."""
    def ours(X, Q):
        with threads(n):
            return index_of().set_ef(ef).knn_query(Q, K)[0]

    @peer("hnswlib")
    def theirs(X, Q):
        their_index().set_num_threads(n)
        their_index().set_ef(ef)
        return their_index().knn_query(Q, K)[0]
    return {f"ours, {n} threads": ours, f"hnswlib, {n} threads": theirs}


def one_and_two(contenders):
    """Of one thread and of two; ours with two stands for ours."""
    both = {**contenders(2), **contenders(1)}
    return {{"ours, 2 threads": "scratchml", "ours, 1 threads": "scratchml, 1 thread"}.get(name, name): function
            for name, function in both.items()}


def recall_no_lower(data, slack):
    """An `agree` for labels: of the true neighbours, ours has as many as they have, or at most `slack` fewer."""
    def agree(theirs, ours):
        X, Q = data()
        true = NearestNeighbors(K).fit(X).kneighbors(Q, return_distance=False)
        shares = [np.mean([len(set(a) & set(b)) / K for a, b in zip(true.tolist(), found.tolist())])
                  for found in (theirs, ours)]
        assert shares[1] >= shares[0] - slack, f"recall {shares[1]:.4f}, theirs {shares[0]:.4f}"
    return agree


def growing(n):
    index_of(n)
    return index_of(n), clustered(n)[1]


CASES = [
    Case("built from 100,000 x 64", clustered, one_and_two(built), recall_no_lower(clustered, 0.002)),
    Case("built a hundredth after the other, in order along a line", ordered,
         {"scratchml": built_in_pieces, "hnswlib": hnswlib_in_pieces}, recall_no_lower(ordered, 0)),
    *(Case(f"1,000 queries of 100,000 x 64, ef = {ef}", clustered, one_and_two(lambda n, ef=ef: asked(ef, n)),
           recall_no_lower(clustered, 0.002)) for ef in EF),
    Growth("built", lambda n: (clustered(n)[0],), {"scratchml": lambda X: HNSW(random_state=0).fit(X)},
           (10_000, 30_000, 100_000, 300_000), stated=1.2, agree=lambda theirs, ours: None),
    Growth("1,000 queries, ef = 50", growing, {"scratchml": lambda index, Q: index.knn_query(Q, K)[0]},
           (10_000, 30_000, 100_000, 300_000), stated=0.2),
]


def at_size(n):
    """What n points take: memory by the statement of the chapter on the index, seconds, and recall."""
    own = n * (4 * 64 + 8 * 16 + 90)
    print(f"{n:,} x 64, float32: {n * 256 / 1e6:,.0f} MB of points, and at most {own / 1e6:,.0f} MB of index, its copy "
          "included", flush=True)
    X, Q = clustered(n)
    true, begun = NearestNeighbors(K).fit(X).kneighbors(Q, return_distance=False), time.perf_counter()
    index = HNSW(random_state=0).fit(X)
    print(f"built in {time.perf_counter() - begun:.0f} s")
    index.knn_query(Q[:1], K)                            # compiles
    for ef in EF:
        begun = time.perf_counter()
        found = index.set_ef(ef).knn_query(Q, K)[0]
        taken = (time.perf_counter() - begun) / len(Q)
        recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(true.tolist(), found.tolist())])
        print(f"ef = {ef}: {taken * 1e6:.0f} us a query, recall {recall:.4f}")


if __name__ == "__main__":
    at_size(int(sys.argv[1]))
