"""Layers of small networks, rows that go through them, and tables that a bottleneck has to rebuild."""
import numpy as np
from hypothesis import strategies as st

from scratchml.autograd.ops import as_tensor
from scratchml.reduction import Autoencoder
from tests.strategies.distances import seeds

SIZES = dict(N=7, D=5, F=3, R=6, L=2, H=4)


@st.composite
def networks(draw):
    """X (N, D), the layers of an encoder and of a decoder, the biases of a tied one, and a generator."""
    N, D, F = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    hidden = draw(st.lists(st.integers(1, 4), max_size=2))
    rng = np.random.default_rng(draw(seeds))
    sizes = [D, *hidden, F]
    return (rng.normal(size=(N, D)), *(layers(rng, ends) for ends in (sizes, sizes[::-1])),
            [rng.normal(size=size) for size in sizes[-2::-1]], rng)


def layers(rng, sizes):
    return [(rng.normal(size=(after, before)), rng.normal(size=after)) for before, after in zip(sizes, sizes[1:])]


def curve(x):
    """A function of Tensors that is no odd one, so that a sign cannot hide."""
    return as_tensor(x).sigmoid()


def spread(N, D, seed=0):
    """Rows whose variances along turned axes fall by factors of 3: no two are alike."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(D, D)))[0]
    return rng.normal(size=(N, D)) * 3.0 ** -np.arange(D) @ turned + rng.normal(size=D)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def small(n_components=2, **options):
    """A short fit of a small network, for what holds of every fit."""
    return Autoencoder(n_components, **{"hidden": (5,), "epochs": 3, "batch_size": 8, "random_state": 0, **options})


def linear(F=2, **options):
    return Autoencoder(F, **{"hidden": (), "solver": "lbfgs", "epochs": 3000, "tol": 1e-13, "random_state": 0,
                             **options})


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    N, D, F, R, H = (SIZES[letter] for letter in "NDFRH")
    e, d = layers(rng, [D, H, F]), layers(rng, [F, H, D])
    return {"X": rng.normal(size=(N, D)), "Y": rng.normal(size=(N, D)), "Z": rng.normal(size=(N, F)), "e": e, "d": d,
            "a": curve, "o": curve, "k": [rng.normal(size=H), rng.normal(size=D)],
            "m": rng.integers(2, size=(N, D)), "ε": rng.normal(size=(N, D)), "σ": 0.3, "ρ": 0.1, "β": 2.0,
            "W": rng.normal(size=(D, F)), "λ": 0.2, "c": np.sort(rng.random(R))[::-1], "F": F}[symbol]
