import numpy as np
from hypothesis import strategies as st

SIZES = dict(U=3, N=5, M=7, C=2, n=4)
seeds = st.integers(0, 2**32 - 1)


def candidates(U, N, M, seed, kind="real"):
    """R, s (U, N): some lists are cut short by -1, but not the first; scores fall, or stand as they come."""
    rng = np.random.default_rng(seed)
    R = np.array([rng.permutation(M)[:N] for _ in range(U)])
    s = {"real": rng.random((U, N)), "ties": rng.integers(0, 3, size=(U, N)) / 2, "signed": rng.normal(size=(U, N)),
         "equal": np.ones((U, N))}[kind]
    s = -np.sort(-s, axis=1) if rng.random() < 0.5 else s
    over = np.arange(N) >= rng.integers(0, N + 1, size=U)[:, None]
    over[0] = False
    return np.where(over, -1, R), np.where(over, -np.inf, s)


@st.composite
def shelves(draw, kinds=("real", "ties", "signed", "equal")):
    """R, s (U, N) and M."""
    M = draw(st.integers(1, 8))
    U, N = draw(st.integers(1, 4)), draw(st.integers(1, M))
    return *candidates(U, N, M, draw(seeds), draw(st.sampled_from(kinds))), M


def taste(U, C, seed):
    """p (U, C), with a category that nobody likes now and then."""
    rng = np.random.default_rng(seed)
    p = rng.random((U, C)) * (rng.random(C) < 0.8) + 1e-9 * np.eye(C)[0]
    return p / p.sum(axis=1, keepdims=True)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    U, N, M, C = (SIZES[letter] for letter in "UNMC")
    rng = np.random.default_rng(1)
    R, s = candidates(U, N, M, 0)
    return {"R": R, "s": s, "a": rng.random(M) * 9, "h": 3.0, "f": rng.random(M), "w": 0.5,
            "v": rng.integers(1, 9, size=M), "γ": 1.8, "l": 1 + rng.random(M), "b": 1.4, "σ": 0.3, "α": 0.3,
            "y": np.where(R >= 0, rng.random((U, N)), -np.inf), "ok": rng.random(M) < 0.6,
            "g": rng.integers(3, size=M), "m": 2, "p": taste(U, C, 0), "G": np.eye(C)[rng.integers(C, size=M)],
            "n": 4}[symbol]
