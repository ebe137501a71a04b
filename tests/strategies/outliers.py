"""Values with outliers on either side, with many that are equal or equally far, and on scales far from 1."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(n=13, K=4)
KINDS = ("normal", "far", "masked", "whole", "few values", "mirrored", "skew", "offset", "swallowed below",
         "swallowed above", "most are far")


def values_of(n, kind, seed):
    """Values (n,).  "swallowed": far values whose differences vanish beside their distance from the median."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    some = rng.random(n) < 0.3
    swallowed = np.where(some, 1e-20 * rng.integers(0, 5, n), 1 + rng.random(n))
    half = np.concatenate([x[:n // 2], -x[:n - n // 2]])
    return {"normal": x, "far": np.where(some, 9 * x, x), "masked": np.where(some, 30.0, x),
            "whole": rng.integers(-4, 5, size=n).astype(float), "few values": rng.choice([-2.0, 0, 1, 7], n),
            "mirrored": rng.permutation(half), "skew": np.exp(3 * x), "offset": 1e9 + x,
            "swallowed below": swallowed, "swallowed above": -swallowed,
            "most are far": np.where(rng.random(n) < 0.7, 100 + x, x / 100)}[kind]


@st.composite
def values(draw, least=3, most=40, kinds=KINDS):
    return values_of(draw(st.integers(least, most)), draw(st.sampled_from(kinds)), draw(seeds))


@st.composite
def with_most(draw, least=3, most=40, kinds=KINDS):
    """Values (n,), and how many may be outliers."""
    x = draw(values(least, most, kinds))
    return x, draw(st.integers(1, len(x) - 2))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    return {"x": rng.normal(size=13), "K": 4, "n": 13, "α": 0.05, "i": np.arange(1, 5),
            "R": np.array([3.0, 1, 4, 1]), "λ": np.array([2.0, 2, 2, 6])}[symbol]
