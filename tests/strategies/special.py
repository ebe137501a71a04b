import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=5)


def magnitudes(low, high):
    """Positive numbers whose logarithms are spread evenly: 10^low to 10^high."""
    return st.floats(low, high).map(lambda power: 10.0**power)


# Near the middle, in the tails, at the places where the method changes.
arguments = st.one_of(st.floats(-6, 6), st.floats(-26, 26), magnitudes(-300, 0))
levels = st.one_of(st.floats(1e-12, 1), magnitudes(-320, 0), st.sampled_from([0.5, 0.75, 1e-290, 1e-291, 5e-324]))
gammas = st.one_of(magnitudes(-3, 4), st.sampled_from([0.5, 1.0, 1.5, 2.0, 9.5, 10.0, 11.0]))
between = st.one_of(st.floats(1e-6, 1 - 1e-6), magnitudes(-12, -0.1))


def example(symbol):
    return {"x": np.array([0.1, 0.3, 0.5, 0.7, 0.9]), "p": np.array([-0.9, -0.2, 0.0, 0.4, 0.8]), "z": 0.7, "m": 2.5,
            "q": np.array([1.9, 1.0, 0.6, 0.4, 1e-9]), "a": np.array([0.5, 1.0, 3.0, 7.0, 20.0]),
            "b": np.array([2.0, 0.3, 5.0, 1.0, 40.0]), "d": np.array([0.0, 0.5, 1.0, 2.5, 9.0])}[symbol]
