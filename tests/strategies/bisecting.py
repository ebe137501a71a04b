import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, tables
from tests.strategies.kmeans import example as of_kmeans

SIZES = dict(N=7, D=2, K=3, L=4)


@st.composite
def trees(draw, max_rows, max_columns):
    """X, T, t: points and a tree of cuts, each of a cluster that is there."""
    X = draw(tables(max_rows, max_columns))
    rng = np.random.default_rng(draw(seeds))
    L = draw(st.integers(0, 5))
    t = np.array([rng.integers(l + 1) for l in range(L)], dtype=np.int64)
    return X, X[rng.integers(len(X), size=(L, 2))], t


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    own = {"T": rng.normal(size=(4, 2, 2)), "t": np.array([0, 1, 0, 2]), "J": np.array([1.0, 3, 2])}
    return own[symbol] if symbol in own else of_kmeans(symbol)
