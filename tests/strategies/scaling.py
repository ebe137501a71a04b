import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, tables

SIZES = dict(N=7, D=3)


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


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, sizes = np.random.default_rng(0), SIZES
    numbers = {"n₁": 5, "n₂": 2, "a": -1.0, "b": 3.0, "w": rng.random(sizes["N"])}
    if symbol in numbers:
        return numbers[symbol]
    values = rng.normal(size=(sizes["N"], sizes["D"]) if symbol == "X" else sizes["D"])
    return np.abs(values) if symbol in ("s", "s₁", "s₂", "g") else values
