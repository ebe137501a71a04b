"""Times after the past, and changes on paths."""
import numpy as np

SIZES = dict(T=7, S=4, n=9, P=5, K=2)


def paths(T, n, P, seed):
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0.9, 3, T)), np.sort(rng.uniform(1, 3, n)), rng.normal(size=n), rng.integers(0, P, n)


def example(symbol):
    t, s, x, p = paths(7, 9, 5, 0)
    return {**SIZES, "t": t, "s": s, "x": x, "p": p, "δ": x[:4], "V": np.random.default_rng(1).normal(size=(7, 5)),
            "q": np.array([0.1, 0.9])}[symbol]
