"""What hypothesis draws for bags of vectors: sparse rows, some of them empty, entries that come twice, tables."""
import numpy as np
from hypothesis import strategies as st

from scratchml.core.sparse import Rows
from tests.strategies.autograd import laid_out, layouts
from tests.strategies.layers import scales, seeds, sizes

SIZES = dict(N=4, V=6, D=3)


@st.composite
def bags(draw):
    """G (N, V) as Rows, E (V, D) and g (N, D); N may be 0, and bags empty."""
    N, V, D = draw(st.integers(0, 4)), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    E, g = (laid_out(rng.normal(size=shape) * draw(scales), draw(layouts)) for shape in ((V, D), (N, D)))
    return rows(rng, N, V), E, g


def rows(rng, N, V):
    """Rows (N, V) with up to five entries each, of which some come twice."""
    counts = rng.integers(0, 6, N)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Rows(indptr, rng.integers(V, size=indptr[-1]).astype(np.int32), rng.normal(size=indptr[-1]), (N, V))


def example(symbol):
    rng = np.random.default_rng(0)
    N, V, D = SIZES.values()
    return {"G": rows(rng, N, V), "E": rng.normal(size=(V, D)), "g": rng.normal(size=(N, D))}[symbol]
