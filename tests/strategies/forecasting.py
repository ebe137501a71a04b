import numpy as np
from hypothesis import strategies as st

from tests.strategies.distances import seeds

SIZES = dict(N=6, L=9)


@st.composite
def forecasts(draw):
    """y, f and o (N,) and x (L,), in units of any size, with ties, an offset, or few distinct values."""
    rng = np.random.default_rng(draw(seeds))
    N, L = draw(st.integers(1, 12)), draw(st.integers(6, 15))
    kind, unit = draw(st.sampled_from(["normal", "whole", "offset"])), draw(st.sampled_from([1e-100, 1.0, 1e100]))
    def values(n):
        drawn = rng.normal(size=n) + 0.1 if kind == "normal" else rng.integers(1, 4, size=n)
        return (drawn + 1e6 * (kind == "offset")) * unit
    y, f, o, x = values(N), values(N), values(N), values(L)
    x[-1] += 5 * unit                                    # it does not repeat itself
    return y, f, o, x


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(sum(map(ord, symbol)))
    return {"x": rng.normal(size=SIZES["L"]), "m": 2, "α": 0.3, "u": np.full(SIZES["N"], 9.0),
            "l": np.full(SIZES["N"], -9.0)}.get(symbol, rng.normal(size=SIZES["N"]))
