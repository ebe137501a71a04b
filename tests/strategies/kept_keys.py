"""What hypothesis draws for transformers that decode step by step: small networks, sentences and their padding."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scratchml.nn import TokenTransformer

SIZES = dict(N=2, S=3, T=4, H=5, A=6, D=7, V=8)
seeds = st.integers(0, 2**32 - 1)


class Problem(NamedTuple):
    network: TokenTransformer
    source: np.ndarray                                   # (N, S), 0 is padding, at the end of each
    targets: np.ndarray                                  # (N, T)


@st.composite
def problems(draw, dtype="float64", **options):
    """A network whose biases and norms are not what they begin with, in eval mode, and a batch for it."""
    rng, H = np.random.default_rng(draw(seeds)), draw(st.integers(1, 2))
    sizes = [draw(st.integers(2, 6)) for _ in range(2)]
    made = dict(norm_first=draw(st.booleans()), tied=draw(st.booleans()), dropout=0.5, dtype=dtype) | options
    network = TokenTransformer(*sizes, H * draw(st.integers(2, 3)), H, *(draw(st.integers(1, 2)) for _ in range(2)), 3,
                               random_state=rng, **made).eval()
    network.load_state_dict({name: a + 0.3 * rng.normal(size=a.shape) for name, a in network.state_dict().items()
                             if not (made["tied"] and name == "scores.weight")}, strict=False)
    N, S, T = (draw(st.integers(1, 3)) for _ in range(3))
    source = rng.integers(1, sizes[0], (N, S))
    source[np.arange(S) >= rng.integers(1, S + 1, (N, 1))] = 0
    return Problem(network, source, rng.integers(1, sizes[1], (N, T)))


def values(symbols, sizes=SIZES, seed=0):
    """An array for each of the `symbols`."""
    rng, (N, S, T, H, A, D, V) = np.random.default_rng(seed), sizes.values()
    E = H * A
    shapes = dict(e=(N, T, D), P=(T, D), g=(N, T), q=(N, E), K=(N, S, 2 * E), k=(N, 2 * E), M=(N, S), z=(N, V))
    made = {symbol: rng.normal(size=shape) for symbol, shape in shapes.items()}
    made |= {"g": made["g"] > 0.5, "M": np.where(made["M"] > 0.5, -np.inf, made["M"])}
    return [made[symbol] for symbol in symbols]


@st.composite
def sizes(draw):
    return {letter: draw(st.integers(1, 4)) for letter in SIZES}


def example(symbol):
    return SIZES["H"] if symbol == "H" else values(symbol)[0]
