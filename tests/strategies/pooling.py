"""What hypothesis draws for pooling: sequences and windows that fit them."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts, seeds

SIZES = dict(N=2, C=3, T=9, S=4)


@st.composite
def windows(draw):
    """x (N, C, T), options of a pool, of which the padding is at most half a window."""
    K, s, d = (draw(st.integers(1, 3)) for _ in range(3))
    p = draw(st.integers(0, K // 2))
    T = draw(st.integers(max(1, d * (K - 1) + 1 - 2 * p), 9)) + p
    rng = np.random.default_rng(draw(seeds))
    shape = draw(st.integers(1, 2)), draw(st.integers(1, 3)), T
    x = rng.permutation(np.prod(shape)).reshape(shape) / 7.0
    return laid_out(x, draw(layouts)), dict(kernel_size=K, stride=s, padding=p, ceil_mode=draw(st.booleans())), d


def example(symbol):
    rng = np.random.default_rng(0)
    sizes = [SIZES[k] for k in "NCT"]
    return {"x": rng.normal(size=sizes), "K": 3, "s": 2, "d": 1, "p": 1, "S": 4, "T": 9,
            "g": rng.normal(size=(2, 3, 4)),
            "i": rng.integers(9, size=(2, 3, 4)), "b": np.array([0, 2, 4, 6]), "e": np.array([3, 5, 7, 9]),
            "n": np.array([3, 3, 3, 4])}[symbol]
