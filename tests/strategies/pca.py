from unicodedata import normalize

import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=9, D=5, F=3)


def axes(F, D, seed):
    """F orthonormal rows of length D."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(D, F)))[0].T.copy()


def stretched(N, D, seed, ratio=0.5):
    """Rows whose spread falls by `ratio` from one direction to the next, none of them along a column."""
    return np.random.default_rng(seed).normal(size=(N, D)) * ratio ** np.arange(D) @ axes(D, D, seed + 1) + 1


def most_components(X):
    return min(X.shape)


@st.composite
def covariances(draw, max_columns):
    """Symmetric, with eigenvalues that are distinct, repeated, zero or far apart; some are diagonal."""
    D, rng = draw(st.integers(1, max_columns)), np.random.default_rng(draw(seeds))
    λ = {"distinct": 0.5 ** np.arange(D), "repeated": np.repeat(rng.random(D) + 0.1, 2)[:D],
         "low rank": rng.random(D) * (np.arange(D) < D // 2), "equal": np.full(D, 3.0), "none": np.zeros(D),
         "far apart": 10.0 ** rng.integers(-12, 13, size=D)}[draw(st.sampled_from(
             ["distinct", "repeated", "low rank", "equal", "none", "far apart"]))]
    rng.shuffle(λ)
    if draw(st.booleans()):
        return np.diag(λ)
    V = axes(D, D, draw(seeds))
    S = V.T * λ @ V
    return (S + S.T) / 2


@st.composite
def components(draw, max_columns):
    """μ, W, λ and σ² of a model with F of D components; σ² is 0 only where there is nothing left for noise."""
    D = draw(st.integers(1, max_columns))
    F, seed = draw(st.integers(1, D)), draw(seeds)
    rng = np.random.default_rng(seed)
    σ2 = 0.0 if F == D else rng.uniform(0.2, 1)
    return rng.normal(size=D), axes(F, D, seed), np.sort(rng.uniform(1, 4, size=F))[::-1].copy(), σ2


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, symbol = np.random.default_rng(0), normalize("NFKC", symbol)
    N, D, F = (SIZES[letter] for letter in "NDF")
    return {"X": rng.normal(size=(N, D)), "μ": rng.normal(size=D), "S": np.cov(rng.normal(size=(D, N))),
            "W": axes(F, D, 0), "Z": rng.normal(size=(N, F)), "λ": 4 - np.arange(F, dtype=float), "F": F,
            "σ2": 0.5}[symbol]
