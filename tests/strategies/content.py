import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import known_entries, sparse_rows
from tests.strategies.item_neighbors import known, seeds
from tests.strategies.word_weights import counts

SIZES = dict(U=6, M=5, V=4)


@st.composite
def shops(draw):
    """What users have, A (U, M), NaN where nothing is known, and X (M, V), counts or real numbers with rows of 0."""
    U, M, V = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    A = known(U, M, draw(seeds), draw(st.sampled_from(["counts", "ones", "zeros"])))
    X = counts(M, V, draw(seeds))
    return A, np.random.default_rng(draw(seeds)).normal(size=X.shape) * X if draw(st.booleans()) else X


def example(symbol):
    """A valid value for a symbol of the chapter."""
    U, M, V = (SIZES[letter] for letter in "UMV")
    rng = np.random.default_rng(2)
    return {"A": known_entries(known(U, M, 0)), "P": rng.normal(size=(U, V)), "p": rng.normal(size=V),
            "x": rng.normal(size=V)}.get(symbol, sparse_rows(counts(M, V, 1)))


def fit_arguments():
    """What `fit` takes."""
    return known(40, 12, 0), counts(12, 5, 1) + 1
