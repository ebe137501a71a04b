"""Series with equal neighbours, level stretches, far offsets and great jumps, and the chapter's symbols."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds
from tests.strategies.windows import KINDS, series_of

SIZES = dict(T=19, n=15, w=4, K=3, N=7, H=2)


@st.composite
def windowed(draw):
    """A series and a window for which there is at least one row."""
    w = draw(st.integers(2, 9))
    y = series_of(w + draw(st.integers(1, 25)), draw(st.sampled_from(KINDS)), draw(seeds))
    return y * draw(st.sampled_from([1.0, 1e-150, 1e140])), w


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=19)
    F = np.lib.stride_tricks.sliding_window_view(y, 4)[:-1]
    return {"y": y, "F": F, "μ": F.mean(axis=1), "σ": F.std(axis=1), "n": 40, "w": 4, "s": np.array([0.5, 0.2, 0.3]),
            "z": rng.normal(size=(7, 2)), "a": 0.3, "ε": 1e-5, "o": rng.normal(size=(7, 2)),
            "t": np.c_[rng.normal(size=7), rng.integers(2, size=7)], "λ": 0.4}[symbol]
