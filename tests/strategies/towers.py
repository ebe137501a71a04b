import numpy as np

from scratchml.core.sparse import sparse_rows

SIZES = dict(N=4, K=6, F=3, D=5, P=7, M=8)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, K, F, D, P, M = SIZES.values()
    rng = np.random.default_rng(1)
    return {"G": sparse_rows(rng.normal(size=(N, K)) * (rng.random((N, K)) < 0.6)), "E": rng.normal(size=(K, F)),
            "A": sparse_rows(rng.random((P, M)) < 0.5), "t": rng.integers(-1, M, size=P), "x": rng.normal(size=(N, F)),
            "W": rng.normal(size=(F, D)), "c": rng.normal(size=D), "g": rng.normal(size=(N, D))}[symbol]
