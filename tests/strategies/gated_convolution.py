"""What hypothesis draws for gated convolution: ragged sequences, some shorter than the window, and dilations."""
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tests.strategies.autograd import seeds

SIZES = dict(S=2, R=7, C=3, K=4, L=5)


class Drawn(NamedTuple):
    X: np.ndarray                                        # (R, C)
    starts: np.ndarray                                   # (S+1,)
    W: np.ndarray                                        # (2C, C, K)
    b: np.ndarray                                        # (2C,)
    d: int
    o: int

    @property
    def lengths(self):
        return np.diff(self.starts)

    def padded(self, fill=np.nan):
        """(S, T, C) with `fill` for padding."""
        x = np.full((len(self.lengths), self.lengths.max(), self.X.shape[1]), fill, self.X.dtype)
        x[np.arange(x.shape[1]) < self.lengths[:, None]] = self.X
        return x


@st.composite
def ragged(draw):
    lengths, C, K = draw(st.tuples(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(1, 3),
                                   st.integers(1, 4)))
    d, rng = draw(st.integers(1, 3)), np.random.default_rng(draw(seeds))
    reach = d * (K - 1)
    starts = np.append(0, np.cumsum(lengths))
    return Drawn(rng.normal(size=(starts[-1], C)), starts, rng.normal(size=(2 * C, C, K)), rng.normal(size=2 * C), d,
                 draw(st.sampled_from([0, reach - reach // 2])))


@st.composite
def stacks(draw):
    """Taps and dilations of some layers."""
    L = draw(st.integers(1, 3))
    return [draw(st.lists(st.integers(1, most), min_size=L, max_size=L)) for most in (4, 3)]


def example(symbol):
    rng, (S, R, C, K, L) = np.random.default_rng(ord(symbol[0])), SIZES.values()
    shapes = {"X": (R, C), "x": (R, C), "W": (2 * C, C, K), "b": (2 * C,), "N": (R, K * C), "H": (R, 2 * C),
              "g": (R, C), "δ": (R, 2 * C), "G": (R, K * C)}
    return {"starts": np.array([0, 3, R]), "K": K, "d": 2, "o": 0, "sizes": rng.integers(1, 6, L),
            "gaps": rng.integers(1, 4, L)}[symbol] if symbol not in shapes else rng.normal(size=shapes[symbol])
