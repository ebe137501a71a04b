import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import Rows

SIZES = dict(U=5, M=7, P=11)
seeds = st.integers(0, 2**32 - 1)


def entries(U, M, seed):
    """Rows (U, M), some of them empty, with values from 1 up in no order, and whole times, many of them equal."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, M + 1, size=U)
    indices = np.concatenate([np.empty(0, int), *(rng.permutation(M)[:count] for count in counts)])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    A = Rows(indptr, indices.astype(np.int32), rng.permutation(len(indices)) + 1.0, (U, M))
    return A, rng.integers(4, size=len(indices)).astype(float)


@st.composite
def timed_entries(draw):
    """Rows (U, M) and times (P,)."""
    return entries(draw(st.integers(1, 6)), draw(st.integers(1, 8)), draw(seeds))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    counts = np.array([4, 0, 1, 5, 1])
    return {"A": Rows(np.concatenate([[0], np.cumsum(counts)]), np.array([0, 6, 2, 5, 3, 1, 2, 3, 4, 5, 0], np.int32),
                      np.ones(11), (5, 7)),
            "c": counts, "h": np.array([2, 0, 0, 1, 0]), "n": 2, "θ": 0.3, "t": rng.integers(3, size=11),
            "z": rng.permutation(11)}[symbol]
