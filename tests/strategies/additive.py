"""What hypothesis draws: queries and keys after their maps, and layers with inputs and masks."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import laid_out, layouts

SIZES = dict(B=2, L=3, S=4, H=5, C=6)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def operands(draw):
    """a, u, w, M, v and dZ; whole rows of M may be forbidden."""
    B, L, S, H, C = (draw(st.integers(1, 4)) for _ in range(5))
    return arrays(np.random.default_rng(draw(seeds)), B, L, S, H, C, draw(st.sampled_from([0.3, 1, 30])))


def arrays(rng, B, L, S, H, C, spread=1.0):
    a, u, v = (rng.normal(size=shape) * spread for shape in ((B, L, H), (B, S, H), (B, S, C)))
    M = np.where(rng.random((B, L, S)) < 0.7, rng.normal(size=(B, L, S)), -np.inf)
    return a, u, rng.normal(size=H), M, v, rng.normal(size=(B, L, S))


@st.composite
def problems(draw, dtype=np.float64):
    """(query_dim, hidden_dim, key_dim), inputs (query, keys, values), and a mask or None; no row is all forbidden."""
    rng = np.random.default_rng(draw(seeds))
    B, L, S, C, D, H, K = (draw(st.integers(1, 4)) for _ in range(7))
    query = (B, D) if draw(st.booleans()) else (B, L, D)
    inputs = [laid_out(rng.normal(size=shape).astype(dtype), draw(layouts)) for shape in (query, (B, S, K), (B, S, C))]
    mask = rng.random((B, S)) < 0.4
    mask[:, 0] = False
    return (D, H, K), inputs, draw(st.sampled_from([None, mask, np.where(mask, -np.inf, 0.5).astype(dtype)]))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    B, L, S, H, C = SIZES.values()
    return dict(zip(("a", "u", "w", "M", "v", "dZ"), arrays(np.random.default_rng(0), B, L, S, H, C)))[symbol]
