import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SIZES = dict(N=5, K=3)

# Alike, far apart, beyond what exp can take; -inf is the logarithm of 0.
logarithm = st.one_of(st.floats(-3, 3), st.floats(-1e4, 1e4), st.floats(-1e6, 1e6), st.just(-np.inf))


def logarithms(max_size):
    return st.integers(0, max_size).flatmap(lambda n: hnp.arrays(np.float64, n, elements=logarithm))


@st.composite
def rows(draw, max_rows, max_columns):
    shape = draw(st.integers(0, max_rows)), draw(st.integers(0, max_columns))
    return draw(hnp.arrays(np.float64, shape, elements=logarithm))


def example(symbol):
    x, X = np.linspace(-2, 3, SIZES["N"]), np.random.default_rng(0).normal(size=(SIZES["N"], SIZES["K"]))
    return {"a": -1.0, "b": 2.5, "x": x, "X": X}[symbol]
