"""What hypothesis draws for fields on batches: sequences of mixed lengths, labels unknown, steps forbidden."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from scratchml.sequences.crf_training import Legal
from tests.strategies.crf import seeds

SIZES = dict(B=3, T=4, K=2)
KINDS = ("normal", "forbidden", "impossible emissions", "wide", "unknown")


class Batch(NamedTuple):
    """Emissions (B, T, K), parameters, labels (B, T) and lengths (B,); garbage in padding; what is legal."""
    E: np.ndarray
    A: np.ndarray
    f: np.ndarray
    e: np.ndarray
    y: np.ndarray
    n: np.ndarray
    legal: Legal

    @property
    def effective(self):
        """A, f and e with -inf where they are forbidden."""
        return tuple(np.where(may, part, -np.inf) for may, part in zip(self.legal, self[1:4]))


@st.composite
def batches(draw, kinds=KINDS):
    B, T, K = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    return batch(B, T, K, draw(st.sampled_from(kinds)), draw(seeds))


def batch(B, T, K, kind="normal", seed=0):
    """Random scores, neither symmetric nor equal; the labels of each sequence stay possible."""
    rng = np.random.default_rng(seed)
    size = 3e3 if kind == "wide" else 2.0
    E, A = rng.normal(size=(B, T, K)) * size, rng.normal(size=(K, K)) * size
    f, e = rng.normal(size=(2, K)) * size
    n, y = rng.integers(1, T + 1, B), rng.integers(K, size=(B, T))
    legal = Legal(np.ones((K, K), bool), np.ones(K, bool), np.ones(K, bool))
    if kind == "forbidden":
        legal = Legal(rng.random((K, K)) < 0.6, rng.random(K) < 0.6, rng.random(K) < 0.6)
        for b in range(B):
            legal.first[y[b, 0]] = legal.last[y[b, n[b] - 1]] = True
            legal.pairs[y[b, :-1], y[b, 1:]] = True
    if kind == "impossible emissions":
        E[rng.random(E.shape) < 0.4] = -np.inf
        np.put_along_axis(E, y[..., None], rng.normal(size=(B, T, 1)), axis=2)
    if kind in ("unknown", "forbidden"):
        y[rng.random(y.shape) < 0.4] = -1
    padding = np.arange(T) >= n[:, None]
    E[padding], y[padding] = np.nan, 99
    return Batch(E, A, f, e, y, n, legal)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    drawn = batch(*SIZES.values())
    return {**drawn._asdict(), "y": np.where(drawn.y == 99, 0, drawn.y), "c": np.array([0.5, 2.0, 7.0])}[symbol]
