import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, table, tables

SIZES = dict(N=7, D=3, K=4)


@st.composite
def distributions(draw, max_rows, max_columns, max_quantiles):
    """Quantiles Q, with ties, and values X beside, between, upon and beyond them."""
    kinds = ("normal", "integer grid", "duplicates", "constant column", "offset 1e6")
    samples = draw(tables(20, max_columns, kinds=kinds))
    K, rng = draw(st.integers(1, max_quantiles)), np.random.default_rng(draw(seeds))
    Q = np.sort(samples[rng.integers(len(samples), size=K)], axis=0)
    N = draw(st.integers(1, max_rows))
    near = np.take_along_axis(Q, rng.integers(K, size=(N, Q.shape[1])), axis=0)
    far = near + rng.normal(size=near.shape) * (np.ptp(Q) / K + 1)
    return np.where(rng.random(near.shape) < 0.5, near, far), Q


def levels(N, D, seed):
    """Numbers from 0 to 1, near both ends too, and the ends."""
    rng = np.random.default_rng(seed)
    near = 10.0 ** -rng.uniform(0, 15, size=(N, D))
    P = np.where(rng.random((N, D)) < 0.5, near, 1 - near)
    return np.where(rng.random((N, D)) < 0.2, rng.integers(0, 2, size=(N, D)), P)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, D, K = SIZES.values()
    return {"K": K, "P": levels(N, D, 0), "Q": np.sort(table(K, D, 0), axis=0)}.get(symbol, table(N, D, 1))
