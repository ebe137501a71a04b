"""Does a series come back, does it keep its level: a regression for each number of lags, one for all, and statsmodels'.

The formula is NumPy's least squares, lag by lag, as statsmodels goes about it too.
"""
import warnings

import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_co2, load_euro_rates, load_nile, load_peyton_manning, load_real_gdp, load_sunspots
from scratchml.timeseries import adfuller, kpss
from scratchml.timeseries.unit_root import design, most_lags, tau
from scratchml.timeseries.unit_root_law import TERMS, simulated_p_value


def values(load):
    return lambda: (load().values, "c")


def formula(x, d):
    """τ and p with the lag of least AIC."""
    P, y = most_lags(len(x), d), x - x[0]
    X, dy = design(y, P, d)
    n, scores = len(dy), []
    for k in range(TERMS[d] + 1, X.shape[1] + 1):
        b = np.linalg.lstsq(X[:, :k], dy, rcond=None)[0]
        e = dy - X[:, :k] @ b
        scores.append(n * np.log(e @ e / n) + 2 * k)
    p = int(np.argmin(scores))
    return tau(*design(y, p, d), TERMS[d]), p


def ours(x, d):
    return adfuller(x, regression=d)[::2][:2]


@peer("statsmodels.tsa.stattools")
def statsmodels(x, d):
    return _quietly("adfuller", x, regression=d)[::2][:2]


def our_level(x, d):
    return kpss(x, d)[::2][:2]


def level_by_hand(x, d):
    """The statistic with its lags, in plain sums."""
    e, T = x - x.mean(), len(x)
    γ = [e[j:] @ e[:T - j] / T for j in range(T // 4)]
    m = int(T ** (2 / 9))
    ratio = 2 * sum(j * γ[j] for j in range(1, m + 1)) / (γ[0] + 2 * sum(γ[1:m + 1]))
    l = int(1.1447 * (ratio**2) ** (1 / 3) * T ** (1 / 3))
    return (e.cumsum()**2).sum() / T**2 / (γ[0] + 2 * sum((1 - j / (l + 1)) * γ[j] for j in range(1, l + 1))), l


@peer("statsmodels.tsa.stattools")
def statsmodels_level(x, d):
    return _quietly("kpss", x, regression=d)[::2][:2]


def _quietly(name, x, **named):
    import statsmodels.tsa.stattools as stattools
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(getattr(stattools, name)(x, **named))


def walks(τ, n):
    return simulated_p_value(τ, n, "c", draws=20_000, random_state=0)


def walks_in_numpy(τ, n):
    """The same with arrays of all walks, and the covariance of level and step."""
    rng = np.random.default_rng(0)
    E = rng.standard_normal((20_000, n), dtype=np.float32).astype(float)
    level = np.cumsum(E, axis=1) - E
    x, e = level - level.mean(axis=1, keepdims=True), E - E.mean(axis=1, keepdims=True)
    xx, xe, ee = (x * x).sum(axis=1), (x * e).sum(axis=1), (e * e).sum(axis=1)
    t = xe / np.sqrt(xx * (ee - xe**2 / xx) / (n - 2))
    return (1 + (t <= τ).sum()) / 20_001


SERIES = {"Nile, 100": load_nile, "sunspots, 309": load_sunspots, "GDP, 203": load_real_gdp, "CO2, 526": load_co2,
          "page views, 2,905": load_peyton_manning, "euro in dollars, 6,658": load_euro_rates}

CASES = [
    *(Case(f"Dickey-Fuller with AIC, {name}", values(load), {"formula": formula, "scratchml": ours,
                                                             "statsmodels": statsmodels}, close(1e-9))
      for name, load in SERIES.items()),
    *(Case(f"level, {name}", values(load), {"formula": level_by_hand, "scratchml": our_level,
                                            "statsmodels": statsmodels_level}, close(1e-9))
      for name, load in (("sunspots, 309", load_sunspots), ("page views, 2,905", load_peyton_manning))),
    Case("p from 20,000 walks of 100 steps", lambda: (-2.5, 100), {"formula": walks_in_numpy, "scratchml": walks},
         close(0, atol=1e-4)),
]
