import numpy as np
from hypothesis import strategies as st

from tests.strategies.rerank import candidates

SIZES = dict(G=2, U=3, L=4, M=7, N=5)
seeds = st.integers(0, 2**32 - 1)


def some_lists(G, U, L, M, seed, kind="real"):
    """R, s (G, U, L); of the first generator no list is cut short for the first user."""
    drawn = [candidates(U, L, M, seed + g, kind) for g in range(G)]
    R, s = (np.stack(part) for part in zip(*drawn))
    return R, s


@st.composite
def lists_of_several(draw):
    """R, s (G, U, L) and M."""
    M = draw(st.integers(1, 9))
    G, U, L = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, M))
    return *some_lists(G, U, L, M, draw(seeds), draw(st.sampled_from(["real", "ties", "signed"]))), M


def example(symbol):
    """A valid value for a symbol of the chapter."""
    G, U, L, M, N = (SIZES[letter] for letter in "GULMN")
    R, s = some_lists(G, U, L, M, 0)
    rng = np.random.default_rng(1)
    return {"R": R, "s": s, "M": M, "N": N, "c": 60.0, "f": rng.random((U, M)), "C": candidates(U, N, M, 3)[0],
            "p": rng.integers(1, L + 2, size=(G, U, N))}[symbol]
