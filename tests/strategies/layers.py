"""What hypothesis draws for layers: small arrays of fitting shapes, in every layout, of moderate and extreme scale."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts

SIZES = dict(N=5, D=3, H=4)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
scales = st.sampled_from([1.0, 1.0, 1e-8, 1e8])


@st.composite
def affine(draw):
    """x (N, D), W (H, D), b (H,) and g (N, H), each of its own scale and layout; N may be 0."""
    N, D, H = draw(st.integers(0, 4)), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    return [laid_out(rng.normal(size=shape) * draw(scales), draw(layouts)) for shape in ((N, D), (H, D), (H,), (N, H))]


def example(symbol):
    rng, N, D, H = np.random.default_rng(0), SIZES["N"], SIZES["D"], SIZES["H"]
    return {"x": rng.normal(size=(N, D)), "W": rng.normal(size=(H, D)), "b": rng.normal(size=H),
            "g": rng.normal(size=(N, H))}[symbol]
