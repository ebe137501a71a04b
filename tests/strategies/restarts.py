"""What hypothesis draws for warm restarts: times, and the cycles in which they lie."""
from hypothesis import strategies as st

SIZES = dict(D=5)
times = st.integers(0, 200) | st.integers(0, 800).map(lambda quarters: quarters / 4)
cycles = st.tuples(st.integers(1, 12), st.integers(1, 4))


def example(symbol):
    return {"t": 7.5, "T0": 3, "M": 2}[symbol]
