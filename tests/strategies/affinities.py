import numpy as np
from hypothesis import strategies as st

from scratchml.core.distances import squared_euclidean
from tests.strategies.distances import seeds, table

SIZES = dict(N=7)
KINDS = ("normal", "constant column", "one direction", "offset 1e6", "scaled 1e8", "scaled 1e-8", "far outlier",
         "scales")


def points(N, D, seed, kind):
    """Rows without duplicates, of at least two columns."""
    rng = np.random.default_rng(seed)
    if kind == "far outlier":
        X = table(N, D, seed)
        X[rng.integers(N)] += 1e6
    elif kind == "scales":
        X = table(N, D, seed) * np.exp(5 * rng.normal(size=(N, 1)))
    else:
        X = table(N, D, seed, kind)
    return X


@st.composite
def clouds(draw, max_rows, max_columns=4, min_rows=4, kinds=KINDS, room=1.0):
    """X (N, D) and a perplexity that it can have, also `room` times as great."""
    N = draw(st.integers(min_rows, max_rows))
    X = points(N, draw(st.integers(2, max_columns)), draw(seeds), draw(st.sampled_from(kinds)))
    return X, draw(st.floats(1.01, (N - 1.01) / room))


@st.composite
def crowds(draw, max_rows):
    """X (N, D) in which points have duplicates: up to all of them."""
    N = draw(st.integers(4, max_rows))
    kind = draw(st.sampled_from(("duplicates", "constant", "integer grid")))
    return table(N, draw(st.integers(1, 3)), draw(seeds), kind), draw(st.floats(1, N - 1))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N = SIZES["N"]
    X = points(N, 3, 0, "normal")
    if symbol == "Δ":
        return squared_euclidean(X, X)
    if symbol == "R":
        R = np.random.default_rng(1).random((N, N)) * (1 - np.eye(N))
        return R / R.sum(axis=1, keepdims=True)
    return {"β": np.linspace(0.5, 2, N), "u": 2.5}[symbol]
