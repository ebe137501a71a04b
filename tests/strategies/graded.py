"""Queries with graded documents, many of them with equal scores."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(n=5, k=3, m=4)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol in ("k", "y_max"):
        return dict(k=3, y_max=4)[symbol]
    n = SIZES["m" if symbol == "x" else "n"]
    rng = np.random.default_rng(len(symbol))
    return {"y": rng.integers(1, 4, n), "s": rng.normal(size=n), "g": rng.integers(1, 9, n) * 1.0,
            "p": rng.uniform(size=n), "x": rng.uniform(size=n)}[symbol]


@st.composite
def queries(draw, most=5):
    """Grades and scores of one query, of which many are equal, and how many places to look at."""
    n = draw(st.integers(1, most))
    y = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), float)
    s = np.array(draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)), float)
    return y, s, draw(st.integers(1, n + 2))
