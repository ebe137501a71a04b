"""Tables in bins, with derivatives of a loss; trees."""
import numpy as np
from hypothesis import strategies as st

from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.trees import grow
from tests.strategies.bins import feature_table
from tests.strategies.distances import seeds
from tests.strategies.histograms import derivatives

SIZES = dict(N=23, D=3, T=4)


@st.composite
def boosting_steps(draw, most=30):
    """X (N, D), how many bins, and g and h."""
    N, D, seed = draw(st.integers(2, most)), draw(st.integers(1, 4)), draw(seeds)
    X = feature_table(N, D, seed, missing=draw(st.sampled_from([0, 0.2])))
    kind = draw(st.sampled_from(["normal", "labels", "one large"]))
    return X, draw(st.sampled_from([2, 5, 255])), *derivatives(N, seed, kind)


def example(symbol):
    X = feature_table(23, 3, 0)
    table, (g, h) = binned(X, bin_edges(X)), derivatives(23, 1)
    if symbol == "trees":
        return [grow(table, g, h, num_leaves=leaves, min_child_samples=2)[0] for leaves in range(2, 6)]
    return {"X": X, "binned": table, "gradients": g, "hessians": h}.get(symbol, SIZES.get(symbol))
