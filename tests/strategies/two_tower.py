import numpy as np

from scratchml.core.sparse import sparse_rows
from tests.strategies.item_neighbors import known

SIZES = dict(N=4, K=6, F=3, B=2, C=5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, K, F, B, C = SIZES.values()
    rng = np.random.default_rng(1)
    return {"G": sparse_rows(rng.normal(size=(N, K)) * (rng.random((N, K)) < 0.6)), "E": rng.normal(size=(K, F)),
            "u": rng.normal(size=(B, F)), "v": rng.normal(size=(C, F)), "τ": 0.2}[symbol]


def fit_arguments():
    """What `fit` takes."""
    return (known(20, 12, 0),)
