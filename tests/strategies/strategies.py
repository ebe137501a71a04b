import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(F=6, P=8, n=11, p=3, H=4, E=2)


class Sums:
    """A model of rows of any width: the sum of the numbers, each times its place."""

    def predict(self, rows):
        return rows @ np.arange(1.0, rows.shape[1] + 1) / 10


class Learner:
    """Predicts with the weights (XᵀX + I)⁻¹ Xᵀt; knows of nothing but tables."""

    def fit(self, X, t):
        X = np.asarray(X)
        self.w_ = np.linalg.solve(X.T @ X + np.eye(X.shape[1]), X.T @ t)
        return self

    def predict(self, X):
        return (X * self.w_).sum(axis=1)                 # a row by itself


@st.composite
def tasks(draw):
    """X (n, p), Z (n, H, E), Y (n, H), w (F, P), lags (p,) and V (F, H, E), with or without other columns."""
    rng = np.random.default_rng(draw(seeds))
    l = np.sort(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True)))[::-1]
    n, H, E, F, P = (draw(st.integers(*ends)) for ends in ((1, 9), (1, 4), (0, 2), (1, 3), (int(l[0]), 8)))
    return (rng.normal(size=(n, len(l))), rng.normal(size=(n, H, E)), rng.normal(size=(n, H)), rng.normal(size=(F, P)),
            l, rng.normal(size=(F, H, E)))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    if symbol in ("fit", "f", "g"):
        return {"fit": lambda rows, targets: Learner().fit(rows, targets), "f": Sums(),
                "g": [Sums()] * SIZES["H"]}[symbol]
    shapes = dict(X="np", Z="nHE", Y="nH", w="FP", W="Fp", V="FHE")
    if symbol in shapes:
        return rng.normal(size=[SIZES[letter] for letter in shapes[symbol]])
    return {"l": np.array([7, 2, 1]), "m": 3}.get(symbol, SIZES.get(symbol))
