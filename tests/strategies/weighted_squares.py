import numpy as np
from hypothesis import strategies as st

from tests.strategies.special import magnitudes

SIZES = dict(N=5, W=4)


@st.composite
def weights(draw, least=1, most=6):
    """Different weights, from near each other to far apart."""
    W = draw(st.integers(least, most))
    gaps = draw(st.lists(st.floats(0.2, 3), min_size=W, max_size=W))
    return draw(magnitudes(-6, 6)) * np.exp(-np.cumsum(gaps))


def example(symbol):
    return {"x": np.array([0.5, 2.0, 4.0, 9.0, 30.0]), "λ": np.array([2.0, 1.0, 0.7, 0.1])}[symbol]
