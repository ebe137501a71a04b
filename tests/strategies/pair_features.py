import numpy as np
from hypothesis import strategies as st

from tests.strategies import splits
from tests.strategies.rerank import candidates

SIZES = dict(U=5, M=7, P=11, N=4)
seeds = splits.seeds


@st.composite
def sales(draw):
    """Rows (U, M), times (P,), candidates C (U, N) that a user may have, and a number of each item (M,)."""
    A, t = draw(splits.timed_entries())
    seed = draw(seeds)
    C, _ = candidates(A.shape[0], draw(st.integers(1, A.shape[1])), A.shape[1], seed)
    return A, t, C, np.random.default_rng(seed).normal(size=A.shape[1])


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    C, _ = candidates(5, 4, 7, 0)
    return {"A": splits.example("A"), "t": rng.random(11), "x": rng.normal(size=7), "C": C, "w": 0.5}[symbol]
