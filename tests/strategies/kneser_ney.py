"""What hypothesis draws for Kneser-Ney: few short sequences of few symbols."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(G=4, M=6, R=5)

corpora = st.lists(st.text("abc", max_size=5), min_size=1, max_size=6)


def example(symbol):
    rng, (G, M, R) = np.random.default_rng(0), SIZES.values()
    return {"of": rng.integers(G, size=M), "G": G, "c": rng.integers(1, 4, size=G), "a": rng.integers(3, size=R),
            "t": rng.integers(6, size=R), "s": rng.random(R), "D": np.array([0, 0.6, 1.1, 1.4]),
            "q": rng.random(R)}[symbol]


def fit_arguments(size=40):
    return (["abc", "abd", "ba"] * 3,)
