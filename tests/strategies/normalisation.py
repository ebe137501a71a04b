"""What hypothesis draws for normalisation: channels of every scale, far from zero, constant, in every layout."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=6, C=4)


class Drawn(NamedTuple):
    g: np.ndarray                                        # (N, C)
    x: np.ndarray                                        # (N, C)
    w: np.ndarray                                        # (C,)
    b: np.ndarray                                        # (C,)
    eps: float


@st.composite
def batches(draw, most=5):
    N, C, kind = draw(st.integers(2, most)), draw(st.integers(2, most)), draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(seeds))
    x = rng.normal(size=(N, C))
    if kind == "offset":
        x += 1e4
    elif kind == "scaled":
        x *= 10.0 ** rng.integers(-8, 9, C)
    elif kind == "constant":
        x[:, 0] = x[0] = 3.0
    return Drawn(laid_out(rng.normal(size=(N, C)), draw(layouts)), laid_out(x, draw(layouts)), rng.normal(size=C),
                 rng.normal(size=C), draw(st.sampled_from([1e-5, 1e-2, 1.0])))


KINDS = ("normal", "normal", "offset", "scaled", "constant")


def example(symbol):
    rng = np.random.default_rng(len(symbol) + ord(symbol[0]))
    if symbol in ("ε", "α"):
        return {"ε": 1e-3, "α": 0.2}[symbol]
    return rng.random(SIZES["C"]) if symbol in "μVwbrm" else rng.normal(size=(SIZES["N"], SIZES["C"]))
