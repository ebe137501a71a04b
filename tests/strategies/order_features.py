"""The series of `value_features`, and the numbers that are asked of their order."""
import numpy as np

from tests.strategies.value_features import series_of

SIZES = dict(T=13, K=3)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    x = series_of(13, "walk", 0)
    return {"x": x, "d": x - x.mean(), "μ": x.mean(), "σ": x.std(), "n": 2, "m": 0.5, "l": 2, "L": 5, "C": 5, "f": 3,
            "u": np.quantile(x, 0.2), "v": np.quantile(x, 0.8), "q": 0.4, "S": 4}[symbol]
