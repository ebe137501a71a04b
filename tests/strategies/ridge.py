import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=9, D=4, H=3)


@st.composite
def tables(draw):
    """X (N, D), Y (N, H) and λ; columns may be alike, constant, far from 0, and of very different units."""
    rng = np.random.default_rng(draw(seeds))
    N, D, H = draw(st.integers(1, 12)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    X, Y = rng.normal(size=(N, D)), rng.normal(size=(N, H))
    kind = draw(st.sampled_from(["normal", "alike", "constant", "offset"]))
    if kind == "alike":
        X[:, -1] = X[:, 0]
    if kind == "constant":
        X[:, 0] = 4.0
    return X + 100 * (kind == "offset"), Y, draw(st.sampled_from([0.01, 1.0, 30.0]))


def fit_arguments(size=30):
    """What the estimator of the chapter is fitted to: inputs and targets."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(size, 3))
    return X, X @ [1.0, -2, 0.5] + 3 + rng.normal(size=size)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4))
    return {"X": rng.normal(size=(9, 4)), "Y": rng.normal(size=(9, 3)), "μ": rng.normal(size=4),
            "ν": rng.normal(size=3),
            "S": A @ A.T, "C": rng.normal(size=(4, 3)), "B": rng.normal(size=(4, 3)), "b": rng.normal(size=3),
            "λ": 0.7}[symbol]
