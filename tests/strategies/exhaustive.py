import numpy as np
from hypothesis import strategies as st

SIZES = dict(B=3, N=7, D=4, n=2)
KINDS = ("normal", "grid", "duplicates", "offset", "one far away", "zeros", "tiny", "huge")


@st.composite
def points_and_queries(draw, most=40):
    """X (N, D), Q (B, D): some queries are points, many distances are equal, some points far from origin or others."""
    N, D, B = draw(st.integers(1, most)), draw(st.integers(1, 9)), draw(st.integers(1, 5))
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X, Q = rng.normal(size=(N, D)), rng.normal(size=(B, D))
    if kind in ("grid", "zeros"):
        X, Q = rng.integers(-2, 3, size=(N, D)) * 1.0, rng.integers(-2, 3, size=(B, D)) * 1.0
    if kind == "duplicates":
        X = X[rng.integers(max(1, N // 4), size=N)]
    if kind == "offset":
        X, Q = X + 1e9, Q + 1e9
    if kind == "one far away":
        X[rng.integers(N)] *= 1e9
        Q[0] *= 1e12
    if kind == "zeros":
        X[rng.random(N) < 0.3], Q[rng.random(B) < 0.3] = 0, 0
    scale = {"tiny": 1e-100, "huge": 1e100}.get(kind, 1.0)
    same = rng.random(B) < 0.4
    Q[same] = X[rng.integers(N, size=int(same.sum()))]
    return scale * X, scale * Q


def example(symbol):
    rng = np.random.default_rng(0)
    if symbol in "nr":
        return {"n": SIZES["n"], "r": 1.0}[symbol]
    shapes = {"Q": "BD", "X": "ND", "d": "BN"}
    if symbol in ("L", "M"):
        return np.array([rng.permutation(SIZES["N"])[:SIZES["n"]] for _ in range(SIZES["B"])])
    return rng.normal(size=[SIZES[letter] for letter in shapes[symbol]])
