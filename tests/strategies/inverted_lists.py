import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=9, D=3, L=5, P=2, n=4)


@st.composite
def points_and_centres(draw, most=30):
    """X (N, D), C (L, D), q (D,): whole numbers, among which many distances are equal, or normal ones at an offset."""
    N, D, L = draw(st.integers(1, most)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return [rng.integers(-3, 4, size=size) * 1.0 for size in ((N, D), (L, D), D)]
    offset = draw(st.sampled_from([0, 1e6]))
    return [rng.normal(size=size) + offset for size in ((N, D), (L, D), D)]


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol in "Pn":
        return SIZES[symbol]
    return rng.normal(size=[SIZES[letter] for letter in {"X": "ND", "C": "LD", "q": "D"}[symbol]])
