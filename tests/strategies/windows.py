import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(T=17, p=3, H=2, n=11, m=4)


def series_of(T, kind, seed):
    """A series (T,) with a rhythm, a trend, an offset that dwarfs it, a jump at one end, or always the same value."""
    rng = np.random.default_rng(seed)
    y = np.sin(np.arange(T) * 1.7) + rng.normal(size=T)
    return {"rhythm": y, "trend": 0.3 * np.arange(T) + y, "offset": 1e9 + y, "constant": np.full(T, 3.7),
            "jump": np.where(np.arange(T) == seed % 2 * (T - 1), 1e9, y),
            "whole": rng.integers(-4, 9, size=T).astype(float), "index": np.arange(float(T))}[kind]


KINDS = ("rhythm", "trend", "offset", "constant", "jump", "whole", "index")


@st.composite
def framed(draw):
    """A series, lags and a horizon for which there is at least one row."""
    l = np.sort(draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True)))[::-1]
    H = draw(st.integers(1, 4))
    T = int(l[0]) + H + draw(st.integers(0, 25))
    return series_of(T, draw(st.sampled_from(KINDS)), draw(seeds)), l, H


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    return {"y": rng.normal(size=SIZES["T"]), "l": np.array([5, 2, 1]), "G": rng.normal(size=(4, 4)), "T": SIZES["T"],
            "s": rng.normal(size=4), "o": 8, "r": 3, "g": 1}.get(symbol, SIZES.get(symbol))
