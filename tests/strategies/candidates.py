"""What hypothesis draws for candidates: few different scores, so that many tie, and masks of what is wrong."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=3, M=7, k=2, n=4)
seeds = st.integers(0, 2**32 - 1)


def pools(N, M, seed, levels=3):
    """Scores (N, M) of a few levels, the right candidates (N,), and what is wrong (N, M), never the right one."""
    rng = np.random.default_rng(seed)
    S = rng.choice([-np.inf, -1.0, 0.0, 0.5, 2.0, np.inf], size=levels)[rng.integers(levels, size=(N, M))]
    y, wrong = rng.integers(M, size=N), rng.random((N, M)) < rng.choice([0.5, 0.8, 1.0])
    wrong[np.arange(N), y] = False
    return S, y, wrong


@st.composite
def judged(draw):
    """Scores, right candidates, what is wrong, k and n, which no row has too few wrong ones for."""
    S, y, wrong = pools(draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(seeds), draw(st.integers(1, 4)))
    n = draw(st.integers(1, 1 + int(wrong.sum(axis=1).min())))
    return S, y, wrong, draw(st.integers(1, n)), n


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol in "kn":
        return SIZES[symbol]
    if symbol in "ge":
        return np.array({"g": [0, 2, 1], "e": [1, 0, 3]}[symbol])
    rng = np.random.default_rng(0)
    y = rng.integers(SIZES["M"], size=SIZES["N"])
    return {"S": rng.integers(3, size=(SIZES["N"], SIZES["M"])).astype(float), "y": y,
            "Ω": np.arange(SIZES["M"]) != y[:, None]}[symbol]
