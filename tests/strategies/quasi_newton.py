"""What hypothesis draws for L-BFGS in training: lines as for any search, and a small problem in several arrays."""
import numpy as np

from tests.strategies.line_search import lines, seeds, valley

SIZES = dict(n=4)
__all__ = ["lines", "seeds"]


def regression(seed, lib, tensor):
    """The weights of a network (4, 6, 2) and its loss, a function of them, in the words of `lib`."""
    rng = np.random.default_rng(seed)
    W = [tensor(rng.normal(size=shape)) for shape in ((4, 6), (6,), (6, 2), (2,))]
    X, Y = tensor(rng.normal(size=(30, 4))), tensor(rng.normal(size=(30, 2)))

    def loss(A, a, B, b):
        return ((lib.tanh(X @ A + a) @ B + b - Y) ** 2).mean()
    return W, loss


def example(symbol):
    p0, u0 = valley(0.0)
    return {"g": np.array([0.5, -2.0, 1.0, 0.25]), "η": 0.5, "phi": valley, "p0": p0, "u0": u0}[symbol]
