"""Features as they come: with ties, gaps and infinities, and few or many distinct values."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=23, V=9, E=4)
KINDS = ("normal", "ties", "one frequent", "skewed", "large", "tiny", "infinite", "constant")


def feature(N, seed, kind="ties", missing=0.1):
    """A feature (N,) of the kind; about so many of its values are NaN."""
    rng = np.random.default_rng(seed)
    x = {"normal": lambda: rng.normal(size=N), "ties": lambda: np.round(2 * rng.normal(size=N)),
         "one frequent": lambda: np.where(rng.random(N) < 0.6, 0.0, rng.normal(size=N)),
         "skewed": lambda: np.floor(np.exp(2 * rng.normal(size=N))), "large": lambda: 1e300 * rng.normal(size=N),
         "tiny": lambda: 1e-310 * np.round(3 * rng.normal(size=N)),
         "infinite": lambda: np.where(rng.random(N) < 0.3, np.copysign(np.inf, rng.normal(size=N)), rng.normal(size=N)),
         "constant": lambda: np.full(N, 0.1)}[kind]()
    return np.where(rng.random(N) < missing, np.nan, x)


def feature_table(N, D, seed, kinds=KINDS, missing=0.1):
    """Features (N, D), each of a kind that is drawn."""
    rng = np.random.default_rng(seed)
    return np.column_stack([feature(N, seed + f, str(rng.choice(kinds)), missing) for f in range(D)])


@st.composite
def features(draw, most=60):
    return feature(draw(st.integers(1, most)), draw(seeds), draw(st.sampled_from(KINDS)),
                   draw(st.sampled_from([0, 0.2, 1])))


def example(symbol):
    return {"x": feature(23, 0), "e": np.array([-3.0, -1, 0, 2]), "c": np.array([1, 2, 7, 8, 9, 15, 20, 21, 23]),
            "B": 4}.get(symbol, SIZES.get(symbol))
