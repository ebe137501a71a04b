import numpy as np
from hypothesis import strategies as st

SIZES = dict(M=7, K=5, N=9, W=4, Q=3, G=2)
LAYOUTS = ("C", "F", "every second", "backwards", "read-only")


def laid(X, layout):
    """X, in memory as `layout` says."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "every second":
        return np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    if layout == "backwards":
        return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    X = np.ascontiguousarray(X)
    X.flags.writeable = layout != "read-only"
    return X


@st.composite
def factors(draw, largest=40):
    """A (M, K), B (K, N) and C (M, N) of float32 or float64, A and B laid out in any way."""
    M, K, N = (draw(st.integers(0, largest)) for _ in range(3))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A, B, C = (rng.normal(size=shape) * 10.0 ** draw(st.integers(-6, 6)) for shape in ((M, K), (K, N), (M, N)))
    A, B = (laid(X.astype(dtype), draw(st.sampled_from(LAYOUTS))) for X in (A, B))
    return A, B, C.astype(dtype)


def example(symbol):
    if symbol in SIZES:
        return SIZES[symbol]
    letters = {"A": "MK", "B": "KN", "C": "MN", "S": "GMK", "T": "GKN"}[symbol]
    return np.random.default_rng(0).normal(size=[SIZES[letter] for letter in letters])
