import numpy as np
from hypothesis import strategies as st

from tests.strategies.clustering import labels, seeds
from tests.strategies.distances import table

SIZES = dict(N=9, D=4, K=3)
KINDS = ("normal", "duplicates", "constant column", "integer grid", "one direction", "offset 1e6", "scaled 1e8",
         "scaled 1e-8")


@st.composite
def clustered_points(draw, max_points, max_columns, kinds=KINDS):
    """X and labels of 2 ... N-1 clusters, some of one point."""
    N = draw(st.integers(3, max_points))
    K = draw(st.integers(2, min(5, N - 1)))
    rng = np.random.default_rng(draw(seeds))
    y = rng.permutation(np.concatenate([np.arange(K), labels(N - K, K, draw(seeds))]))
    return table(N, draw(st.integers(1, max_columns)), draw(seeds), draw(st.sampled_from(kinds))), y


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, D, K = SIZES.values()
    return table(N, D, 0) if symbol == "X" else np.arange(N) % K
