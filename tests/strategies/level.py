import numpy as np
from hypothesis import strategies as st

from tests.strategies.unit_root import series              # noqa: F401

SIZES = dict(T=9, W=400)

regressions = st.sampled_from(["c", "ct"])


def example(symbol):
    rng = np.random.default_rng(0)
    x = rng.normal(size=9).cumsum()
    return {"x": x, "e": x - x.mean(), "d": "ct", "l": 2, "r": 0.2}[symbol]
