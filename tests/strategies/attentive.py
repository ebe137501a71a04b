"""What hypothesis draws: sources, targets, and the weights of an LSTM that looks at sources."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(T=4, B=3, S=5, D=7, H=2, A=6, C=9)
SHAPES = dict(x="BD", k="BC", X="TBD", K="BSC", u="BSA", h="BH", c="BH", W="FE", U="FH", b="F", Q="AH", w="A", a="BA",
              P="BS", s="BF", v="BC", dP="BS", da="BA", G="TBF", O="TBC", Y="TBH", R="TBA", L="TBS", V="TBC")
OPERANDS = ("X", "K", "u", "h", "c", "W", "U", "b", "b", "Q", "w")
seeds = st.integers(0, 2**32 - 1)


def values(symbols, sizes=SIZES, seed=0, dtype=np.float64):
    """An array for each of the `symbols`, of the sizes; P and L are distributions over the places."""
    rng = np.random.default_rng(seed)
    sizes = {**sizes, "F": 4 * sizes["H"], "E": sizes["D"] + sizes["C"]}
    drawn = []
    for symbol in symbols:
        array = rng.normal(size=[sizes[letter] for letter in SHAPES[symbol]])
        drawn.append((np.exp(array) / np.exp(array).sum(-1, keepdims=True) if symbol in "PL" else array).astype(dtype))
    return drawn


@st.composite
def sizes(draw, most=3):
    return {letter: draw(st.integers(1, most)) for letter in "TBSDHAC"}


@st.composite
def lengths(draw, most, B):
    return draw(st.lists(st.integers(1, most), min_size=B, max_size=B))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol == "n":
        return np.array([4, 1, 5])
    return values([symbol], seed=sum(map(ord, symbol)))[0]
