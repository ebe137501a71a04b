import numpy as np

SIZES = dict(T=20, K=4, H=3)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    o = np.array([5, 9, 14, 18])
    return {"y": rng.normal(size=20), "o": o, "g": 0, "H": 3, "t": o[:, None] + np.arange(3),
            "f": rng.normal(size=(4, 3)), "d": lambda y, f: np.abs(np.asarray(y) - f).max()}[symbol]
