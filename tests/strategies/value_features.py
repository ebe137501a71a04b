"""Series of every kind: smooth and rough, on a grid, with ties, far from 0, constant, short, of one value."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(T=13, B=4)
KINDS = ("noise", "walk", "wave", "whole", "two values", "constant", "zeros", "skew", "offset", "steps", "rising")


def series_of(T, kind, seed):
    """Values (T,).  Noise, walks and waves are multiples of 1/1024, so that sums of them have no rounding."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=T)
    x = {"noise": noise, "walk": noise.cumsum(), "wave": noise / 4 + 3 * np.sin(np.arange(T) / 2),
         "whole": rng.integers(-4, 5, size=T), "two values": rng.choice([-0.5, 2.0], T), "constant": np.full(T, 0.1),
         "zeros": np.zeros(T), "skew": np.exp(2 * noise), "offset": 1e6 + noise, "steps": np.repeat(noise, 5)[:T],
         "rising": np.arange(T) ** 1.5}[kind].astype(float)
    return x if kind == "constant" else np.rint(x * 1024) / 1024


@st.composite
def series(draw, least=1, most=60, kinds=KINDS):
    return series_of(draw(st.integers(least, most)), draw(st.sampled_from(kinds)), draw(seeds))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    x = series_of(13, "walk", 0)
    return {"x": x, "s": np.sort(x), "d": x - x.mean(), "μ": x.mean(), "q": 0.3, "r": 0.25, "B": 4}[symbol]
