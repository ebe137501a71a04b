import numpy as np
from hypothesis import strategies as st

SIZES = dict(T=4, B=3, D=5, H=2)
SHAPES = dict(x="BD", X="TBD", h="BH", c="BH", W="GD", U="GH", p="G", q="G", a="BG", s="BG", C="BH", y="BH", v="BH",
              e="BH", V="TBH", S="TBG", A="TBG", Y="TBH", Z="TBH")
seeds = st.integers(0, 2**32 - 1)


def values(symbols, sizes=SIZES, seed=0, dtype=np.float64, shapes=SHAPES, gates=4):
    """An array for each of the `symbols`, of the sizes; weights have `gates` blocks, and gates lie between 0 and 1."""
    rng, sizes = np.random.default_rng(seed), {**sizes, "G": gates * sizes["H"], "F": 4 * sizes["H"]}
    drawn = []
    for symbol in symbols:
        array = rng.normal(size=[sizes[letter] for letter in shapes[symbol]])
        drawn.append((np.abs(np.tanh(array)) if symbol in "sS" else array).astype(dtype))
    return drawn


@st.composite
def sizes(draw, most=4):
    return {letter: draw(st.integers(1, most)) for letter in "TBDH"}


@st.composite
def lengths(draw, T, B):
    return draw(st.lists(st.integers(1, T), min_size=B, max_size=B))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    return values([symbol], seed=sum(map(ord, symbol)))[0]
