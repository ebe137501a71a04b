import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import known_entries

SIZES = dict(U=5, M=7, L=4, k=3)
seeds = st.integers(0, 2**32 - 1)


def lists(U, M, L, seed, cut=True):
    """U lists of L of M items, some cut short by -1."""
    rng = np.random.default_rng(seed)
    R = np.array([rng.permutation(M)[:L] for _ in range(U)])
    if cut:
        R[np.arange(L) >= rng.integers(L // 2, L + 1, size=U)[:, None]] = -1
    return R


def wanted(U, M, seed):
    """A matrix (U, M) of gains, NaN where an item is not wanted: some want much, some nothing, user 0 something."""
    rng = np.random.default_rng(seed)
    T = rng.integers(1, 5, size=(U, M)).astype(float)
    T[rng.random((U, M)) > rng.choice([0.0, 0.2, 0.5, 0.9], size=(U, 1))] = np.nan
    T[0, rng.integers(M)] = 3
    return T


@st.composite
def judgements(draw):
    """Lists R (U, L), what is wanted T (U, M), and k."""
    U, M = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    L = draw(st.integers(1, M))
    return lists(U, M, L, draw(seeds), draw(st.booleans())), wanted(U, M, draw(seeds)), draw(st.integers(1, L))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol in "kM":
        return SIZES[symbol]
    if symbol == "R":
        return lists(*(SIZES[letter] for letter in "UML"), seed=0)
    if symbol == "S":
        return np.random.default_rng(1).normal(size=(SIZES["U"], SIZES["M"]))
    return known_entries(wanted(SIZES["U"], SIZES["M"], "TA".index(symbol)))
