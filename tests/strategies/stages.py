import numpy as np

from scratchml.core.sparse import Rows


def purchases(U=12, M=9, seed=0, cold=()):
    """Rows (U, M) with at least three entries a user, but none of those who are cold, and times of them."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, M - 1, size=U)
    counts[list(cold)] = 0
    indices = np.concatenate([np.sort(rng.permutation(M)[:count]) for count in counts])
    A = Rows(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), indices.astype(np.int32),
             rng.integers(1, 5, size=len(indices)).astype(float), (U, M))
    return A, rng.integers(0, 40, size=len(indices)).astype(float)


def fit_arguments():
    return purchases()[0],
