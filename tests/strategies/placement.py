import numpy as np
from hypothesis import strategies as st

from scratchml.core.distances import squared_euclidean
from tests.strategies.affinities import points
from tests.strategies.distances import seeds

SIZES = dict(M=4, N=7, F=2)


@st.composite
def arrivals(draw, max_rows=40):
    """Δ (M, N), a map Y (N, F) and a perplexity that new points can have."""
    M, N, F = draw(st.integers(1, 5)), draw(st.integers(4, max_rows)), draw(st.sampled_from((1, 2, 3)))
    X = points(M + N, draw(st.integers(2, 4)), draw(seeds), draw(st.sampled_from(("normal", "scales", "scaled 1e-8"))))
    spread = draw(st.sampled_from((1e-3, 1.0, 30.0)))
    Y = spread * np.random.default_rng(draw(seeds)).normal(size=(N, F))
    return squared_euclidean(X[:M], X[M:]), Y, draw(st.floats(1.05, N - 1.05))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, (M, N, F) = np.random.default_rng(0), SIZES.values()
    if symbol == "Δ":
        return rng.random((M, N)) * 9
    if symbol == "R":
        R = rng.random((M, N))
        return R / R.sum(axis=1, keepdims=True)
    return {"u": 2.5, "Y": rng.normal(size=(N, F)), "Z": rng.normal(size=(M, F)) + 1}[symbol]
