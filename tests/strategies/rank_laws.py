"""Sizes of two samples, and areas and distances that their paths can have."""
import math

import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=5)


@st.composite
def areas(draw, least=8, most=12):
    """(u, n, m), one of the sizes at most `least`."""
    n, m = draw(st.permutations([draw(st.integers(1, least)), draw(st.integers(1, most))]))
    return draw(st.integers(0, n * m)), n, m


@st.composite
def distances(draw, most=30):
    n, m = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(st.integers(0, math.lcm(n, m))), n, m


def example(symbol):
    return {"u": np.array([0, 3, 7, 14, 15]), "d": np.array([0, 3, 7, 12, 15]), "n": 3, "m": 5,
            "z": np.array([0.0, 0.3, 0.8, 1.0, 3.0])}[symbol]
