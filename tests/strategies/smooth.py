"""What hypothesis draws for smooth activations: entries of every size, in every layout."""
import numpy as np

from tests.strategies.activations import SIZES, entries  # noqa: F401


def example(symbol):
    if symbol in "aβτ":
        return {"a": 0.7, "β": 1.3, "τ": 20.0}[symbol]
    return np.random.default_rng(ord(symbol)).normal(size=(SIZES["N"], SIZES["H"]))
