"""What hypothesis draws for layers: small arrays of fitting shapes, in every layout, of moderate and extreme scale."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts

SIZES = dict(N=5, D=3, H=4, V=6)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
scales = st.sampled_from([1.0, 1.0, 1e-8, 1e8])


@st.composite
def affine(draw):
    """x (N, D), W (H, D), b (H,) and g (N, H), each of its own scale and layout; N may be 0."""
    N, D, H = draw(st.integers(0, 4)), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    return [laid_out(rng.normal(size=shape) * draw(scales), draw(layouts)) for shape in ((N, D), (H, D), (H,), (N, H))]


@st.composite
def tables(draw):
    """E (V, D), i (N,) with repetitions, and e (N, D)."""
    N, D, V = draw(st.integers(0, 9)), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    E, e = (laid_out(rng.normal(size=shape) * draw(scales), draw(layouts)) for shape in ((V, D), (N, D)))
    return E, rng.integers(V, size=N), e


@st.composite
def drops(draw):
    """u (N, H), m (N, H) and p."""
    N, H, p = draw(st.integers(0, 4)), draw(sizes), draw(st.floats(0, 0.99))
    rng = np.random.default_rng(draw(seeds))
    return laid_out(rng.normal(size=(N, H)), draw(layouts)), rng.random((N, H)) >= p, p


def example(symbol):
    rng, N, D, H, V = np.random.default_rng(0), *SIZES.values()
    return {"x": rng.normal(size=(N, D)), "W": rng.normal(size=(H, D)), "b": rng.normal(size=H),
            "g": rng.normal(size=(N, H)), "E": rng.normal(size=(V, D)), "i": np.array([2, 0, 5, 2, 1]),
            "e": rng.normal(size=(N, D)), "V": V, "u": rng.normal(size=(N, H)), "m": rng.random((N, H)) < 0.6,
            "p": 0.4}[symbol]
