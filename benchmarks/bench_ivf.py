"""Inverted lists, of vectors and of codes of 16 bytes, beside faiss with the same centres and books, float32.

1,000 queries of the 100,000 points of the benchmark of looking at all, in 1,024 lists.  faiss's own threads follow
SCRATCHML_NUM_THREADS; without faiss its centres are ours.
"""
from functools import lru_cache

import numpy as np

from benchmarks import Case, peer, test_contender                  # noqa: F401  pytest runs it
from benchmarks.bench_exhaustive import D, K, N, clustered
from scratchml.core.jit import n_threads
from scratchml.neighbors import IVF

LISTS, M = 1024, 16


@lru_cache(maxsize=1)
def indexes(coded):
    """Ours and faiss's, or None, and their points."""
    X = clustered(N)
    try:
        import faiss
    except ImportError:
        return IVF(LISTS, m=M if coded else None, random_state=0).fit(X), None
    coarse = faiss.IndexFlatL2(D)
    theirs = faiss.IndexIVFPQ(coarse, D, LISTS, M, 8) if coded else faiss.IndexIVFFlat(coarse, D, LISTS)
    theirs.train(X)
    theirs.add(X)
    books = faiss.vector_to_array(theirs.pq.centroids).reshape(M, 256, D // M).copy() if coded else None
    ours = IVF()
    ours._begin(coarse.reconstruct_n(0, LISTS), books, "l2")
    return ours.add_items(X), theirs


def data(coded, nprobe):
    return *indexes(coded), nprobe, clustered(1000, 1)


def ours(ours, theirs, nprobe, Q):
    return ours.set_params(nprobe=nprobe).knn_query(Q, K)[0]


@peer("faiss")
def faiss(ours, theirs, nprobe, Q):
    import faiss
    faiss.omp_set_num_threads(n_threads())
    theirs.nprobe = nprobe
    return theirs.search(Q, K)[1]


def agree(theirs, ours):
    """Ours looks through more lists where those hold too few; sums in float32 may swap what is nearly as near."""
    there = theirs >= 0
    same = np.mean([len({*a[b >= 0]} & {*b[b >= 0]}) / max(1, (b >= 0).sum()) for a, b in zip(ours, theirs)])
    assert there.mean() > 0.9 and same > 0.995, same


CASES = [Case(f"lists of {'codes' if coded else 'vectors'}, nprobe = {P}", lambda coded=coded, P=P: data(coded, P),
              {"scratchml": ours, "faiss": faiss}, agree) for coded in (False, True) for P in (1, 4, 16, 64)]
