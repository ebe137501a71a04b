"""What hypothesis draws for schedules: a step length and where the schedule is."""
from hypothesis import strategies as st

SIZES = dict(D=5)
lengths = st.floats(1e-6, 10)
factors = st.floats(0, 2)
times = st.integers(0, 60)
ends = st.integers(1, 30)


def example(symbol):
    return {"η0": 0.5, "ηmin": 0.1, "γ": 0.3, "t": 7, "s": 3, "T": 20, "a": 0.2, "b": 0.9}[symbol]
