import numpy as np

SIZES = dict(F=6)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol in ("eta", "lam", "k", "n"):
        return dict(eta=0.5, lam=0.1, k=3, n=4)[symbol]
    return np.random.default_rng(len(symbol)).normal(size=SIZES["F"])
