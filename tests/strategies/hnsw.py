import numpy as np
from hypothesis import strategies as st

from scratchml.neighbors.hnsw import Layers, insert, levels

SIZES = dict(N=30, D=3, m=2, k=4)
seeds = st.integers(0, 2**32 - 1)
KINDS = ("grid", "normal", "clusters", "hub", "line", "equal")


def points(kind, N, D, seed):
    """Vectors (N, D) of float32; all but the normal ones are whole numbers, whose distances are exact in float32."""
    rng = np.random.default_rng(seed)
    X = {"grid": lambda: rng.integers(-4, 5, size=(N, D)),
         "normal": lambda: rng.normal(size=(N, D)),
         "clusters": lambda: 100 * rng.integers(-3, 4, size=(3, D))[np.arange(N) * 3 // N]
         + rng.integers(-3, 4, size=(N, D)),
         "hub": lambda: np.eye(N, max(D, N))[:, :max(D, N)] * 3 * (np.arange(N) > 0)[:, None],
         "line": lambda: np.arange(N)[:, None] * np.ones(D),
         "equal": lambda: np.full((N, D), 2) + (rng.random((N, 1)) < 0.2)}[kind]()
    return X.astype(np.float32)


@st.composite
def whole_points(draw, most=40):
    """Vectors whose distances are exact, in an order as they come, and their levels for M; no two are equal."""
    kind = draw(st.sampled_from(("grid", "clusters", "hub", "line")))
    X = points(kind, draw(st.integers(1, most)), draw(st.integers(1, 4)), draw(seeds))
    X = X[np.sort(np.unique(X, axis=0, return_index=True)[1])]
    M = draw(st.integers(2, 4))
    return X, levels(1 - np.random.default_rng(draw(seeds)).random(len(X)), M), M


def grown(X, heights, M, ef, inner=False):
    """A graph of the chapter, a point after the other."""
    G = Layers(inner)
    for x, l in zip(X, heights):
        insert(x, int(l), G, M, ef)
    return G


def example(symbol):
    """A valid value for a symbol of the chapter."""
    N, D = SIZES["N"], SIZES["D"]
    X = points("normal", N, D, 0)
    if symbol == "G":
        return grown(X, levels(1 - np.random.default_rng(1).random(N), 3), 3, 10)
    return {"X": X, "q": X[3] + 1, "x": X[4] + 1, "inner": False, "U": 1 - np.random.default_rng(2).random(N), "M": 3,
            "W": [0, 2], "C": [5, 6, 7], "l": 0, "ef": 8, "m": SIZES["m"], "k": SIZES["k"]}[symbol]
