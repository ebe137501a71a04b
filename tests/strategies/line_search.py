import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=3)
seeds = st.integers(0, 2**32 - 1)


def valley(a):
    """A function that falls at 0, and its slope."""
    return (a - 3.0) ** 2 + 0.3 * np.sin(3 * a), 2 * (a - 3.0) + 0.9 * np.cos(3 * a)


@st.composite
def lines(draw):
    """phi that falls at 0, with several minima, and a first step that may be far too long or too short."""
    a0, scale = draw(st.floats(0.1, 20)), 10.0 ** draw(st.integers(-6, 6))
    wiggle = draw(st.floats(0, min(2, 0.999 * a0)))      # more of it, and phi would rise at 0

    def phi(a):
        return scale * ((a - a0) ** 2 + wiggle * np.sin(2 * a)), scale * (2 * (a - a0) + 2 * wiggle * np.cos(2 * a))
    return phi, 10.0 ** draw(st.integers(-4, 4))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    values = dict(a=0.5, p=1.0, u=-1.0, b=2.0, q=0.5, v=1.0, p0=9.0, u0=-5.1, phi=valley)
    return values[symbol]
