import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(T=13, n=10, k=5, m=3)

regressions = st.sampled_from(["n", "c", "ct", "ctt"])


@st.composite
def series(draw, least=14, most=30):
    """Walks, noise about a level or a trend, and waves with noise, on a grid of 1/1024; T at least `least`."""
    rng = np.random.default_rng(draw(seeds))
    T = draw(st.integers(least, most))
    steps = rng.normal(size=T)
    kind = draw(st.sampled_from(["walk", "noise", "trend", "wave", "heavy"]))
    y = {"walk": steps.cumsum(), "noise": steps, "trend": steps + 0.3 * np.arange(T),
         "wave": steps + 3 * np.sin(np.arange(T)), "heavy": rng.standard_cauchy(T).clip(-99, 99)}[kind]
    return np.rint(y * 1024) / 1024


def example(symbol):
    """With p = 2 and a constant and a trend, g = 2."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=SIZES["T"]).cumsum()
    return {"y": y, "p": 2, "d": "ct", "g": 2, "X": rng.normal(size=(10, 5)), "dy": rng.normal(size=10), "T": 13,
            "n": 10,
            "SSR": np.array([3.0, 2.0, 1.9]), "k": np.array([3, 4, 5]), "w": 2.0, "t": np.array([-1.0, 2.0, 0.3]),
            "τ": -2.0}[symbol]
