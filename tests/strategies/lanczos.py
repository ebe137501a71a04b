import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import sparse_rows

SIZES = dict(N=7, D=6, L=2, M=4, F=3)


@st.composite
def matrices(draw, largest=12):
    """A (N, D) of any shape and rank from 1 up, its singular values falling by a factor of 3 from each to the next."""
    N, D = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rank = draw(st.integers(1, min(N, D)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    U, V = np.linalg.qr(rng.normal(size=(N, rank)))[0], np.linalg.qr(rng.normal(size=(D, rank)))[0]
    scale = 10.0 ** draw(st.integers(-8, 8))
    return scale * (U * 3.0 ** -np.arange(rank)) @ V.T


@st.composite
def spectra(draw, most=40):
    """A (N, D) and its singular values (min(N, D),), falling: repeated, 0, far apart, or like those of noise."""
    N, D = draw(st.integers(2, most)), draw(st.integers(2, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    R = min(N, D)
    s = {"repeated": np.sort(rng.integers(1, 4, R) * 1.0)[::-1], "one value": np.ones(R), "zero": np.zeros(R),
         "deficient": np.where(np.arange(R) < (R + 1) // 2, np.linspace(2, 1, R), 0),
         "far apart": 10.0 ** -np.arange(R), "noise": np.sort(rng.random(R))[::-1]}[draw(st.sampled_from(
             ["repeated", "one value", "zero", "deficient", "far apart", "noise"]))]
    U, V = np.linalg.qr(rng.normal(size=(N, R)))[0], np.linalg.qr(rng.normal(size=(D, R)))[0]
    scale = 10.0 ** draw(st.sampled_from([0, -150, 150]))
    return scale * (U * s @ V.T), scale * s


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "G":
        return rng
    if symbol == "F":
        return SIZES["F"]
    if symbol == "R":
        return sparse_rows(np.rint(rng.normal(size=(SIZES["N"], SIZES["D"]))))
    if symbol == "K":
        return np.linalg.qr(rng.normal(size=(SIZES["D"], SIZES["M"])))[0].T
    if symbol == "T":
        half = rng.normal(size=(SIZES["M"], SIZES["M"]))
        return half @ half.T
    if symbol == "Q":
        return np.linalg.qr(rng.normal(size=(SIZES["N"], SIZES["F"])))[0]
    dims = dict(A="ND", B="DL", W="DL", E="DL", Y="MF", g="N", h="D")[symbol]
    return rng.normal(size=[SIZES[letter] for letter in dims])
