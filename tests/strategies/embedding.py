import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds, table

SIZES = dict(N=13, D=4, F=2)


@st.composite
def data_and_maps(draw, max_points=12):
    """X (N, D), Y (N, F) and n: on whole numbers, so that equal distances are equal and there are many of them."""
    N = draw(st.integers(3, max_points))
    kinds = st.sampled_from(("integer grid", "duplicates", "constant"))
    X, Y = (np.round(table(N, draw(st.integers(1, 3)), draw(seeds), draw(kinds))) for _ in range(2))
    return X, Y, draw(st.integers(1, (N - 1) // 2))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    return np.random.default_rng(0).normal(size=[SIZES[letter] for letter in {"X": "ND", "Y": "NF"}[symbol]])
