"""What hypothesis draws for convolution: sequences hardly longer than the window, strides, dilations."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=2, C=3, T=10, H=5, K=4, S=7)


class Drawn(NamedTuple):
    x: np.ndarray                                        # (N, C, T)
    W: np.ndarray                                        # (H, C, K)
    b: np.ndarray                                        # (H,)
    s: int
    d: int


@st.composite
def convolutions(draw):
    N, C, H, K = draw(st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)))
    s, d = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    T, rng = d * (K - 1) + 1 + draw(st.integers(0, 5)), np.random.default_rng(draw(seeds))
    return Drawn(laid_out(rng.normal(size=(N, C, T)), draw(layouts)), rng.normal(size=(H, C, K)), rng.normal(size=H),
                 s, d)


def example(symbol):
    rng = np.random.default_rng(ord(symbol))
    N, C, T, H, K, S = SIZES.values()
    shapes = {"x": (N, C, T), "W": (H, C, K), "b": (H,), "g": (N, H, S), "X": (N, C, K, S), "G": (N, C, K, S)}
    return {"K": K, "s": 1, "d": 1, "T": T}[symbol] if symbol in "KsdT" else rng.normal(size=shapes[symbol])
