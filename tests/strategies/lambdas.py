"""Queries with scores and gains, of which many are equal, and how pairs are to count."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(n=5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol in ("T", "Z", "ν", "σ"):
        return {"T": 3, "Z": 2.5, "ν": 1, "σ": 1.5}[symbol]
    n = SIZES["n"]
    rng = np.random.default_rng(ord(symbol))
    return {"s": rng.normal(size=n), "g": rng.integers(0, 4, n) * 1.0, "y": rng.integers(0, 4, n) * 1.0,
            "W": rng.uniform(size=(n, n)), "w": rng.uniform(size=(n, n)), "L": rng.normal(size=(n, n))}[symbol]


@st.composite
def queries(draw, most=5):
    """Scores and gains of one query, of which many are equal, T, ν and σ."""
    n = draw(st.integers(1, most))
    lists = dict(min_size=n, max_size=n)
    s = np.array(draw(st.one_of(st.lists(st.sampled_from([-1.5, 0.0, 0.25, 2.0]), **lists),
                                st.lists(st.floats(-9, 9), **lists))))
    g = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 3.0, 7.5]), **lists)))
    return s, g, draw(st.integers(1, n + 2)), draw(st.booleans()), draw(st.sampled_from([0.5, 1.0, 2.0]))
