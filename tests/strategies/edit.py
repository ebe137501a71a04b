"""What hypothesis draws for edit distances: sequences of few symbols, and others made of them by few edits."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(I=5, J=7, N=3)
seeds = st.integers(0, 2**32 - 1)


def edited(a, edits, rng, V):
    """`a` after that many replacements, deletions and insertions at random places."""
    b = list(a)
    for _ in range(edits):
        kind, at = rng.integers(3), int(rng.integers(len(b) + 1))
        b[at:at + (kind != 2)] = [] if kind == 1 else [int(rng.integers(V))]
    return b


@st.composite
def pairs(draw, longest=8):
    """Two lists of numbers below V, unrelated or one made of the other."""
    rng, V = np.random.default_rng(draw(seeds)), draw(st.sampled_from([1, 2, 3, 30]))
    a = rng.integers(V, size=draw(st.integers(0, longest))).tolist()
    if draw(st.booleans()):
        return a, rng.integers(V, size=draw(st.integers(0, longest))).tolist()
    return a, edited(a, draw(st.integers(0, 5)), rng, V)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(0)
    return {"a": rng.integers(3, size=SIZES["I"]), "b": rng.integers(3, size=SIZES["J"]),
            "A": ["abc", "", "dda"], "B": ["acc", "d", "dda"]}[symbol]
