"""The chapter's symbols, and documents whose grades depend on their features."""
import numpy as np

SIZES = dict(N=7, D=3, Q=2)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(len(symbol))
    return {"Z": rng.normal(size=(7, 3)), "v": rng.normal(size=3), "L": rng.random(2), "u": rng.normal(size=7), "R": 2,
            "λ": 0.3}[symbol]


def graded(queries=12, seed=0, D=3, noise=0.5):
    """Features (N, D), grades (N,) from 0 to 2, and ids (N,) of queries of different lengths, mixed up."""
    rng = np.random.default_rng(seed)
    qid = np.repeat(np.arange(queries), rng.integers(5, 12, queries))
    X = rng.normal(size=(len(qid), D)) * np.logspace(0, 2, D) + 3
    y = np.digitize((X - 3) @ (np.array([1, -2, 0.5, *np.zeros(D - 3)])[:D] / np.logspace(0, 2, D)) +
                    noise * rng.normal(size=len(qid)), [0.5, 2])
    mixed = rng.permutation(len(qid))
    return X[mixed], y[mixed], qid[mixed]


def fit_arguments():
    """X, as a list of rows, y and group."""
    X, y, qid = graded()
    order = np.argsort(qid, kind="stable")
    return X[order].tolist(), y[order], np.bincount(qid)
