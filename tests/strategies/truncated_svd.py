import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import sparse_rows

SIZES = dict(N=6, M=5, F=3)


@st.composite
def matrices(draw, most=9):
    """A (N, M) of any rank, about half of it 0, its singular values not alike; any scale."""
    N, M = draw(st.integers(1, most)), draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.normal(size=(N, M)) * 4.0 ** -np.arange(M)
    A[rng.random(A.shape) < 0.5] = 0
    return 10.0 ** draw(st.integers(-6, 6)) * A


def fit_arguments():
    """What `fit` takes: columns of different scales."""
    return (np.random.default_rng(0).normal(size=(40, 6)) * [3.0, 1, 7, 0.5, 2, 4] + 1,)


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "R":
        return sparse_rows(np.rint(rng.normal(size=(SIZES["N"], SIZES["M"]))))
    if symbol in ("F", "total"):
        return {"F": SIZES["F"], "total": 2.5}[symbol]
    return rng.normal(size=[SIZES[n] for n in {"W": "FM", "Z": "NF"}[symbol]])
