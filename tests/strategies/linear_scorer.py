import numpy as np
from hypothesis import strategies as st

SIZES = dict(K=7, D=3)
seeds = st.integers(0, 2**32 - 1)


def queries(K, Q, D, seed):
    """Z (K, D), y (K,), some of it 0, and g (K,), numbers from 0 of which each comes; something is right."""
    rng = np.random.default_rng(seed)
    g = rng.permutation(np.concatenate([np.arange(Q), rng.integers(Q, size=K - Q)]))
    y = rng.integers(0, 3, size=K) * (rng.random(K) < 0.5) * 0.5
    y[rng.integers(K)] = 1
    return rng.normal(size=(K, D)), y, g


@st.composite
def some_queries(draw):
    K = draw(st.integers(1, 12))
    return queries(K, draw(st.integers(1, K)), draw(st.integers(1, 4)), draw(seeds))


def fit_arguments():
    Z, y, g = queries(40, 5, 3, 0)
    return Z.tolist(), y, g


def example(symbol):
    """A valid value for a symbol of the chapter."""
    Z, y, g = queries(7, 3, 3, 0)
    rng = np.random.default_rng(1)
    return {"Z": Z, "y": y, "g": g, "w": rng.normal(size=3), "s": rng.normal(size=7)}[symbol]
