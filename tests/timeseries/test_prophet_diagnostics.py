"""Cutoffs and the table against their definitions; folds against forecasts made by hand."""
import os
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.datasets import load_peyton_manning
from scratchml.timeseries import Prophet, cross_validation, performance_metrics, register_performance_metric
from scratchml.timeseries import prophet_diagnostics
from scratchml.timeseries.prophet_diagnostics import cutoffs, rolling_mean_by_h, rolling_median_by_h
from tests.reference import prophet_diagnostics as reference
from tests.strategies.prophet_diagnostics import errors, times

seeds = st.integers(0, 2**32 - 1)


def daily(T=200, seed=0, **columns):
    rng, day = np.random.default_rng(seed), np.arange(T)
    y = 10 + 0.02 * day + np.sin(day * 2 * np.pi / 7) + 0.3 * rng.normal(size=T)
    return {"ds": np.datetime64("2020-01-01") + day, "y": y, **columns}


# --- the equations

@given(st.integers(2, 60), seeds, st.integers(1, 40), st.integers(1, 30), st.integers(0, 40))
def test_cutoffs(T, seed, H, P, I):
    d = times(T, seed)
    expected = reference.cutoffs(d.tolist(), H, P, I)
    if expected:
        assert cutoffs(d, H, P, I).tolist() == expected
    else:
        with pytest.raises(ValueError, match="shorter"):
            cutoffs(d, H, P, I)


@given(st.integers(1, 40), seeds, st.integers(1, 45))
def test_windows(n, seed, w):
    x, h = errors(n, seed)
    for ours, theirs in ((rolling_mean_by_h, reference.rolling_mean_by_h),
                         (rolling_median_by_h, reference.rolling_median_by_h)):
        horizons, values = ours(x, h, w)
        expected = theirs(x.tolist(), h.tolist(), w)
        assert horizons.tolist() == expected[0]
        np.testing.assert_allclose(values, expected[1], rtol=1e-12)


# --- folds

def test_a_fold_is_a_forecast_of_what_came_after_it():
    df = daily()
    model = Prophet(random_state=3, scaling="minmax", seasonality_mode="multiplicative", weekly_seasonality=2).fit(df)
    found = cross_validation(model, "20 days", "30 days", "100 days", extra_output_columns="trend")
    assert list(found) == ["ds", "yhat", "yhat_lower", "yhat_upper", "trend", "y", "cutoff"]
    last = df["ds"][-1] - 20
    np.testing.assert_array_equal(np.unique(found["cutoff"]), last - 30 * np.arange(2, -1, -1))
    for cutoff in np.unique(found["cutoff"]):
        past, rows = df["ds"] <= cutoff, found["cutoff"] == cutoff
        by_hand = Prophet(scaling="minmax", seasonality_mode="multiplicative", weekly_seasonality=2)
        by_hand.fit({name: values[past] for name, values in df.items()})
        ahead = (df["ds"] > cutoff) & (df["ds"] <= cutoff + np.timedelta64(20, "D"))
        np.testing.assert_array_equal(found["ds"][rows], df["ds"][ahead])
        np.testing.assert_array_equal(found["y"][rows], df["y"][ahead])
        np.testing.assert_array_equal(found["yhat"][rows], by_hand.predict({"ds": df["ds"][ahead]})["yhat"])
    again = cross_validation(model, np.timedelta64(20, "D"), "30 days", "100 days")
    np.testing.assert_array_equal(again["yhat_lower"], found["yhat_lower"])


def test_everything_that_a_model_has_goes_along():
    T, rng = 200, np.random.default_rng(1)
    df = daily(T, on=np.arange(T) % 14 < 7, x=rng.normal(size=T), cap=np.full(T, 30.0), floor=np.full(T, 5.0))
    model = Prophet(growth="logistic", changepoints=df["ds"][[20, 60, 150]], uncertainty_samples=0,
                    holidays={"ds": df["ds"][[5, 50, 120]], "holiday": ["a"] * 3})
    model.add_seasonality("monthly", 30.5, 3, condition_name="on").add_regressor("x", mode="multiplicative").fit(df)
    before = {name: values.copy() for name, values in model.history.items()}
    found = cross_validation(model, "10 days", cutoffs=df["ds"][[100, 189]])
    assert list(found) == ["ds", "yhat", "y", "cutoff"] and len(found["ds"]) == 20
    assert np.isfinite(found["yhat"]).all() and np.abs(found["yhat"] - found["y"]).mean() < 1
    for name, values in before.items():
        np.testing.assert_array_equal(model.history[name], values)


