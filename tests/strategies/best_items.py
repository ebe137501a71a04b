import numpy as np
from hypothesis import strategies as st

SIZES = dict(M=7, F=3, T=4, N=5)


@st.composite
def scores(draw, most=30):
    """y (M,): distinct, or whole numbers among which many are equal, in any order, rising or falling."""
    M = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.normal(size=M) if draw(st.booleans()) else rng.integers(0, 4, size=M).astype(float)
    order = draw(st.sampled_from(["any", "rising", "falling"]))
    return y if order == "any" else np.sort(y)[::1 if order == "rising" else -1].copy()


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "T":
        return SIZES["T"]
    return rng.normal(size=[SIZES[n] for n in {"y": "M", "V": "MF", "v": "F"}[symbol]])
