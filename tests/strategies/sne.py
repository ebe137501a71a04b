import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=7, F=2)
SPREADS = (1e-3, 0.3, 1.0)     # of a map; beyond, a Gaussian q underflows where it is computed literally


@st.composite
def maps(draw, max_points, min_points=2, spreads=SPREADS):
    """Y (N, F), and affinities R and P that have nothing to do with it; some are zero."""
    N, F = draw(st.integers(min_points, max_points)), draw(st.sampled_from((1, 2, 3)))
    rng = np.random.default_rng(draw(seeds))
    R = random_affinities(rng, N, draw(st.booleans()))
    return rng.normal(size=(N, F)) * draw(st.sampled_from(spreads)) * (1 + np.arange(F) / 2), R, (R + R.T) / (2 * N)


def random_affinities(rng, N, sparse=False):
    """R (N, N), asymmetric, each row summing to one."""
    R = rng.random((N, N)) ** 3 * (1 - np.eye(N))
    if sparse and N > 3:
        R *= rng.random((N, N)) < 0.5
        R[np.arange(N), (np.arange(N) + 1) % N] += 0.1
    return R / R.sum(axis=1, keepdims=True)


def packed(P):
    """The upper triangle of P as the kernels take it, and the P that they thereby take."""
    upper = np.triu_indices(len(P))
    triangle = P[upper].astype(np.float32)
    rounded = np.zeros(P.shape)
    rounded[upper] = triangle
    return triangle, rounded + rounded.T


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    if symbol == "Y":
        return rng.normal(size=(SIZES["N"], SIZES["F"]))
    R = random_affinities(rng, SIZES["N"])
    return R if symbol == "R" else (R + R.T) / (2 * len(R))
