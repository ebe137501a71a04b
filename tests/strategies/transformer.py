"""What hypothesis draws for transformers: small sequences, weights, and functions in the place of layers."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=2, T=3, D=4, F=5)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def sizes(draw):
    return {letter: draw(st.integers(1, 4)) for letter in "NTDF"}


def values(symbols, sizes=SIZES, seed=0):
    """An array, or a function, for each of the `symbols`."""
    rng, (N, T, D, F) = np.random.default_rng(seed), sizes.values()
    shapes = dict(x=(N, T, D), W=(F, D), b=(F,), U=(D, F), c=(D,))
    return [rng.normal(size=shapes[symbol]) for symbol in symbols]


def of_neighbours(x):
    """A function that mixes places: the sum of all of a sequence, cubed."""
    return (x.sum(1) ** 3).reshape(x.shape[0], 1, x.shape[2]) + 0 * x


def square(x):
    """A function of each entry."""
    return x * x


def example(symbol):
    given = {"T": 3, "D": 4, "a": square, "f": of_neighbours, "n": square}
    return given[symbol] if symbol in given else values(symbol)[0]
