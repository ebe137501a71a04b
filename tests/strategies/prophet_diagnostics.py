"""Times with gaps, errors by horizon."""
import numpy as np

SIZES = dict(T=40, n=30)


def times(T, seed, gaps=True):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.integers(1, 4, T) + (rng.random(T) < 0.05) * 60 * gaps)


def errors(n, seed):
    rng = np.random.default_rng(seed)
    return rng.exponential(size=n), np.sort(rng.integers(1, 9, n))


def example(symbol):
    x, h = errors(30, 0)
    return {**SIZES, "d": times(40, 1), "H": 9, "P": 5, "I": 10, "x": x, "h": h, "w": 7}[symbol]
