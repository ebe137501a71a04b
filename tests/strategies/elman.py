from tests.strategies import lstm
from tests.strategies.lstm import SIZES

SHAPES = dict(x="BD", X="TBD", h="BH", W="GD", U="GH", p="G", q="G", a="BH", v="BH", y="BH", V="TBH", Y="TBH", Z="TBH",
              A="TBH")


def values(symbols, sizes=SIZES, seed=0, dtype=float):
    """An array for each of the `symbols`, of the sizes."""
    return lstm.values(symbols, sizes, seed, dtype, SHAPES, gates=1)


def example(symbol):
    """A valid value for a symbol of the chapter."""
    return "tanh" if symbol == "f" else values([symbol], seed=sum(map(ord, symbol)))[0]
