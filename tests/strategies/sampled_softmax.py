import numpy as np
from hypothesis import strategies as st

SIZES = dict(B=3, C=5, M=6, F=4, D=2)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def batches(draw):
    """Scores s (B, C), the items t (B,) of pairs and those of candidates c (C,), which begin with t; q (C,) of M."""
    B, M = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(seeds))
    t = rng.integers(M, size=B)
    c = np.concatenate([t, rng.integers(M, size=draw(st.integers(0, 4)))])
    share = rng.random(M) + 0.05
    return draw(st.sampled_from([1e-3, 1, 5])) * rng.normal(size=(B, len(c))), t, c, (share / share.sum())[c]


def example(symbol):
    """A valid value for a symbol of the chapter."""
    B, C, M, F = (SIZES[letter] for letter in "BCMF")
    rng = np.random.default_rng(1)
    share = rng.random(M)
    return {"s": rng.normal(size=(B, C)), "q": share[:C], "t": np.array([0, 1, 0]), "c": np.array([0, 1, 0, 4, 1]),
            "r": np.array([1.0, 2, 0.5]), "f": share / share.sum(), "B": B, "D": SIZES["D"], "x": rng.normal(size=B),
            "u": rng.normal(size=(B, F)), "g": rng.normal(size=(B, F))}[symbol]
