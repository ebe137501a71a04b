import numpy as np

from tests.strategies.item_neighbors import known

SIZES = dict(F=3, B=2, C=5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    F, B, C = SIZES.values()
    rng = np.random.default_rng(1)
    return {"u": rng.normal(size=(B, F)), "v": rng.normal(size=(C, F)), "τ": 0.2}[symbol]


def fit_arguments():
    """What `fit` takes."""
    return (known(20, 12, 0),)
