"""What hypothesis draws for losses of pairs: batches full of duplicates, and similarities that tie."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=4, D=3)


@st.composite
def batches(draw, least=2, tied=None):
    """Questions and answers (N,) as numbers, few different ones, at least two of the answers; similarities (N, N)."""
    N, rng = draw(st.integers(least, 6)), np.random.default_rng(draw(seeds))
    c, a = rng.integers(draw(st.integers(1, 8)), size=N), rng.integers(draw(st.integers(2, 8)), size=N)
    c[0], a[:2] = 9, (8, 9)                              # a question of its own, so that something is wrong
    tied = draw(st.booleans()) if tied is None else tied
    S = rng.integers(-2, 3, (N, N)) / 4 if tied else rng.normal(size=(N, N))
    return c, a, laid_out(S.astype(float), draw(layouts))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, N, D = np.random.default_rng(0), SIZES["N"], SIZES["D"]
    if symbol in "uv":
        return rng.normal(size=(N, D))
    if symbol in "pq":
        return rng.normal(size=N)
    return {"α": 0.2, "τ": 20.0, "c": np.arange(N), "a": np.array([5, 6, 5, 7]), "w": np.array([1, 0, 3, 2]),
            "S": rng.normal(size=(N, N)), "Ω": ~np.eye(N, dtype=bool),
            "L": lambda S, wrong: (S * wrong).sum()}[symbol]
