"""Derivatives of a loss, bins, and rows at a node."""
import numpy as np

SIZES = dict(N=13, D=3, R=5)
KINDS = ("normal", "labels", "tiny", "large", "zero", "one large")


def derivatives(N, seed, kind="normal"):
    """g and h, (N,) each."""
    rng = np.random.default_rng(seed)
    g, h = rng.normal(size=N), rng.random(N)
    if kind == "labels":
        g, h = np.where(rng.random(N) < 0.3, -0.7, 0.3), np.full(N, 0.21)
    elif kind == "zero":
        g, h = 0 * g, 0 * h
    elif kind == "one large":
        g[rng.integers(N)], h[rng.integers(N)] = 1e6, 1e4
    scale = {"tiny": 1e-150, "large": 1e150}.get(kind, 1.0)
    return scale * g, scale * h


def some_bins(N, D, seed, n_bins=(7, 2, 255), missing=0.1):
    """Bins (N, D), some of them that of missing values; feature f has n_bins[f % 3]."""
    rng = np.random.default_rng(seed)
    b = np.column_stack([rng.integers(0, n_bins[f % 3], N) for f in range(D)])
    return np.where(rng.random((N, D)) < missing, 255, b).astype(np.uint8)


def whole(N, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-2**40, 2**40, N), rng.integers(0, 2**30, N) * 16 + 1


def example(symbol):
    g, h = derivatives(13, 0)
    q, w = whole(13, 1)
    rng = np.random.default_rng(2)
    return {"g": g, "h": h, "q": q, "w": w, "b": some_bins(13, 3, 3), "rows": np.array([0, 3, 4, 9, 12]),
            "S": rng.integers(-99, 99, (3, 256, 2)),
            "S_c": rng.integers(-99, 99, (3, 256, 2))}.get(symbol, SIZES.get(symbol))
