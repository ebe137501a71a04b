import numpy as np

from scratchml.core.sparse import sparse_rows
from scratchml.sequences.corpus import Corpus
from scratchml.sequences.crf_training import Legal
from tests.strategies.crf import field

SIZES = dict(T=5, K=3, D=4, F=6)


def corpus_of(S, K, D, seed=0, unknown=0.0, longest=5):
    """A Corpus with few attributes a token, some with a value of their own, and its dense (G, y) a sequence."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest + 1, size=S)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    G = np.rint(rng.normal(size=(starts[-1], D)) * 4) / 4 * (rng.random((starts[-1], D)) < 0.5)     # sums are exact
    y = rng.integers(K, size=starts[-1]).astype(np.int32)
    y[rng.random(y.size) < unknown] = -1
    sequences = [(G[first:last], y[first:last]) for first, last in zip(starts, starts[1:])]
    return Corpus(starts, sparse_rows(G), y), sequences


def everything_legal(K):
    return Legal(np.ones((K, K), bool), np.ones(K, bool), np.ones(K, bool))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng, (T, K, D, F) = np.random.default_rng(0), SIZES.values()
    E, A = field(T, K)
    return {"E": E, "A": A, "y": np.array([0, 2, 1, 1, 0]), "G": rng.normal(size=(T, D)), "W": rng.normal(size=(D, K)),
            "U": A, "V": rng.normal(size=(D, K, K)), "dE": E, "dA": rng.normal(size=(T - 1, K, K)),
            "theta": rng.normal(size=F), "c1": 0.5, "c2": 2.0}[symbol]
