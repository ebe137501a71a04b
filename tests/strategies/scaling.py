import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, table, tables

SIZES = dict(N=7, D=3, K=4)


@st.composite
def columns(draw, max_rows, max_columns, min_rows=1):
    """Columns that share nothing: each has a scale and an offset of its own, and some are constant."""
    X = draw(tables(max_rows, max_columns, min_rows=min_rows, kinds=("normal", "integer grid", "constant column")))
    D, rng = X.shape[1], np.random.default_rng(draw(seeds))
    X += rng.choice([0.0, 1.0, -1e4, 1e8], size=D)
    return X * rng.choice([1.0, 1e-3, 1e20, 1e150, 1e-150, 1e250, 1e-250], size=D)


@st.composite
def halves(draw, max_rows, max_columns):
    """The same samples at once and in two parts."""
    X = draw(columns(max_rows, max_columns, min_rows=2))
    n = draw(st.integers(1, len(X) - 1))
    return X, X[:n], X[n:]


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
    rng, sizes = np.random.default_rng(0), SIZES
    numbers = {"n₁": 5, "n₂": 2, "a": -1.0, "b": 3.0, "K": sizes["K"]}
    if symbol in numbers:
        return numbers[symbol]
    if symbol == "P":
        return levels(sizes["N"], sizes["D"], 0)
    if symbol == "Q":
        return np.sort(table(sizes["K"], sizes["D"], 0), axis=0)
    values = rng.normal(size=(sizes["N"], sizes["D"]) if symbol in "XZ" else sizes["D"])
    return np.abs(values) if symbol in ("s", "s₁", "s₂", "g") else values
