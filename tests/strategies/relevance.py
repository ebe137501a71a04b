"""Tables of features of every kind, some of which know of the target."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(m=7, N=60, D=6)


@st.composite
def tails(draw):
    """p (m,): none, some or all of them small, with ties."""
    rng = np.random.default_rng(draw(seeds))
    p = rng.random(draw(st.integers(1, 30))) ** draw(st.sampled_from([1, 3, 9]))
    return np.round(p, draw(st.sampled_from([1, 3, 17])))


def features(N, seed, target=None):
    """X (N, 6): two columns that follow the target, two that do not, a constant, one of two values that follows."""
    rng = np.random.default_rng(seed)
    y = rng.random(N) < 0.4 if target is None else target
    noise = rng.normal(size=(N, 6))
    X = np.column_stack([noise[:, 0] + 3 * y, noise[:, 1], np.exp(noise[:, 2]) - 2 * y, np.rint(noise[:, 3]),
                         np.full(N, 2.5), noise[:, 5] + 4 * (y - np.mean(y)) > 0])
    return X, y


def fit_arguments():
    return features(60, 0)


def example(symbol):
    return {"p": np.array([0.001, 0.3, 0.02, 0.02, 0.9, 0.5, 0.004]), "q": 0.1}[symbol]
