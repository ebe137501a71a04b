"""What hypothesis draws for activations: entries of every size, in every layout, and slopes."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=5, H=4)
slopes = st.sampled_from([0.0, 0.01, 0.2, 1.0, -0.5, 3.0])


@st.composite
def entries(draw, count=3):
    """Arrays (N, H) of numbers from 1e-3 to 1e3 in size, some of them 0; N may be 0."""
    shape = draw(st.integers(0, 4)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    return [laid_out(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, shape) * (rng.random(shape) < 0.9),
                     draw(layouts)) for _ in range(count)]


def example(symbol):
    rng = np.random.default_rng(ord(symbol))
    return {"s": 0.1, "λ": 0.3}[symbol] if symbol in "sλ" else rng.normal(size=(SIZES["N"], SIZES["H"]))
