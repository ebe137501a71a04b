from unicodedata import normalize

import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, table, tables
from tests.strategies.pca import axes

SIZES = dict(N=7, D=5, F=3)


@st.composite
def seen_and_new(draw, max_rows, max_columns):
    """σ, W, n, μ of samples seen so far, and a batch X; where n = 0 nothing has been seen and there is no axis."""
    X = draw(tables(max_rows, max_columns))
    D, seed, n = X.shape[1], draw(seeds), draw(st.sampled_from([0, 1, 2, 7, 1000]))
    rng = np.random.default_rng(seed)
    F = draw(st.integers(1, D)) if n else 0
    spread = np.ptp(X) + 0.5
    σ = np.sort(rng.uniform(0.1, 3, size=F))[::-1] * spread * np.sqrt(n)
    μ = X[0] + spread * rng.normal(size=D) if n else np.zeros(D)
    return σ, axes(F, D, seed), n, μ, X


@st.composite
def batches(draw, max_columns):
    """The rows, and the two to four batches they come in, some of a single row."""
    D = draw(st.integers(1, max_columns))
    sizes = draw(st.lists(st.integers(1, D + 4), min_size=2, max_size=4))
    kind = draw(st.sampled_from(["normal", "duplicates", "constant column", "integer grid", "one direction",
                                 "offset 1e6", "scaled 1e8", "scaled 1e-8"]))
    X = table(sum(sizes), D, draw(seeds), kind)
    return X, np.split(X, np.cumsum(sizes)[:-1])


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, symbol = np.random.default_rng(0), normalize("NFKC", symbol)
    N, D, F = (SIZES[letter] for letter in "NDF")
    return {"n": 11, "μ": rng.normal(size=D), "X": rng.normal(size=(N, D)), "σ": 4 - np.arange(F, dtype=float),
            "W": axes(F, D, 0), "M": rng.normal(size=(F + N + 1, D)), "F": F}[symbol]
