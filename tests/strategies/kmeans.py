import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import KINDS, seeds, table, tables

SIZES = dict(N=7, D=2, K=3, L=4)
STARTS = ("points", "anywhere", "far away", "twice the same")


@st.composite
def clustered(draw, max_rows, max_columns, kinds=KINDS, zero_weights=True):
    """X, w, C, y as the equations take them: any labels, so that clusters are empty; some points weigh nothing."""
    X = draw(tables(max_rows, max_columns, kinds=kinds))
    K, rng = draw(st.integers(1, 5)), np.random.default_rng(draw(seeds))
    C = X[rng.integers(len(X), size=K)] + rng.integers(-1, 2, size=(K, X.shape[1])) * np.ptp(X)
    labels = rng.permutation(K)[:draw(st.integers(1, K))]
    w = rng.integers(1, 9, size=len(X)) / 4
    if zero_weights:
        w *= rng.random(len(X)) < draw(st.sampled_from([1.0, 0.6]))
    return X, w, C, rng.choice(labels, size=len(X)).astype(np.int64)


@st.composite
def starts(draw, max_rows, max_columns, min_rows=4, how=STARTS):
    """X without ties and K centres to start from; some may own no point, unless all are points or each is near one."""
    X = draw(tables(max_rows, max_columns, min_rows=min_rows, kinds=("normal",)))
    K, kind, rng = draw(st.integers(2, 4)), draw(st.sampled_from(how)), np.random.default_rng(draw(seeds))
    C = X[rng.permutation(len(X))[:K]]
    if kind == "anywhere":
        C = C + rng.normal(size=C.shape)
    elif kind == "far away":
        C[rng.integers(K)] += 1e3
    elif kind == "twice the same":
        C[-1] = C[0]
    elif kind == "each near a point":
        step = rng.normal(size=C.shape) * np.ptp(X)
        while len(set(((X[:, None] - C - step) ** 2).sum(axis=2).argmin(axis=1))) < K:
            step /= 2
        C = C + step
    return X, C


def blobs(n_blobs, size, seed=0):
    """Groups of points in the plane on a wide circle, far apart: k-means has one good answer and many bad ones."""
    angle = 2 * np.pi * np.arange(n_blobs) / n_blobs
    middles = 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.repeat(middles, size, axis=0) + table(n_blobs * size, 2, seed)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    if symbol == "y":
        return np.arange(SIZES["N"]) % SIZES["K"]
    shape = {"X": "ND", "w": "N", "C": "KD", "d": "N", "Y": "LD"}[symbol]
    values = rng.normal(size=[SIZES[letter] for letter in shape])
    return np.abs(values) if symbol in "wd" else values
