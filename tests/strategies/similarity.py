"""What hypothesis draws for similarity: pairs of vectors of every size, some entries 0, and orders of norms."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=5, D=3)
orders = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 7.0, np.inf])


@st.composite
def vectors(draw, count=2, zeros=0.2):
    """Arrays (N, D) of numbers from 1e-3 to 1e3 in size; a share `zeros` of them is 0."""
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    return [laid_out(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, (shape[0], 1)) * (rng.random(shape) >= zeros),
                     draw(layouts)) for _ in range(count)]


def example(symbol):
    if symbol in "pε":
        return {"p": 3.0, "ε": 1e-6}[symbol]
    return np.random.default_rng(ord(symbol)).normal(size=(SIZES["N"], SIZES["D"]))