def test_a_warning_of_folds_comes_once():
    df = daily()
    model = Prophet(uncertainty_samples=0, holidays={"ds": [df["ds"][180]], "holiday": ["late"]}).fit(df)
    with pytest.warns(UserWarning) as caught:
        cross_validation(model, "10 days", "20 days", "100 days")
    assert len(caught) == 1 and "folds" in str(caught[0].message) and "'late'" in str(caught[0].message)
    with pytest.warns(UserWarning, match="longest season"):
        cross_validation(Prophet(yearly_seasonality=2, uncertainty_samples=0).fit(daily(800)), "10 days", "200 days",
                         "300 days")


@pytest.mark.parametrize("arguments, words", [
    (dict(horizon="300 days"), "horizon"), (dict(horizon="10 days", initial="195 days"), "shorter"),
    (dict(horizon="ten days"), "horizon='ten days'"), (dict(horizon=10), "horizon=10"),
    (dict(horizon="0 days"), "0 days"),
    (dict(horizon="10 days", period="-3 days"), "period"), (dict(horizon="10 days", cutoffs=["2020-01-01"]), "cutoffs"),
    (dict(horizon="10 days", cutoffs="2020-07-17"), "cutoffs"), (dict(horizon="10 days", parallel="bad"), "'parallel'"),
    (dict(horizon="10 days", extra_output_columns=["no"]), "'no'"), (dict(horizon="NaT"), "NaT"),
])
def test_what_cannot_be_validated_is_said(arguments, words):
    model = Prophet(uncertainty_samples=0).fit(daily())
    with pytest.raises(ValueError, match=words), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cross_validation(model, **arguments)


def test_only_fitted_models_are_validated():
    for wrong in (Prophet(), None, "model"):
        with pytest.raises(ValueError, match="fitted"):
            cross_validation(wrong, "10 days")


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="seconds in plain Python")
def test_page_views():
    """prophet 1.5.0 has MAE .6301, MAPE .0758, coverage .587 over all; an exact optimum forecasts a little better."""
    series = load_peyton_manning()
    model = Prophet(random_state=0, uncertainty_samples=300).fit({"ds": series.times, "y": series.values})
    found = cross_validation(model, "365 days", "180 days", "730 days")
    assert len(found["y"]) == 3988 and str(found["cutoff"][0])[:10] == "2010-02-15"
    over_all = performance_metrics(found, rolling_window=1)
    assert over_all["mae"] == pytest.approx(.6257, abs=.0003) and over_all["mape"] == pytest.approx(.07522, abs=.0001)
    assert over_all["coverage"] == pytest.approx(.59, abs=.02)
    table = performance_metrics(found, ["mae"])
    at = {int(h / np.timedelta64(1, "D")): e for h, e in zip(table["horizon"], table["mae"])}
    assert len(at) == 329 and at[37] == pytest.approx(.5017, abs=1e-3) and at[365] == pytest.approx(.8864, abs=1e-3)


# --- the table

