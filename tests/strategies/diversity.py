import numpy as np
from hypothesis import strategies as st

from tests.strategies import ranking
from tests.strategies.ranking import lists, seeds, wanted

SIZES = dict(U=5, M=7, L=4, k=3, D=6, C=2)


def features(M, D, seed, kind="real"):
    """X (M, D): some rows are 0, some point in one direction."""
    rng = np.random.default_rng(seed)
    X = {"real": rng.normal(size=(M, D)), "counts": rng.integers(0, 3, size=(M, D)).astype(float),
         "large": 1e200 * rng.normal(size=(M, D)), "small": 1e-200 * rng.normal(size=(M, D)),
         "same": np.outer(rng.integers(1, 4, size=M), rng.normal(size=D))}[kind]
    X[rng.random(M) < 0.2] = 0
    return X


KINDS = st.sampled_from(["real", "counts", "large", "small", "same"])


def categories(M, C, seed):
    """G (M, C): one category, shares of several, or none at all; item 0 has one."""
    rng = np.random.default_rng(seed)
    G = np.where(rng.random((M, 1)) < 0.5, np.eye(C)[rng.integers(C, size=M)], rng.random((M, C)))
    G[rng.random(M) < 0.2] = 0
    G[0, rng.integers(C)] = 1
    return G


@st.composite
def shelves(draw):
    """Lists R (U, L), of which the first has item 0, a matrix T (U, M) in which somebody has that, G (M, C), and k."""
    U, M, seed = draw(st.integers(1, 6)), draw(st.integers(1, 7)), draw(seeds)
    L = draw(st.integers(1, M))
    R, T = lists(U, M, L, seed, draw(st.booleans())), wanted(U, M, draw(seeds))
    R[0] = np.arange(L)
    T[0, 0] = 2
    return R, T, categories(M, draw(st.integers(1, 4)), draw(seeds)), draw(st.integers(1, L))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    if symbol == "X":
        return features(SIZES["M"], SIZES["D"], 0)
    if symbol == "G":
        return categories(SIZES["M"], SIZES["C"], 0)
    return ranking.example(symbol)
