"""Series with a season and a trend, and smoothers for their parts."""
import numpy as np
from hypothesis import strategies as st

from scratchml.timeseries.loess import Smoother
from tests.strategies.distances import seeds
from tests.strategies.loess import counts

SIZES = dict(T=17, P=4)


def seasonal_series(T, P, seed, kind="plain"):
    """A series (T,) with a season of period P, a trend that turns and noise; or far from 0, or with wild values."""
    rng = np.random.default_rng(seed)
    t = np.arange(T)
    y = rng.normal(size=P)[t % P] * 3 + 0.05 * t + np.sin(t / T * 4) + 0.4 * rng.normal(size=T)
    wild = np.where(rng.random(T) < 0.06, 50.0, 0.0)
    return {"plain": y, "offset": 1e6 + y, "wild": y + wild, "large": 1e12 * y}[kind]


@st.composite
def decompositions(draw, degrees=st.integers(0, 1)):
    """y, P and three smoothers."""
    P = draw(st.integers(2, 7))
    T = draw(st.integers(2 * P, 5 * P))
    windows = st.builds(Smoother, st.sampled_from([5, 7, 9, 15, 41]), degrees, st.integers(1, 3))
    kind = draw(st.sampled_from(["plain", "offset", "wild", "large"]))
    return seasonal_series(T, P, draw(seeds), kind), P, draw(windows), draw(windows), draw(windows)


def example(symbol):
    return {"y": seasonal_series(17, 4, 0), "u": np.linspace(0, 1, 17), "ρ": counts(17, 1),
            "X": seasonal_series(25, 4, 1),
            "s": seasonal_series(17, 4, 2), "e": seasonal_series(17, 4, 3), "Q": Smoother(7, 1, 1),
            "U": Smoother(9, 1, 2), "B": Smoother(5, 0, 1)}.get(symbol, SIZES.get(symbol))
