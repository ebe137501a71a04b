"""What hypothesis draws: sources and targets of a few symbols, and arrays for the equations."""
import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=3, B=4, F=5, H=2, C=7, D=6, G=8, V=9, R=10)
SHAPES = dict(u="BF", v="BF", W="SE", b="S", h="BH", k="BC", e="BD", A="GX", a="G", O="VG", o="V", z="RV", p="BV",
              r="BP", l="N")
seeds = st.integers(0, 2**32 - 1)


def values(symbols, seed=0, sizes=SIZES):
    """An array for each of the `symbols`; p is a distribution, r uniform."""
    rng = np.random.default_rng(seed)
    sizes = {**sizes, "S": 2 * sizes["H"], "E": 2 * sizes["F"], "X": sizes["H"] + sizes["C"] + sizes["D"], "P": 2}
    drawn = []
    for symbol in symbols:
        shape = [sizes[letter] for letter in SHAPES[symbol]]
        array = rng.random(shape) if symbol in "pr" else rng.normal(size=shape)
        drawn.append(array / array.sum(-1, keepdims=True) if symbol == "p" else array)
    return drawn


def example(symbol):
    """A valid value for a symbol of the chapter."""
    rng = np.random.default_rng(1)
    others = {"y": rng.integers(9, size=4), "starts": np.array([0, 4, 5, 10]), "eps": 0.5, "i": 3, "c": 0.3,
              "least": 0.2, "R": 10, "t": rng.integers(9, size=10)}
    return others[symbol] if symbol in others else values([symbol], seed=ord(symbol))[0]


@st.composite
def pairs(draw, most=4):
    """Sources of at least one symbol, and targets."""
    rng, N = np.random.default_rng(draw(seeds)), draw(st.integers(1, 4))
    return (["".join(rng.choice(list("abc"), size=rng.integers(1, most + 1))) for _ in range(N)],
            ["".join(rng.choice(list("xyz"), size=rng.integers(0, most + 1))) for _ in range(N)])
