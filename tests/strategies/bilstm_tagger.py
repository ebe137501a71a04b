"""What hypothesis draws for the tagger that reads both ways: attributes, weights, labels of which some are unknown."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies import bags
from tests.strategies.tagger import sentences

SIZES = dict(N=5, M=7, D=3, H=2, K=4)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def networks(draw):
    """{symbol: value} of the chapter, of any size; at least one label is known."""
    N, M, D, H, K = (draw(st.integers(1, most)) for most in (5, 6, 3, 3, 4))
    return network(N, M, D, H, K, draw(seeds))


def network(N, M, D, H, K, seed=0):
    rng = np.random.default_rng(seed)
    R, S = rng.normal(size=(2, 4 * H, D + H + 1))
    x, P, W, E = (rng.normal(size=shape) for shape in ((N, D), (M, D), (K, 2 * H), (N, K)))
    y = rng.integers(-1, K, N)
    y[rng.integers(N)] = rng.integers(K)
    u, v = rng.normal(size=(2, N, H))
    return {"G": bags.rows(rng, N, M), "P": P, "x": x, "R": R, "S": S, "u": u, "v": v, "W": W, "b": rng.normal(size=K),
            "E": E * 3, "y": y}


def example(symbol):
    drawn = network(*SIZES.values())
    return {**drawn, "y": np.maximum(drawn["y"], 0)}[symbol]


def fit_arguments():
    """What `fit` takes."""
    return sentences(12)
