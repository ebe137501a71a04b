import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=5)


def around(*centres):
    """Floats near any of the `centres`, at distances of all magnitudes."""
    near = st.tuples(st.sampled_from(centres), st.floats(-18, 3), st.sampled_from([-1, 1]))
    return near.map(lambda drawn: drawn[0] + drawn[2] * 10.0 ** drawn[1])


def single(numbers):
    return numbers.map(lambda x: float(np.float32(x)))


def example(symbol):
    return {"x": 0.7}[symbol]
