import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import known_entries

SIZES = dict(U=6, M=5)
seeds = st.integers(0, 2**32 - 1)


def known(U, M, seed, kind="counts", share=0.5):
    """A matrix (U, M) of which about a share is known, the rest NaN; on whole numbers there are many ties."""
    rng = np.random.default_rng(seed)
    A = {"counts": rng.integers(1, 4, size=(U, M)).astype(float), "ones": np.ones((U, M)),
         "real": rng.normal(size=(U, M)), "large": 1e100 * rng.normal(size=(U, M)),
         "small": 1e-100 * rng.normal(size=(U, M)), "zeros": rng.integers(0, 2, size=(U, M)).astype(float),
         "duplicates": np.repeat(rng.integers(1, 3, size=(U, 1)).astype(float), M, axis=1)}[kind]
    A[rng.random((U, M)) > share * 2 * rng.random(M)] = np.nan
    return A


KINDS = st.sampled_from(["counts", "ones", "real", "large", "small", "zeros", "duplicates"])


@st.composite
def matrices(draw):
    """A matrix (U, M); some rows and columns may be without a known entry."""
    U, M, share = draw(st.integers(1, 7)), draw(st.integers(1, 6)), draw(st.sampled_from([0.2, 0.5, 1]))
    return known(U, M, draw(seeds), draw(KINDS), share)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol == "n":
        return 2
    if symbol == "C":
        return known_entries(known(SIZES["M"], SIZES["M"], 1))
    return known_entries(known(SIZES["U"], SIZES["M"], 0))


def fit_arguments():
    """What `fit` takes."""
    return (known(40, 12, 0),)
