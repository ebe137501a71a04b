import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=7, D=5, L=3)


@st.composite
def matrices(draw, largest=12):
    """A (N, D) of any shape and rank from 1 up, its singular values falling by at least a factor of 3 each."""
    N, D = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rank = draw(st.integers(1, min(N, D)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    U, V = np.linalg.qr(rng.normal(size=(N, rank)))[0], np.linalg.qr(rng.normal(size=(D, rank)))[0]
    scale = 10.0 ** draw(st.integers(-8, 8))
    return scale * (U * 3.0 ** -np.arange(rank)) @ V.T


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "q":
        return 2
    if symbol == "Q":
        return np.linalg.qr(rng.normal(size=(SIZES["N"], SIZES["L"])))[0]
    return rng.normal(size=[SIZES[letter] for letter in {"A": "ND", "B": "DL"}[symbol]])
