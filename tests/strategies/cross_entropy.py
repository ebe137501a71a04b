"""What hypothesis draws for cross-entropy: scores from level to hopeless, some impossible, weights, some of them 0."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=5, K=3)


class Drawn(NamedTuple):
    z: np.ndarray                                        # (N, K)
    t: np.ndarray                                        # (N,)
    w: np.ndarray                                        # (K,)
    a: float
    g: np.ndarray                                        # (N,)


@st.composite
def scored(draw, kinds=("normal", "level", "wide", "impossible")):
    N, K, kind = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.sampled_from(kinds))
    rng = np.random.default_rng(draw(seeds))
    z, t = rng.normal(size=(N, K)) * 2, rng.integers(K, size=N)
    if kind == "level":
        z[:] = 700.0
    elif kind == "wide":
        z *= 1e3
    elif kind == "impossible":
        z[rng.random((N, K)) < 0.4] = -np.inf
        z[np.arange(N), t] = rng.normal(size=N)
    w = rng.random(K) * (rng.random(K) < 0.8) if draw(st.booleans()) else np.ones(K)
    a = 0.0 if kind == "impossible" else draw(st.sampled_from([0.0, 0.1, 1.0]))
    return Drawn(laid_out(z, draw(layouts)), t, w, a, rng.normal(size=N))


def example(symbol):
    rng, N, K = np.random.default_rng(0), *SIZES.values()
    return {"z": rng.normal(size=(N, K)), "t": np.array([0, 2, 1, 1, 0]), "w": rng.random(K), "α": 0.2, "K": K,
            "g": rng.normal(size=N), "ℓ": rng.random(N)}[symbol]
