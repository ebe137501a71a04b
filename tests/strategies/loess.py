"""Rows of values, how much each counts, and windows."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(n=13, m=5)


def values(n, seed, kind="waves"):
    """Values (n,): waves with noise, an offset that dwarfs them, all alike, a step, one wild, whole numbers."""
    rng = np.random.default_rng(seed)
    y = np.sin(np.arange(n) * 0.9) + 0.3 * rng.normal(size=n)
    return {"waves": y, "offset": 1e9 + y, "constant": np.full(n, -2.5),
            "step": np.where(np.arange(n) < n // 3, -1.0, 4.0),
            "wild": np.where(np.arange(n) == seed % n, 1e6, y),
            "whole": rng.integers(-3, 4, size=n).astype(float)}[kind]


KINDS = ("waves", "offset", "constant", "step", "wild", "whole")


def counts(n, seed):
    """How much each counts (n,): some not at all, some little."""
    rng = np.random.default_rng(seed)
    return rng.random(n) ** 3 * (rng.random(n) < 0.8)


@st.composite
def rows(draw):
    """y, ρ, a window that may be longer than y, a degree and a jump."""
    n = draw(st.integers(1, 24))
    return (values(n, draw(seeds), draw(st.sampled_from(KINDS))), counts(n, draw(seeds)), draw(st.integers(1, 40)),
            draw(st.integers(0, 1)), draw(st.integers(1, 6)))


def example(symbol):
    return {"y": values(13, 0), "ρ": counts(13, 1), "x": 4, "q": 6, "g": 1, "r": 2, "h": 3.7,
            "d": np.array([0.0, 1.5, 3.0, 4.0, 0.002])}.get(symbol, SIZES.get(symbol))
