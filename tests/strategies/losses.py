"""What hypothesis draws for losses: answers and targets of one shape, signs, classes; kinks are kept away from."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=5, D=3)


@st.composite
def pairs(draw, count=2):
    """Arrays (N, D) of numbers of size 1, no two of them at one place nearer than 0.01."""
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    first = rng.normal(size=shape)
    others = [first + rng.choice([-1, 1], shape) * (0.01 + rng.random(shape)) * (2 + k) for k in range(count - 1)]
    return [laid_out(array, draw(layouts)) for array in (first, *others)]


@st.composite
def signs(draw, N):
    return np.random.default_rng(draw(seeds)).choice([-1.0, 1.0], N)


def example(symbol):
    rng, N, D = np.random.default_rng(ord(symbol)), *SIZES.values()
    if symbol in "δmε":
        return {"δ": 0.7, "m": 0.3, "ε": 1e-6}[symbol]
    if symbol in "ts":
        return {"t": np.array([0, 2, 1, 1, 0]), "s": np.array([1.0, -1.0, -1.0, 1.0, 1.0])}[symbol]
    return 0.1 + 0.8 * rng.random({"w": D, "u": N, "v": N}.get(symbol, (N, D)))
