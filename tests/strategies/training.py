"""What hypothesis draws for training: losses and sizes of batches, losses after each epoch."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(B=3, E=5, N=11)


@st.composite
def batches(draw):
    """Losses J (B,) and sizes n (B,) of batches."""
    n = draw(st.lists(st.integers(1, 40), min_size=1, max_size=8))
    J = draw(st.lists(st.floats(-1e6, 1e6), min_size=len(n), max_size=len(n)))
    return np.array(J), np.array(n)


watched = st.lists(st.one_of(st.floats(-1e3, 1e3), st.integers(-3, 3).map(float)), min_size=1, max_size=12)
steps = st.sampled_from([0.0, 0.0, 1e-9, 0.5, 3.0])


def example(symbol):
    return {"N": 11, "C": 4, "r": np.array([3, 0, 10, 7, 1, 5, 2, 9, 8, 4, 6]),
            "T": np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]), "J": np.array([0.5, 2.0, -1.0]), "n": np.array([4, 4, 3]),
            "V": np.array([3.0, 1.0, 2.0, 0.5, 4.0]), "δ": 0.1}[symbol]