def forecasts(n=12, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(5, 1, n)
    ds = np.datetime64("2020-01-01") + np.arange(n) % 4 + 1
    return {"ds": ds, "cutoff": np.full(n, "2020-01-01", "M8[D]"), "y": y, "yhat": y + rng.normal(size=n),
            "yhat_lower": y - 0.5, "yhat_upper": y + rng.normal(size=n)}


def test_each_metric_is_its_definition():
    df = forecasts()
    e = df["y"] - df["yhat"]
    table = performance_metrics(df, rolling_window=1)
    middle = (np.abs(df["y"]) + np.abs(df["yhat"])) / 2
    expected = {"mse": np.mean(e**2), "rmse": np.sqrt(np.mean(e**2)), "mae": np.mean(abs(e)),
                "mape": np.mean(abs(e / df["y"])), "mdape": np.median(abs(e / df["y"])),
                "smape": np.mean(abs(e) / middle),
                "coverage": np.mean((df["y"] >= df["yhat_lower"]) & (df["y"] <= df["yhat_upper"]))}
    assert list(table) == ["horizon", *expected]
    for name, value in expected.items():
        assert table[name] == pytest.approx(value)
    each = performance_metrics(df, rolling_window=-1)
    assert len(each["mae"]) == 12 and each["mae"].sum() == pytest.approx(abs(e).sum())
    assert performance_metrics(df, "mae", rolling_window=0)["horizon"].tolist() == \
        [np.timedelta64(k, "D").astype("m8[us]").item() for k in (1, 2, 3, 4)]


def test_the_order_of_rows_does_not_matter():
    df = forecasts()
    backwards = {name: values[::-1] for name, values in df.items()}
    one, other = (performance_metrics(table, ["mae", "rmse"], 0.4) for table in (df, backwards))
    for name in one:
        np.testing.assert_allclose(np.asarray(one[name], float), np.asarray(other[name], float))


def test_values_of_zero():
    df = forecasts()
    df["y"] = np.zeros(12)
    table = performance_metrics(df)
    assert "mape" not in table and np.isinf(table["mdape"]).all() and np.isfinite(table["smape"]).all()
    df["yhat"] = df["y"]
    assert (performance_metrics(df, ["mdape", "smape"])["smape"] == 0).all()
    wanted = ["mape"]
    assert performance_metrics(df, wanted) is None and wanted == ["mape"]


def test_without_intervals_there_is_no_coverage():
    df = {name: values for name, values in forecasts().items() if "yhat_" not in name}
    assert "coverage" not in performance_metrics(df) and performance_metrics(df, ["coverage"]) is None


def test_months():
    df = {"ds": np.arange("2020-02", "2020-06", dtype="M8[M]"), "cutoff": np.full(4, "2019-12-31", "M8[D]"),
          "y": np.arange(4.0) + 1, "yhat": np.zeros(4)}
    assert performance_metrics(df, ["mae"], 0, monthly=True)["horizon"].tolist() == [2, 3, 4, 5]


def test_a_metric_of_ones_own():
    @register_performance_metric
    def largest(df, w):
        h = np.unique(df["horizon"])
        return {"horizon": h, "largest": np.array([abs(df["y"] - df["yhat"])[df["horizon"] == k].max() for k in h])}
    try:
        df = forecasts()
        table = performance_metrics(df, ["mae", "largest"], rolling_window=0)
        assert (table["largest"] >= table["mae"]).all()
        with pytest.raises(ValueError, match="4 horizons"):
            performance_metrics(df, ["mae", "largest"], rolling_window=-1)
    finally:
        del prophet_diagnostics.registered["largest"]
    with pytest.raises(ValueError, match="function"):
        register_performance_metric("mae")


@pytest.mark.parametrize("change, words", [
    (dict(metrics=["mae", "no"]), "'no'"), (dict(metrics=["mae", "mae"]), "once"),
    (dict(rolling_window="all"), "rolling_window"),
    (dict(rolling_window=np.nan), "rolling_window"), (dict(monthly="False"), "monthly"),
    (dict(df={"ds": []}), "cutoff"),
    (dict(df={name: values[:0] for name, values in forecasts().items()}), "no|none"), (dict(df=[1, 2]), "df"),
    (dict(df={**forecasts(), "y": np.full(12, np.nan)}), "NaN"),
    (dict(df={**forecasts(), "y": np.ones(3)}), "one length"),
])
def test_what_is_no_table_is_said(change, words):
    with pytest.raises(ValueError, match=words):
        performance_metrics(**{"df": forecasts(), **change})


def test_a_picture_by_horizon():
    pytest.importorskip("matplotlib")
    figure = prophet_diagnostics.plot_cross_validation_metric(forecasts(), "mae")
    dots, line = figure.axes[0].lines
    assert len(dots.get_xdata()) == 12 and line.get_xdata().tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="near 0"):
        prophet_diagnostics.plot_cross_validation_metric({**forecasts(), "y": np.zeros(12)}, "mape")


def test_pandas_gets_pandas():
    pandas = pytest.importorskip("pandas")
    model = Prophet(random_state=0, uncertainty_samples=20).fit(pandas.DataFrame(daily()))
    found = cross_validation(model, "10 days", "30 days", "100 days")
    table = performance_metrics(found)
    assert isinstance(found, pandas.DataFrame) and isinstance(table, pandas.DataFrame)
    assert found["cutoff"].dtype.kind == "M" and table["horizon"].dtype.kind == "m" and "pandas" in sys.modules
