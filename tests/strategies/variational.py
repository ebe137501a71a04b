"""Posteriors near and far from the prior, and the symbols of the chapter."""
import numpy as np
from hypothesis import strategies as st

from tests.strategies.autoencoder import curve, layers
from tests.strategies.distances import seeds

SIZES = dict(N=7, D=5, F=3, K=4, H=6)


@st.composite
def posteriors(draw):
    """μ, l, ε (N, F) and a generator."""
    N, F = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(seeds))
    return (*(rng.normal(size=(2, N, F)) * draw(st.sampled_from([0.1, 1.0, 2.5]))), rng.normal(size=(N, F)), rng)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    N, D, F, K, H = (SIZES[letter] for letter in "NDFKH")
    return {"X": rng.random((N, D)), "Y": rng.normal(size=(N, D)), "e": layers(rng, [D, H, 2 * F]), "a": curve,
            "μ": rng.normal(size=(N, F)), "l": rng.normal(size=(N, F)), "ε": rng.normal(size=(N, F)),
            "Z": rng.normal(size=(K, N, F)), "A": rng.normal(size=(K, N)), "R": rng.normal(size=N), "Q": rng.random(N),
            "G": rng.normal(size=(K, F)), "f": rng.normal(size=K), "u": rng.normal(size=(K, F)),
            "v": rng.normal(size=F), "s2": 0.3, "β": 0.7, "V": rng.normal(size=(F, D)), "W": rng.normal(size=(D, F)),
            "c": np.sort(rng.random(D))[::-1], "F": F}[symbol]
