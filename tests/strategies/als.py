import os

import numpy as np

from tests.strategies import half_steps
from tests.strategies.half_steps import SIZES
from tests.strategies.objectives import FAMILIES


def tastes(N=12, M=9, F=2, seed=0, share=0.7, noise=0.1):
    """Ratings (N, M) around 3 by people of F tastes, NaN where nothing is known, every row and column with an entry."""
    rng = np.random.default_rng(seed)
    A = 3 + rng.normal(size=(N, F)) @ rng.normal(size=(M, F)).T + noise * rng.normal(size=(N, M))
    known = rng.random((N, M)) < share
    known[np.arange(N), np.arange(N) % M] = True
    known[np.arange(M) % N, np.arange(M)] = True
    return np.where(known, A, np.nan)


def fit_arguments():
    """What `fit` takes: more users than a thread takes at a time; few where kernels run as plain Python."""
    return (tastes(6, 5) if os.environ.get("NUMBA_DISABLE_JIT") == "1" else tastes(40, 18),)


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol == "R":
        return half_steps.example(symbol)
    if symbol == "family":
        return FAMILIES["weighted"]
    return rng.uniform(0.5, 2, size=[SIZES[n] for n in {"U": "NF", "V": "MF", "L": "N", "Q": "M"}[symbol]])
