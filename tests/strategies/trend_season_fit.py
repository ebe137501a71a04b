"""Posteriors with few or many bends and columns, and small lassos."""
import numpy as np
from hypothesis import strategies as st

from scratchml.timeseries.trend_season_fit import Posterior
from tests.strategies import trend_season

SIZES = dict(T=17, S=4, R=5)


def quadratic(S, seed, kind="plain"):
    """A (S, S), c (S,), l (S,); nearly collinear, or at prices that let nothing in, or all."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(S + 3, S))
    if kind == "collinear":
        Z = Z[:, :1] + 1e-2 * Z
    price = {"free": 1e-9, "dear": 1e3}.get(kind, 1.0)
    return Z.T @ Z, 3 * rng.normal(size=S), price * rng.uniform(0.2, 2, S)


quadratics = st.builds(quadratic, st.integers(1, 5), st.integers(0, 2**32 - 1),
                       st.sampled_from(["plain", "collinear", "free", "dear"]))


def posterior(T, S, R, seed, growth="linear", multiplies=False, τ=0.05, noise=0.05):
    """A `Posterior` whose values come from a curve of its kind."""
    rng, drawn = np.random.default_rng(seed), trend_season.case(T, S, R, seed)
    t, X, u = drawn["t"], drawn["X"], drawn["u"] * multiplies
    S = 0 if growth == "flat" else S
    z = rng.normal() * 0.3 + (growth != "flat") * (rng.normal() * t + np.maximum(t - 0.5, 0) * (S > 0))
    g = 1.3 / (1 + np.exp(-2 * z)) if growth == "logistic" else z
    β = 0.2 * rng.normal(size=R)
    y = g * (1 + X @ (u * β)) + X @ ((1 - u) * β) + noise * rng.normal(size=T)
    return Posterior(y, t, drawn["s"][:S], np.full(T, 1.3) if growth == "logistic" else None, X, u, drawn["b"], τ,
                     growth == "flat")


posteriors = st.builds(posterior, st.integers(8, 60), st.integers(0, 6), st.integers(0, 5), st.integers(0, 2**32 - 1),
                       st.sampled_from(["linear", "logistic", "flat"]), st.booleans(),
                       st.sampled_from([0.005, 0.05, 5.0]))


def example(symbol):
    A, c, l = quadratic(4, 1)
    rng = np.random.default_rng(2)
    return {**trend_season.case(17, 4, 5, 1), **SIZES, "A": A, "c": c, "l": l, "E": 1.5,
            "θ": rng.normal(size=11)}[symbol]
