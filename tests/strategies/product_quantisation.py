import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=7, m=3, s=2, K=5, D=6)


@st.composite
def points_and_books(draw, most=12):
    """X (N, D), W (m, K, s), q (D,): whole numbers, of which some are as near to one as to another, or normal ones."""
    N, m, s, K = (draw(st.integers(1, n)) for n in (most, 5, 9, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = (N, m * s), (m, K, s), m * s
    if draw(st.booleans()):
        return [rng.integers(-2, 3, size=size) * 1.0 for size in sizes]
    return [rng.normal(size=size) + 1e3 for size in sizes]


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "Y":
        return rng.integers(SIZES["K"], size=(SIZES["N"], SIZES["m"])).astype(np.uint8)
    return rng.normal(size=[SIZES[letter] for letter in {"X": "ND", "W": "mKs", "q": "D"}[symbol]])
