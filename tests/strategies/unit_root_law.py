import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds
from tests.strategies.unit_root import regressions         # noqa: F401

SIZES = dict(N=4, n=9)


@st.composite
def steps(draw):
    """A few walks' steps (N, n), more rows than the regression has columns."""
    rng = np.random.default_rng(draw(seeds))
    return rng.normal(size=(draw(st.integers(1, 4)), draw(st.integers(6, 14))))


def example(symbol):
    return {"τ": -2.0, "d": "ct", "n": 9, "E": np.random.default_rng(0).normal(size=(4, 9))}[symbol]
