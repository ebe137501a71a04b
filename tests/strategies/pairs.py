"""Queries of graded documents with scores, some of which are equal, and the chapter's symbols."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(n=5)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def queries(draw, most=7, grades=3):
    """Grades and scores of one query, far apart, close together or equal."""
    n, rng = draw(st.integers(1, most)), np.random.default_rng(draw(seeds))
    s = draw(st.sampled_from([0.1, 1, 5])) * (rng.integers(-2, 3, n) if draw(st.booleans()) else rng.normal(size=n))
    return rng.integers(0, grades + 1, n).astype(float), s.astype(float)


@st.composite
def many(draw, **options):
    """Grades, scores and ids of the documents of several queries, mixed up."""
    drawn = draw(st.lists(queries(**options), min_size=1, max_size=4))
    qid = np.repeat([f"q{j}" for j in range(len(drawn))], [len(y) for y, _ in drawn])
    mixed = np.random.default_rng(draw(seeds)).permutation(len(qid))
    return *(np.concatenate(part)[mixed] for part in zip(*drawn)), qid[mixed]


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(len(symbol))
    return {"s": rng.normal(size=5), "y": np.array([2.0, 0, 1, 0, 2]), "g": np.array([3.0, 0, 1, 0, 3]), "σ": 1.3,
            "T": 4, "r": np.array([2, 5, 1, 3, 4]), "Z": np.abs(np.add.outer(np.arange(5), -np.arange(5.0)))}[symbol]
