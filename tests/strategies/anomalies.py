"""Series with a season, and what is strange in them."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(T=29, P=4, n=3)


def strange(T, P, kind, seed):
    """A series (T,) with a season of P and some values that are far out, both ways."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=P)[np.arange(T) % P] * 3 + rng.normal(size=T)
    some = rng.random(T) < 0.05
    y = np.where(some, y + 30 * rng.normal(size=T), y)
    return {"noise": y, "trend": y + 0.05 * np.arange(T), "whole": np.rint(y), "large": 1e6 + y,
            "small": 1e-6 * y}[kind]


KINDS = ("noise", "trend", "whole", "large", "small")


@st.composite
def series(draw, most=60):
    """A series, and its period."""
    P = draw(st.integers(2, 7))
    T = draw(st.integers(2 * P + 1, max(most, 2 * P + 1)))
    return strange(T, P, draw(st.sampled_from(KINDS)), draw(seeds)), P


def example(symbol):
    """A valid value for a symbol of the chapter."""
    y = strange(29, 4, "noise", 3)
    return {"y": y, "P": 4, "s": np.tile([1.0, 2, -1, 0], 8)[:29], "u": np.arange(29.0), "a": 0.1, "T": 29, "K": 4,
            "r": np.where(np.isin(np.arange(29), [3, 9, 20]), 40.0 + np.arange(29), np.sin(np.arange(29.0)))}[symbol]
