"""Labels, weights and scores of rows."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=6, K=4)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol == "η":
        return 0.3
    rng = np.random.default_rng(ord(symbol))
    return {"y": np.array([0.0, 1, 1, 0, 1, 1]), "w": rng.uniform(1, 3, 6), "F": rng.normal(size=6),
            "v": rng.normal(size=4), "l": rng.integers(0, 4, 6)}[symbol]


@st.composite
def rows(draw):
    """y of 0 and 1, both there, w and F of 2 to 9 rows."""
    n = draw(st.integers(2, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.integers(0, 2, n).astype(float)
    y[:2] = 0, 1
    return y, rng.uniform(0.1, 3, n), rng.normal(size=n) * draw(st.sampled_from([0.0, 1.0, 20.0]))
