import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import known_entries
from tests.strategies.objectives import FAMILIES, families, ratings, seeds

SIZES = dict(N=7, M=6, F=3, n=4)


@st.composite
def equations(draw, ranks=False):
    """A (F, F), positive definite, or of a rank drawn, and of a condition up to 100; b (F,) in its range."""
    F = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(seeds))
    axes = np.linalg.qr(rng.normal(size=(F, F)))[0]
    eigenvalues = 10.0 ** rng.uniform(0, 2, size=F)
    if ranks:
        eigenvalues[draw(st.integers(0, F)):] = 0
    scale = 10.0 ** draw(st.integers(-6, 6))
    A = scale * (axes * eigenvalues) @ axes.T
    return (A + A.T) / 2, A @ rng.normal(size=F)


@st.composite
def half_steps(draw, least=0.05, F=None):
    """A (N, M) with NaN, V (M, F), L (N,) from `least` up, a family, and d (M,), 0 but where the family is observed."""
    N, M = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    F = F or draw(st.integers(1, 5))
    seed, family = draw(seeds), draw(families)
    rng = np.random.default_rng(seed)
    A = ratings(N, M, seed, draw(st.sampled_from([0.2, 0.6, 1.0])))
    d = rng.normal(size=M) if not family.unobserved else np.zeros(M)
    return A, rng.normal(size=(M, F)), rng.uniform(least, 2 * least + 1, size=N), family, d


def example(symbol):
    rng = np.random.default_rng(0)
    F = SIZES["F"]
    if symbol == "R":
        return known_entries(ratings(SIZES["N"], SIZES["M"]))
    if symbol == "family":
        return FAMILIES["confidence"]
    if symbol == "A":
        B = rng.normal(size=(F, F))
        return B @ B.T + np.eye(F)
    scalars = {"w": 0.5, "λ": 0.1, "S": 2, "j": np.array([3, 0, 5, 4])}
    if symbol in scalars:
        return scalars[symbol]
    return rng.uniform(0.5, 2, size=[SIZES[n] for n in {"V": "MF", "G": "FF", "c": "n", "t": "n", "b": "F", "x": "F",
                                                        "L": "N", "d": "M"}[symbol]])
