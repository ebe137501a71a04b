"""Sums at a node and its children, histograms, limits."""
import numpy as np

from tests.strategies.histograms import some_bins

SIZES = dict(D=3)
N_BINS = (7, 2, 255)


def node_histogram(N, seed, missing=0.1, ties=False):
    """S (3, 256, 2) of N rows, and c."""
    rng = np.random.default_rng(seed)
    c, b = int(N).bit_length(), some_bins(N, 3, seed, N_BINS, missing)
    q = rng.integers(-3, 4, N) * 2**50 if ties else rng.integers(-2**(61 - c), 2**(61 - c), N)
    w = (rng.integers(0, 2**(62 - 2 * c), N) << c) + 1
    S = np.zeros((3, 256, 2), np.int64)
    for f in range(3):
        np.add.at(S[f], b[:, f], np.column_stack([q, w]))
    return S, c


def example(symbol):
    S, c = node_histogram(29, 0)
    return {"S": S, "c": c, "n_bins": np.array(N_BINS), "limits": np.array([2, 0.1, 0.0, 0.01, 0.5]), "G": -3.0,
            "H": 2.0, "α": 0.5, "λ": 0.25, "G_L": -2.0, "H_L": 1.0, "G_R": 5.0,
            "H_R": 3.0}.get(symbol, SIZES.get(symbol))
