import numpy as np

SIZES = dict(N=7, D=3, b=4, L=5)


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "p":
        return 0.7
    if symbol in "bL":
        return SIZES[symbol]
    return rng.normal(size=[SIZES[letter] for letter in {"X": "ND", "W": "bD", "x": "D", "y": "D"}[symbol]])
