"""What hypothesis draws for Adadelta: settings, a first x, and gradients of very different sizes."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(D=5)
seeds = st.integers(0, 2**32 - 1)
settings = st.fixed_dictionaries(dict(lr=st.floats(1e-2, 2), rho=st.sampled_from([0.0, 0.5, 0.9, 0.99]),
                                      eps=st.sampled_from([1e-6, 1e-2]), weight_decay=st.sampled_from([0.0, 0.3])))


@st.composite
def trajectories(draw):
    """(settings, x (D,), gradients (T, D))"""
    rng = np.random.default_rng(draw(seeds))
    D, T = draw(st.integers(1, 3)), draw(st.integers(1, 8))
    return draw(settings), rng.normal(size=D), rng.normal(size=(T, D)) * 10.0 ** rng.integers(-2, 3, D)


def example(symbol):
    rng = np.random.default_rng(ord(symbol[0]))
    return 1e-3 if symbol == "ε" else rng.normal(size=SIZES["D"]) if symbol == "g" else rng.random(SIZES["D"])
