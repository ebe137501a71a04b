"""The queries of the chapter pairs, and the chapter's symbols."""
import numpy as np

from tests.strategies.pairs import many, queries, seeds

__all__ = ["example", "many", "queries", "seeds"]

SIZES = dict(n=5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(len(symbol))
    return {"s": rng.normal(size=5), "y": np.array([2.0, 0, 1, 0, 2]), "w": np.array([0.2, 0, 0.5, 1, 0]),
            "π": np.array([2, 4, 1, 0, 3]), "k": 3}[symbol]
