import numpy as np
from hypothesis import strategies as st

SIZES = dict(n=4, L=3)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def quadratics(draw, max_n=6, condition=(1, 1e2)):
    """Q, b of ½ xᵀQx - b·x: Q positive definite, of a stated condition, with no structure."""
    rng, n = np.random.default_rng(draw(seeds)), draw(st.integers(1, max_n))
    return quadratic(n, draw(st.sampled_from(condition)), rng)


def quadratic(n, condition, rng):
    turn, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return turn * np.geomspace(1, condition, n) @ turn.T, rng.normal(size=n) * 3


@st.composite
def pairs(draw):
    """g, S, Y with s·y > 0, as a convex function gives them."""
    rng, n, L = np.random.default_rng(draw(seeds)), draw(st.integers(1, 6)), draw(st.integers(0, 4))
    Q, g = quadratic(n, 10, rng)
    S = rng.normal(size=(L, n))
    return g, S, S @ Q


@st.composite
def orthants(draw):
    """x, g, z, d, x_new and c on a coarse grid, so that zeros and equal magnitudes are common."""
    rng, n = np.random.default_rng(draw(seeds)), draw(st.integers(1, 8))
    return *(rng.integers(-3, 4, size=(5, n)) / 2.0), draw(st.sampled_from([0.5, 1.0, 1.25]))


def rosenbrock(x):
    """n/2 valleys side by side, each curved and steep; the minimum is 0 at all ones."""
    a, b = x[::2], x[1::2]
    slope = np.empty(x.size)
    slope[::2], slope[1::2] = -400 * a * (b - a**2) - 2 * (1 - a), 200 * (b - a**2)
    return float((100 * (b - a**2) ** 2 + (1 - a) ** 2).sum()), slope


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, (n, L) = np.random.default_rng(0), SIZES.values()
    if symbol in "SY":
        S = rng.normal(size=(L, n))
        return S if symbol == "S" else S * 2
    return 0.5 if symbol == "c" else rng.normal(size=n) if symbol != "f" else rosenbrock
