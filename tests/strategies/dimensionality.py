from unicodedata import normalize

import numpy as np
from hypothesis import strategies as st

SIZES = dict(D=6, F=3)


@st.composite
def spectra(draw, most=8):
    """λ (D,), falling and positive: some of them far apart, some close, some equal."""
    D, rng = draw(st.integers(2, most)), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    λ = {"any": rng.gamma(2.0, size=D), "far apart": 10.0 ** rng.uniform(-4, 4, size=D), "equal": np.full(D, 0.7),
         "in pairs": np.repeat(rng.gamma(2.0, size=D), 2)[:D],
         "close": 1 + 1e-9 * rng.random(D)}[draw(st.sampled_from(["any", "far apart", "equal", "in pairs", "close"]))]
    return np.sort(λ)[::-1].copy()


def cloud(N, deviations, seed):
    """N points that spread by these `deviations`, in directions that lie along no column."""
    rng, D = np.random.default_rng(seed), len(deviations)
    return rng.normal(size=(N, D)) * deviations @ np.linalg.qr(rng.normal(size=(D, D)))[0] + 3


def example(symbol):
    return {"λ": np.array([7.0, 4, 2, 1.5, 0.5, 0.25]), "D": SIZES["D"], "F": SIZES["F"],
            "N": 20}[normalize("NFKC", symbol)]
