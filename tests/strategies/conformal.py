import numpy as np

SIZES = dict(n=9, H=3, F=5)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    return {"n": 9, "α": 0.3, "q": np.array([1.0, 2, 5]), "ŷ": rng.normal(size=(5, 3)), "r": rng.random(size=(9, 3)),
            "y": rng.normal(size=(9, 3)), "f": rng.normal(size=(9, 3))}[symbol]
