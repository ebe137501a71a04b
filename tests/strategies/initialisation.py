"""What hypothesis draws for initialisation: shapes of weights, fans, slopes, and matrices of normal numbers."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=6, D=4, R=3)
seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
counts = st.integers(1, 10_000)
slopes = st.floats(-3, 3)
gains = st.floats(0.01, 10)


@st.composite
def tall(draw):
    """G (N, D) with N >= D."""
    D = draw(st.integers(1, 5))
    return np.random.default_rng(draw(seeds)).normal(size=(D + draw(st.integers(0, 4)), D))


def example(symbol):
    G = np.random.default_rng(0).normal(size=(SIZES["N"], SIZES["D"]))
    return {"shape": (7, 5, 2), "n": 10, "m": 14, "s": 0.2, "γ": 1.3, "G": G}[symbol]
