import numpy as np
from hypothesis import strategies as st

SIZES = dict(N=9, K=3, R=5, S=2)
seeds = st.integers(0, 2**32 - 1)
NAMES = {"numbers": np.arange(10), "far apart": 10**9 * np.arange(-3, 7), "strings": np.array(list("dbcaefghij")),
         "floats": np.linspace(-1, 1, 10), "booleans": np.arange(10) > 4}


def labels(N, most, seed):
    """N labels below `most`, some of them far more frequent than others."""
    rng = np.random.default_rng(seed)
    share = rng.random(most) ** 3 + 1e-3
    return rng.choice(most, size=N, p=share / share.sum())


@st.composite
def labelings(draw, max_points):
    """Two sets of labels of the same points, each of its own type, sometimes much alike."""
    N = draw(st.integers(1, max_points))
    a = labels(N, draw(st.integers(1, 5)), draw(seeds))
    b = labels(N, draw(st.integers(1, 5)), draw(seeds))
    if draw(st.booleans()):
        keep = np.random.default_rng(draw(seeds)).random(N) < 0.8
        b = np.where(keep, (a + 2) % 5, b)
    return tuple(NAMES[draw(st.sampled_from(sorted(NAMES)))][y] for y in (a, b))


def example(symbol):
    """A valid value for a symbol of the chapter."""
    return np.arange(SIZES["N"]) % SIZES[{"a": "R", "b": "S", "y": "K"}[symbol]]
