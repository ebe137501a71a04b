import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import sparse_rows

SIZES = dict(N=6, D=3)
seeds = st.integers(0, 2**32 - 1)


def items(N, D, seed, kind="real"):
    """A full X (N, D), k and n (N,): some items were never taken, some never bad, but not all."""
    rng = np.random.default_rng(seed)
    X = {"real": rng.normal(size=(N, D)), "words": (rng.random((N, D)) < 0.4).astype(float),
         "scaled": rng.normal(size=(N, D)) * 10.0 ** rng.integers(-6, 7, size=D),
         "offset": rng.normal(size=(N, D)) + 1e6}[kind]
    n = rng.integers(0, 30, size=N)
    n[:2] = 9, 20
    k = rng.binomial(n, rng.random(N) ** 2)
    k[:2] = 4, 3
    return X, k, n


@st.composite
def shops(draw, kinds=("real", "words", "scaled", "offset")):
    """X (N, D), k and n (N,)."""
    return items(draw(st.integers(2, 9)), draw(st.integers(1, 4)), draw(seeds), draw(st.sampled_from(kinds)))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    X, k, n = items(*SIZES.values(), 0)
    rng = np.random.default_rng(1)
    return {"X": sparse_rows(X), "k": k, "n": n, "w": rng.normal(size=SIZES["D"]), "z": rng.normal(size=SIZES["N"]),
            "λ": 0.7, "P": rng.random(SIZES["N"]), "m": 5.0, "g": 2.0, "c": 7.0}[symbol]


def fit_arguments():
    """What `fit` takes: features as a list of rows, and counts."""
    X, *counts = items(30, 4, 0)
    return X.tolist(), *counts
