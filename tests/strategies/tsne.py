import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=7, F=2)


@st.composite
def states(draw):
    """G, V, D (N, F) in the middle of a descent; some steps and gradients are zero, some gains at their least."""
    N, F = draw(st.integers(1, 6)), draw(st.sampled_from((1, 2, 3)))
    rng = np.random.default_rng(draw(seeds))
    V, D = rng.normal(size=(2, N, F)) * (rng.random((2, N, F)) < 0.8)
    return np.maximum(rng.random((N, F)) * 3 - 0.3, 0.01), V, D


def fit_arguments():
    """Three blobs, more than the default perplexity asks for."""
    rng = np.random.default_rng(0)
    return (np.repeat([[0.0, 0, 0, 9], [5, 0, 1, 9], [0, 7, 2, 8]], 12, axis=0) + rng.normal(size=(36, 4)),)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    values = np.random.default_rng(0).normal(size=(SIZES["N"], SIZES["F"]))
    return {"η": 50.0, "α": 0.8}.get(symbol, np.abs(values) if symbol == "G" else values)
