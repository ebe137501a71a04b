import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import known_entries
from scratchml.recommend.objectives import Family

SIZES = dict(N=6, M=5, F=3, n=4)
FAMILIES = {"observed": Family(), "weighted": Family(unobserved=0.3), "heavier": Family(unobserved=2.0),
            "squared": Family(unobserved=1.0), "confidence": Family(4.0, 0.0, 1.0, 1.0), "centred": Family(level=-2.5)}
seeds = st.integers(0, 2**32 - 1)
families = st.sampled_from(sorted(FAMILIES)).map(FAMILIES.get)


def ratings(N, M, seed=0, share=0.5):
    """A (N, M): whole numbers 0 ... 5, a share of them, else NaN; from N, M = 4 on, a user and an item without any."""
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((N, M)) < share, rng.integers(0, 6, size=(N, M)), np.nan)
    if N > 3:
        A[1] = np.nan
    if M > 3:
        A[:, 2] = np.nan
    return A


@st.composite
def problems(draw, most=7):
    """A (N, M), some of it known, and U, V, not alike in scale."""
    N, M, F = (draw(st.integers(1, n)) for n in (most, most, 4))
    seed, scale = draw(seeds), 10.0 ** draw(st.integers(-3, 3))
    rng = np.random.default_rng(seed)
    A = ratings(N, M, seed, draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])))
    return A, scale * rng.normal(size=(N, F)), rng.normal(size=(M, F))


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol in "wλμa":
        return 0.7
    if symbol == "R":
        return known_entries(ratings(SIZES["N"], SIZES["M"]))
    if symbol == "family":
        return FAMILIES["confidence"]
    return rng.uniform(0.5, 2, size=[SIZES[n] for n in {"U": "NF", "V": "MF", "b": "N", "d": "M", "X": "nF", "k": "n",
                                                        "L": "N"}[symbol]])
