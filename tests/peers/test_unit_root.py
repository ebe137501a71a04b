"""The tests for a unit root and for a level against statsmodels."""
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.datasets import load_co2, load_nile, load_real_gdp, load_sunspots
from scratchml.timeseries import adfuller, kpss
from scratchml.timeseries.unit_root_law import TERMS
from tests.strategies.unit_root import regressions, series

stattools = pytest.importorskip("statsmodels.tsa.stattools")
pd = pytest.importorskip("pandas")
LOADERS = (load_sunspots, load_nile, load_real_gdp, load_co2)


def theirs(function, *arguments, **named):
    """statsmodels 0.15 warns of a new kind of result unless asked for one; KPSS warns at the ends of its table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return tuple(function(*arguments, **named, result_object=False))
        except TypeError:                                # before 0.15
            return tuple(function(*arguments, **named))


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("autolag", ["AIC", "BIC", "t-stat", None])
@pytest.mark.parametrize("d, digits", [("n", 1e-9), ("c", 1e-9), ("ct", 1e-9), ("ctt", 1e-6)])
def test_adfuller_on_real_series(load, autolag, d, digits):
    """With t² statsmodels loses digits: its t is not scaled."""
    x = load().values
    ours, peer = adfuller(x, regression=d,
                          autolag=autolag), theirs(stattools.adfuller, x, regression=d, autolag=autolag)
    assert abs(ours.statistic - peer[0]) <= digits and abs(ours.pvalue - peer[1]) <= digits
    assert ours[2:4] == peer[2:4] and ours.critical_values == pytest.approx(peer[4], abs=1e-12)
    if autolag:
        assert ours.icbest == pytest.approx(peer[5], rel=1e-9)


@given(series(least=20), regressions, st.sampled_from(["AIC", "BIC", "t-stat", None]), st.integers(0, 3))
def test_adfuller_on_drawn_series(x, d, autolag, maxlag):
    ours, peer = adfuller(x, maxlag, d, autolag), theirs(stattools.adfuller, x, maxlag, d, autolag)
    assert ours[2:4] == peer[2:4]
    assert ours.statistic == pytest.approx(peer[0], rel=1e-6, abs=1e-6)
    assert ours.pvalue == pytest.approx(peer[1], rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("d", ["c", "ct"])
@pytest.mark.parametrize("nlags", ["auto", "legacy", 0, 5])
def test_kpss_on_real_series(load, d, nlags):
    x = load().values
    ours, peer = kpss(x, d, nlags), theirs(stattools.kpss, x, d, nlags)
    assert ours.statistic == pytest.approx(peer[0], rel=1e-10) and ours.lags == peer[2]
    assert 0.01 < peer[1] < 0.1 and abs(ours.pvalue - peer[1]) < 0.004 \
        or peer[1] == 0.01 and ours.pvalue < 0.011 or peer[1] == 0.1 and ours.pvalue > 0.099


@given(series(least=8), st.sampled_from(["c", "ct"]), st.sampled_from(["auto", "legacy", 2]))
def test_kpss_on_drawn_series(x, d, nlags):
    t = np.arange(len(x))
    assume(np.ptp(x - np.polyval(np.polyfit(t, x, 1), t)) > 1e-2)
    ours, peer = kpss(x, d, nlags), theirs(stattools.kpss, x, d, nlags)
    assert ours.lags == peer[2] and ours.statistic == pytest.approx(peer[0], rel=1e-8)


@pytest.mark.parametrize("test", [adfuller, kpss])
def test_series_of_pandas(test):
    values = load_nile().values
    found = test(values)
    numbered = pd.Series(values, index=np.arange(5, 105))
    assert test(numbered) == test(pd.Series(values, index=pd.date_range("1871", periods=100, freq="YS"))) == found
    assert test(pd.Series(values, dtype=object)) == test(pd.Series(values).astype("Int64")) == found
    with pytest.raises(ValueError, match=r"x.index: expected equal steps, got 1 gap"):
        test(numbered.drop(50))
    with pytest.raises(ValueError, match=r"x: Input contains NaN, first at \[3\]"):
        test(numbered.where(numbered.index != 8))


@pytest.mark.parametrize("d", [d for d in TERMS if d != "n"])
def test_where_statsmodels_errs_and_we_do_not(d):
    """A walk at 10⁹, and one of 10¹⁵⁰: its τ is another, ours the same."""
    x = np.rint(np.random.default_rng(11).normal(size=200).cumsum() * 2**20) / 2**20
    ours = adfuller(x, regression=d).statistic
    assert ours == pytest.approx(theirs(stattools.adfuller, x, regression=d)[0], rel=1e-8)
    assert adfuller(x * 2.0**500, regression=d).statistic == ours
    with np.errstate(all="ignore"):
        assert abs(theirs(stattools.adfuller, x * 2.0**500, regression=d)[0] - ours) > 1e-3
    assert adfuller(x + 1e9, regression=d).statistic == ours
    assert abs(theirs(stattools.adfuller, x + 1e9, regression=d)[0] - ours) > 1e-3
