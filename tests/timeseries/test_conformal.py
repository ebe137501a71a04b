"""Conformal intervals against their definition; the guarantee, where its assumption holds; no look ahead."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.preprocessing import StandardScaler
from scratchml.timeseries import (ConformalForecaster, ForecasterDirect, ForecasterRecursive, ForecasterSeasonalNaive,
                                  Ridge)
from scratchml.timeseries.conformal import absolute_errors, intervals, rank, widths
from tests.reference import conformal as reference
from tests.strategies.distances import seeds
from tests.strategies.windows import series_of


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 99), seeds)
def test_widths_are_their_definition(n, H, percent, seed):
    rng, α = np.random.default_rng(seed), percent / 100
    y, f = rng.normal(size=(n, H)), rng.integers(-3, 4, size=(n, H)).astype(float)
    r = absolute_errors(y, f)
    assert r.tolist() == reference.absolute_errors(y.tolist(), f.tolist())
    assert rank(n, α) == reference.rank(n, α)
    if rank(n, α) <= n:
        q = widths(r, α)
        assert q.tolist() == reference.widths(r.tolist(), α)
        for found, expected in zip(intervals(f, q), reference.intervals(f.tolist(), q.tolist())):
            assert found.tolist() == expected
    else:
        with pytest.raises(ValueError,
                           match=f"calibration_size: {n} forecasts are too few .* at least {-(-100 // percent) - 1}"):
            widths(r, α)


def test_exchangeable_errors_are_inside_as_often_as_promised():
    """Of n + 1 errors without ties, in all orders alike, the new one is inside in k of n + 1."""
    rng = np.random.default_rng(0)
    for n, α in ((9, 0.2), (19, 0.1), (12, 0.3)):
        r = rng.exponential(size=(4000, n + 1)) ** 2
        inside = np.array([r_new <= widths(known[:, None], α)[0] for *known, r_new in r.tolist()
                           for known in [np.array(known)]])
        promised = rank(n, α) / (n + 1)
        assert 1 - α <= promised < 1 - α + 1 / (n + 1)
        assert abs(inside.mean() - promised) < 4 * np.sqrt(promised * (1 - promised) / 4000)


def test_a_naive_forecast_by_hand():
    y = [0.0, 5, 5, 6, 8, 8, 12, 13]                     # at the end, one step: 8 - 6, 0, 4, 1
    model = ConformalForecaster(ForecasterSeasonalNaive(1), 1, calibration_size=4, interval=0.6).fit(y)
    assert model.widths_.tolist() == [2] and model.n_calibration_ == 4           # k = 5 · 0.6 = 3
    assert model.predict_interval().tolist() == [[13, 11, 15]] and model.predict().tolist() == [13]
    two = ConformalForecaster(ForecasterSeasonalNaive(1), 2, calibration_size=4, interval=0.5).fit(y)
    assert two.widths_.tolist() == [2, 4] and two.n_calibration_ == 3
    assert two.predict_interval(1).tolist() == [[13, 11, 15]]


@given(seeds, st.booleans())
def test_the_model_has_not_seen_the_errors(seed, recursive):
    y = series_of(60, "trend", seed)
    inner = ForecasterRecursive(Ridge(), 3, transformer_y=StandardScaler()) if recursive \
        else ForecasterDirect(Ridge(), 2, 3)
    model = ConformalForecaster(inner, 2, 20).fit(y)
    alone = (ForecasterRecursive(Ridge(), 3, transformer_y=StandardScaler()) if recursive
             else ForecasterDirect(Ridge(), 2, 3))
    alone.fit(y[:40])
    errors = [np.abs(y[o:o + 2] - alone.predict(2, last_window=y[:o])) for o in range(40, 59)]
    assert model.widths_.tolist() == widths(np.array(errors), 0.2).tolist() and not hasattr(inner, "last_window_")
    assert model.predict().tobytes() == alone.predict(2, last_window=y).tobytes()


def test_columns_known_in_advance_reach_every_origin():
    rng = np.random.default_rng(0)
    exog = rng.normal(size=(90, 2))
    y = exog @ [2.0, -1]
    model = ConformalForecaster(ForecasterDirect(Ridge(1e-9), 3, 2), 3, 30).fit(y[:80], exog[:80])
    assert model.widths_.max() < 1e-6
    np.testing.assert_allclose(model.predict_interval(exog=exog[80:83])[:, 0], y[80:83], atol=1e-6)


Y = np.arange(30.0)


@pytest.mark.parametrize("call, message", [
    (lambda: ConformalForecaster(Ridge(), 1, 9).fit(Y), "forecaster: expected one of the package"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 1, 9, 1.0).fit(Y),
     "interval=1.0: expected a share below 1"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 1, 9, 0).fit(Y), "interval=0"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 1, 9, 0.95).fit(Y),
     "9 forecasts are too few .* at least 19"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 4, 3).fit(Y),
     "calibration_size=3: expected a whole number of"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 1, 30).fit(Y),
     "calibration_size=30: expected less than the 30"),
    (lambda: ConformalForecaster(ForecasterDirect(Ridge(), 2, 3), 4, 20).fit(Y),
     "steps=4: ForecasterDirect has learned 2"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 2, 9).fit(Y).predict_interval(3), "steps=3"),
    (lambda: ConformalForecaster(ForecasterSeasonalNaive(1), 2, 9).predict(), "not fitted yet"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
