"""Pairs of samples: alike and apart, with and without ties, of very different sizes; tables of counts."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(n=7, m=5)
KINDS = ("normal", "shifted", "rounded", "two values", "apart")


def values_of(n, kind, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"normal": x, "shifted": x + 0.7, "rounded": np.rint(2 * x), "two values": np.where(x > 0.5, 3.0, -1.0),
            "apart": x + 9}[kind]


@st.composite
def samples(draw, most=25):
    """x (n,) and y (m,), not all equal."""
    n, m, seed = draw(st.integers(1, most)), draw(st.integers(1, most)), draw(seeds)
    x, y = values_of(n, draw(st.sampled_from(KINDS)), seed), values_of(m, draw(st.sampled_from(KINDS)), seed + 1)
    return (x, y) if np.ptp(np.concatenate([x, y])) else (x, y + 1)


@st.composite
def columns(draw, least=2, most=25):
    """x and y (n,), neither constant; y leans on x."""
    n, seed = draw(st.integers(least, most)), draw(seeds)
    x, noise = (values_of(n, draw(st.sampled_from(KINDS)), seed + k) for k in (0, 1))
    y = noise + draw(st.sampled_from([0, 1, -1])) * x
    x[0], y[-1] = x[-1] + 1, y[0] - 1
    return x, y


tables = st.tuples(*[st.integers(0, 12)] * 4).filter(sum)


def example(symbol):
    return {"x": values_of(7, "normal", 0), "y": values_of(5, "normal", 1), "w": values_of(7, "normal", 2),
            "a": 8, "b": 2, "c": 1, "d": 5}[symbol]
