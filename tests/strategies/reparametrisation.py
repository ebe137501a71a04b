"""What hypothesis draws for weight normalisation: lengths and directions, in every layout."""
import numpy as np
from hypothesis import strategies as st

SIZES = {"N": 3, "D": 5}


def example(symbol):
    rng = np.random.default_rng(ord(symbol))
    return rng.uniform(0.5, 2, (SIZES["N"], 1)) if symbol == "g" else rng.normal(size=(SIZES["N"], SIZES["D"]))


@st.composite
def lengths_and_directions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    N, D = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    v = rng.normal(size=(D, N)).T if draw(st.booleans()) else \
        rng.normal(size=(N, D)) * draw(st.sampled_from([1e-8, 1, 1e8]))
    return rng.normal(size=(N, 1)), v
