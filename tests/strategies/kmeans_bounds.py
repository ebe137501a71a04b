import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import KINDS, seeds, table

SIZES = dict(N=7, D=2, K=3)
HOSTILE = ("on a line", "a grid", "copies", "far from the origin", "in single precision", "noise", "heaps")


def points(kind, N, D, seed):
    """Points on which a careless bound, or a careless tie, gives another label."""
    rng = np.random.default_rng(seed)
    if kind == "on a line":
        return rng.integers(0, 9, size=(N, 1)) * np.ones(D)
    if kind == "a grid":
        return rng.integers(-2, 3, size=(N, D)).astype(float)
    if kind == "copies":
        return table(5, D, seed)[rng.integers(5, size=N)]
    if kind == "far from the origin":
        return 1e6 + rng.integers(-3, 4, size=(N, D)) / 4
    if kind == "in single precision":
        return (100 + table(N, D, seed)).astype(np.float32)
    if kind == "heaps":
        return rng.integers(-9, 10, size=(4, D))[rng.integers(4, size=N)] + 1e-3 * rng.normal(size=(N, D))
    return table(N, D, seed, "normal")


@st.composite
def hostile(draw, max_points, max_columns):
    """X and K, often nearly as many clusters as points."""
    N = draw(st.integers(2, max_points))
    X = points(draw(st.sampled_from(HOSTILE)), N, draw(st.integers(1, max_columns)), draw(seeds))
    return X, draw(st.one_of(st.integers(1, min(N, 6)), st.integers(max(1, N - 3), N)))


@st.composite
def centres_twice(draw, max_centres, max_columns):
    """Centres before and after a move."""
    K, D = draw(st.integers(1, max_centres)), draw(st.integers(1, max_columns))
    B = table(K, D, draw(seeds), draw(st.sampled_from(KINDS)))
    return B, B + draw(st.sampled_from([0.0, 1e-6, 1.0])) * np.random.default_rng(draw(seeds)).normal(size=B.shape)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    values = {"B": rng.normal(size=(3, 2)), "C": rng.normal(size=(3, 2)), "p": rng.random(3)}
    return values[symbol] if symbol in values else {"u": 1.0, "l": 2.0, "h": 0.5, "m": 0.25}[symbol]
