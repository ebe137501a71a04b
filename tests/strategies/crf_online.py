import numpy as np

SIZES = dict(F=6)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    numbers = dict(eta=0.5, lam=0.1, k=3, n=4, s_y=1.5, s_best=2.0, m=2, l=2.5, c=0.3, gamma=1.5)
    if symbol in numbers:
        return numbers[symbol]
    if symbol == "v":
        return np.random.default_rng(0).uniform(0.5, 2, size=SIZES["F"])
    return np.random.default_rng(len(symbol)).normal(size=SIZES["F"])
