import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=5)
KINDS = ("normal", "integers", "low rank", "repeated eigenvalues", "diagonal", "zero", "graded", "one block")


def build(kind, n, seed):
    """A symmetric matrix (n, n) of one of the KINDS."""
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(n, n))
    if kind == "integers":
        G = rng.integers(-2, 3, size=(n, n)).astype(float)
    if kind == "low rank":
        return G[:, :2] @ G[:, :2].T
    if kind == "repeated eigenvalues":
        Q = np.linalg.qr(G)[0]
        G = (Q * rng.choice([-1.0, 2.0], n)) @ Q.T
    if kind == "diagonal":
        return np.diag(rng.normal(size=n))
    if kind == "zero":
        return np.zeros((n, n))
    if kind == "graded":
        D = 10.0 ** -np.arange(n)
        G = D[:, None] * G * D
    if kind == "one block":
        return np.ones((n, n))
    return (G + G.T) / 2


def symmetric(max_size, least=0, kinds=KINDS):
    return st.builds(build, st.sampled_from(kinds), st.integers(least, max_size), st.integers(0, 2**32 - 1))


@st.composite
def positive_definite(draw, max_size, least=0):
    """G Gᵀ plus a ridge that decides how nearly singular it is, its rows and columns unlike in scale."""
    n, seed = draw(st.integers(least, max_size)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(n, n))
    A = G @ G.T + 10.0 ** -draw(st.integers(0, 6)) * np.eye(n)
    D = 10.0 ** rng.uniform(-draw(st.integers(0, 3)), 0, n)
    A = D[:, None] * A * D
    return (A + A.T) / 2


@st.composite
def lower_and_right_hand_side(draw, max_size):
    """A triangle with a diagonal of either sign, what does not count above it, and b, either (N,) or (N, R)."""
    n, seed = draw(st.integers(0, max_size)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    L = rng.normal(size=(n, n))
    L[range(n), range(n)] = rng.choice([-1, 1], n) * rng.uniform(0.2, 2, n)
    return L, rng.normal(size=draw(st.sampled_from([(n,), (n, 1), (n, 3), (n, 0)])))


def example(symbol):
    n, rng = SIZES["N"], np.random.default_rng(0)
    G = rng.normal(size=(n, n))
    A = G @ G.T + np.eye(n)
    return {"A": A, "L": np.linalg.cholesky(A), "b": rng.normal(size=n), "W": np.eye(n),
            "p": 1, "q": 3, "a": 2.0, "d": -1.0, "h": 0.3}[symbol]
