import numpy as np

from tests.strategies.crf import field

SIZES = dict(T=6, K=3)


def scaled_parts(T, K, seed=0):
    """e, M, Mt, c, a, b, m of no field in particular: any positive numbers."""
    rng = np.random.default_rng(seed)
    M = rng.random((K, K)) * 3
    return dict(e=rng.random((T, K)), M=M, Mt=M.T.copy(), c=rng.random(T) + 0.5, a=rng.random((T, K)),
                b=rng.random((T, K)), m=rng.normal(size=T))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    T, K = SIZES["T"], SIZES["K"]
    return field(T, K)[0] if symbol == "E" else scaled_parts(T, K)[symbol]
