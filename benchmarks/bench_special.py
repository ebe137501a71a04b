"""Error functions and the incomplete beta function of arrays: ours, and SciPy's."""
from functools import partial

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.core import special


def levels(N):
    return (np.random.default_rng(0).uniform(0, 2, N),)


def betas(N, largest):
    """x about one deviation from a / (a + b), a and b from ½ to `largest`."""
    rng = np.random.default_rng(0)
    a, b = 0.5 * (2 * largest) ** rng.random((2, N))
    mean = a / (a + b)
    return np.clip(mean + rng.normal(size=N) * np.sqrt(mean * (1 - mean) / (a + b)), 1e-6, 1 - 1e-6), a, b


@peer("scipy.special")
def scipy_erfc(x):
    from scipy.special import erfc
    return erfc(x)


@peer("scipy.special")
def scipy_erfc_inverse(q):
    from scipy.special import erfcinv
    return erfcinv(q)


@peer("scipy.special")
def scipy_incomplete_beta(x, a, b):
    from scipy.special import betainc
    return betainc(a, b, x)


@peer("scipy.special")
def scipy_log_gamma_ratio(a, d):
    """The difference of two logarithms: as many digits as are left."""
    from scipy.special import gammaln
    return gammaln(a + d) - gammaln(a)


CASES = [
    Case("erfc of 100,000", partial(levels, 100_000), {"scratchml": special.erfc, "SciPy": scipy_erfc}, close(1e-12)),
    Case("erfc⁻¹ of 100,000", partial(levels, 100_000),
         {"scratchml": special.erfc_inverse, "SciPy": scipy_erfc_inverse}, close(1e-12)),
    Case("ln Γ(a + ½) / Γ(a) of 100,000", lambda: (np.logspace(-2, 4, 100_000), np.full(100_000, 0.5)),
         {"scratchml": special.log_gamma_ratio, "SciPy": scipy_log_gamma_ratio}, close(1e-9, 1e-11)),
    *(Case(f"I_x(a, b) of 10,000, a and b up to {largest:,}", partial(betas, 10_000, largest),
           {"scratchml": special.incomplete_beta, "SciPy": scipy_incomplete_beta}, close(1e-10))
      for largest in (10, 1000)),
]
