import numpy as np

from tests.strategies import rerank
from tests.strategies.diversity import features

SIZES = dict(U=3, N=5, M=7, D=6, n=4, k=2)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, M, D, k = (SIZES[letter] for letter in "NMDk")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(N, D))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    if symbol in "Rsn":
        return rerank.example(symbol)
    return {"X": features(M, D, 0), "S": x @ x.T, "c": 0.3 * rng.normal(size=(N, k)), "d": rng.uniform(0.3, 1, N),
            "j": 3}[symbol]
