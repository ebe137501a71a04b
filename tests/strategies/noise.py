"""Networks with a curve, small tables, and the chapter's symbols."""
import numpy as np
from hypothesis import strategies as st

from scratchml.nn import Linear, Sequential, Tanh
from tests.strategies.distances import seeds

SIZES = dict(N=7, D=3)


@st.composite
def tables(draw, most_rows=8, most_columns=4):
    """X (N, D), y (N,) and σ; columns differ in spread and may lie far from 0."""
    rng = np.random.default_rng(draw(seeds))
    N, D = draw(st.integers(1, most_rows)), draw(st.integers(1, most_columns))
    X = rng.normal(size=(N, D)) * np.exp(rng.normal(size=D)) + draw(st.sampled_from([0.0, 30.0]))
    return X, 3 * rng.normal(size=N) - 1, draw(st.sampled_from([0.1, 0.7, 3.0]))


def curved(D, seed=0):
    """A network of one hidden layer of tanh, outside of training, that answers (N, 1)."""
    return Sequential(Linear(D, 5, dtype="float64", random_state=seed), Tanh(),
                      Linear(5, 1, dtype="float64", random_state=seed + 1)).eval()


def as_function(net):
    """The same from arrays (N, D) to arrays (N,)."""
    return lambda X: net(X).detach().numpy().reshape(-1)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    return {"X": rng.normal(size=(7, 3)), "y": rng.normal(size=7), "w": rng.normal(size=3), "σ": 0.7, "net": curved(3),
            "f": rng.normal(size=7), "G": rng.normal(size=(7, 3)), "Δ": rng.normal(size=7)}[symbol]
