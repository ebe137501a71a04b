"""Times, bends and columns of the model, and weights."""
import numpy as np

from tests.strategies import trend_season

SIZES = dict(T=17, S=4, R=5)


def example(symbol):
    rng = np.random.default_rng(2)
    return {**trend_season.case(17, 4, 5, 1), **SIZES, "p": rng.random(17), "V": rng.normal(size=(17, 5))}[symbol]
