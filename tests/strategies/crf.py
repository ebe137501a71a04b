import numpy as np
from hypothesis import strategies as st

SIZES = dict(T=5, K=3, R=4)
KINDS = ("normal", "integers", "forbidden", "wide", "equal")
seeds = st.integers(0, 2**32 - 1)


@st.composite
def fields(draw, max_T=4, max_K=3, kinds=KINDS, min_T=1):
    """E (T, K) and A, (K, K) or (T-1, K, K), neither symmetric; at least one path is possible."""
    T, K, kind = draw(st.integers(min_T, max_T)), draw(st.integers(1, max_K)), draw(st.sampled_from(kinds))
    return field(T, K, kind, draw(seeds), draw(st.booleans()))


def field(T, K, kind="normal", seed=0, steps=False):
    """Random scores: `forbidden` holds -inf, `wide` reaches ±1e4, `steps` gives each step transitions of its own."""
    rng = np.random.default_rng(seed)
    E, A = rng.normal(size=(T, K)) * 2, rng.normal(size=(T - 1, K, K) if steps else (K, K)) * 2
    if kind == "integers":
        E, A = np.rint(E), np.rint(A)
    elif kind == "wide":
        E, A = E * 2e3, A * 2e3
    elif kind == "equal":
        E, A = E * 0, A * 0
    elif kind == "forbidden":
        y = rng.integers(K, size=T)                      # the path that stays possible
        E[rng.random(E.shape) < 0.3] = -np.inf
        A[rng.random(A.shape) < 0.4] = -np.inf
        for t in range(T):
            E[t, y[t]] = rng.normal()
            if t:
                A[(t - 1, y[t - 1], y[t]) if steps else (y[t - 1], y[t])] = rng.normal()
    return E, A


def layouts(array):
    """The same numbers in other clothes: Fortran order, every second of a larger array, backwards, read-only."""
    wide = np.full([2 * n for n in array.shape], np.nan)
    wide[(slice(None, None, 2),) * array.ndim] = array
    frozen = array.copy()
    frozen.flags.writeable = False
    return [np.asfortranarray(array), wide[(slice(None, None, 2),) * array.ndim], array[::-1].copy()[::-1], frozen,
            array.tolist()]


def example(symbol):
    """A valid value for a symbol of the chapter."""
    E, A = field(SIZES["T"], SIZES["K"])
    return {"E": E, "A": A, "y": np.array([0, 2, 1, 1, 0]), "R": SIZES["R"]}[symbol]
