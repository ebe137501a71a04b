import numpy as np

from tests.strategies import half_steps
from tests.strategies.half_steps import SIZES as KNOWN

SIZES = {**KNOWN, "P": 5}


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "A":
        return half_steps.example(symbol)
    if symbol in ("i", "j"):
        return {"i": np.array([6, 0, 3, 3, 1]), "j": np.array([5, 2, 0, 5, 4])}[symbol]
    if symbol == "μ":
        return 3.5
    return rng.uniform(0.5, 2, size=[SIZES[n] for n in {"U": "NF", "V": "MF", "B": "nF", "b": "N", "d": "M", "v": "F",
                                                        "c": "n", "t": "n"}[symbol]])
