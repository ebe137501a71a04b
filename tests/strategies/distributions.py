import numpy as np
from hypothesis import strategies as st

from tests.strategies.special import magnitudes

SIZES = dict(N=5)

thresholds = st.one_of(st.floats(-8, 8), st.floats(-37, 37), magnitudes(-20, 0))
tails = st.one_of(st.floats(1e-9, 1), magnitudes(-320, 0), st.sampled_from([0.5, 0.25, 0.75, 5e-324, 1 - 2**-53]))
freedom = st.one_of(st.integers(1, 60).map(float), magnitudes(0, 4), st.floats(1, 8))


@st.composite
def tables(draw, most=60):
    """(k, M, K, n), k from a little below to a little above what can be."""
    M = draw(st.integers(0, most))
    K, n = draw(st.integers(0, M)), draw(st.integers(0, M))
    return draw(st.integers(max(0, n + K - M) - 1, min(n, K) + 1)), M, K, n


def example(symbol):
    return {"z": np.array([-3.0, -0.5, 0.0, 1.0, 6.0]), "q": np.array([0.9, 0.5, 0.3, 0.01, 1e-8]),
            "t": np.array([-2.0, 0.0, 0.3, 2.0, 9.0]), "ν": np.array([1.0, 2.5, 3.0, 10.0, 100.0]),
            "k": np.array([-1, 0, 2, 3, 9]), "M": 30, "K": 8, "n": 11}[symbol]
