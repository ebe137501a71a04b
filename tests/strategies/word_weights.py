import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import sparse_rows

SIZES = dict(N=5, V=4)
seeds = st.integers(0, 2**32 - 1)
WORDS = ["red", "Red", "tin", "t-light", "42", "a", "été", "holder", "RED tin", "ß3"]
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), min_size=1, max_size=6)


def counts(N, V, seed, most=3):
    """t (N, V), with rows and columns of 0."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, most + 1, size=(N, V)) * (rng.random((N, V)) < rng.random(V)) * (rng.random((N, 1)) < 0.8)
    t[rng.integers(N), rng.integers(V)] = 2
    return t.astype(float)


@st.composite
def tables(draw):
    return counts(draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(seeds), draw(st.sampled_from([1, 3, 9])))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol == "t":
        return sparse_rows(counts(SIZES["N"], SIZES["V"], 0))
    return {"n": np.array([1, 4, 2, 5]), "N": SIZES["N"], "k": 1.2, "b": 0.75}[symbol]


def fit_arguments():
    """What `fit` takes."""
    return (["red tin", "tin lamp", "a red lamp and a tin"],)
