"""Prophet: its laws, its columns, what it learns from and what it refuses."""
import copy
import pickle
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.datasets import load_co2, load_peyton_manning
from scratchml.timeseries import Prophet, add_changepoints_to_plot, regressor_coefficients
from scratchml.timeseries.prophet_rows import far_phases

DAY = np.timedelta64(1, "D")
INTERVALS = ["yhat_lower", "yhat_upper", "trend_lower", "trend_upper"]


def daily(T=150, seed=0, **columns):
    rng, day = np.random.default_rng(seed), np.arange(T)
    y = 10 + 0.02 * day - 0.03 * np.maximum(day - 70, 0) + np.sin(day * 2 * np.pi / 7) + 0.2 * rng.normal(size=T)
    return {"ds": np.datetime64("2020-01-01") + day, "y": y, **columns}


def fitted(df=None, **options):
    return Prophet(**{"random_state": 0, "uncertainty_samples": 50, **options}).fit(daily() if df is None else df)


def assert_same(one, other, but=()):
    assert list(one) == list(other)
    for name in one:
        if name not in but:
            np.testing.assert_array_equal(one[name], other[name])


# --- laws

def with_everything(growth="linear", scaling="absmax", seed=0, **options):
    T, rng = 150, np.random.default_rng(seed)
    df = daily(T, seed, on=np.arange(T) % 20 < 10, x=rng.normal(size=T), z=rng.integers(0, 2, T), cap=np.full(T, 20.0),
               floor=np.linspace(-1, 1, T))
    if growth != "logistic":
        del df["cap"], df["floor"]
    holidays = {"ds": df["ds"][[10, 50]], "holiday": ["b", "a"], "lower_window": [-1, 0], "upper_window": [1, 2]}
    model = Prophet(growth, scaling=scaling, seasonality_mode="multiplicative", holidays_mode="additive",
                    holidays=holidays, random_state=0, uncertainty_samples=40, **options)
    model.add_seasonality("monthly", 30.5, 2, mode="additive", condition_name="on")
    return model.add_regressor("x").add_regressor("z", mode="additive").fit(df), df


@pytest.mark.parametrize("growth", ["linear", "logistic", "flat"])
@pytest.mark.parametrize("scaling", ["absmax", "minmax"])
def test_the_components_add_up(growth, scaling):
    model, df = with_everything(growth, scaling)
    found = model.predict(df)
    floor = df["floor"] if growth == "logistic" else 0 if scaling == "absmax" else df["y"].min()
    np.testing.assert_allclose(found["yhat"], floor + (found["trend"] - floor) * (1 + found["multiplicative_terms"])
                               + found["additive_terms"], rtol=1e-12)
    np.testing.assert_allclose(found["holidays"], found["a"] + found["b"], atol=1e-12)
    np.testing.assert_allclose(found["additive_terms"], found["holidays"] + found["monthly"] + found["z"], atol=1e-12)
    np.testing.assert_allclose(found["multiplicative_terms"], found["weekly"] + found["x"], atol=1e-12)
    assert (found["monthly"][~df["on"]] == 0).all() and (found["monthly"][df["on"]] != 0).all()
    assert (np.flatnonzero(found["b"]) == [9, 10, 11]).all() and (np.flatnonzero(found["a"]) == [50, 51, 52]).all()
    assert np.sqrt(np.mean((found["yhat"] - df["y"]) ** 2)) == pytest.approx(model.params["sigma_obs"][0, 0] *
                                                                             model.y_scale, rel=0.02)
    assert_same(found, model.predict())


@given(st.integers(0, 1000), st.sampled_from(["linear", "logistic", "flat"]))
@settings(max_examples=6)
def test_the_order_of_rows_does_not_matter(seed, growth):
    df = daily(60, seed, cap=np.full(60, 15.0))
    order = np.random.default_rng(seed).permutation(60)
    mixed = {name: values[order] for name, values in df.items()}
    one, other = fitted(df, growth=growth), fitted(mixed, growth=growth)
    for name in one.params:
        np.testing.assert_array_equal(one.params[name], other.params[name])
    assert_same(one.predict(df), other.predict(mixed))


@pytest.mark.parametrize("power", [-60, 3, 200])
@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_a_power_of_two_scales_everything_exactly(power, mode):
    df = daily()
    scaled = {"ds": df["ds"], "y": np.ldexp(df["y"], power)}
    one, other = fitted(df, seasonality_mode=mode), fitted(scaled, seasonality_mode=mode)
    for name in one.params:
        np.testing.assert_array_equal(one.params[name], other.params[name])
    future = one.make_future_dataframe(20)
    ours, theirs = one.predict(future), other.predict(future)
    for name in ("yhat", "yhat_lower", "yhat_upper", "trend", "trend_lower", "additive_terms"):
        np.testing.assert_array_equal(np.ldexp(ours[name], power), theirs[name])


@pytest.mark.parametrize("growth", ["linear", "logistic"])
def test_intervals_of_a_seed_are_the_same_bits_on_any_number_of_threads(growth, monkeypatch):
    df = daily(cap=np.full(150, 15.0))
    future = {"ds": df["ds"][-1] + np.arange(1, 700) * DAY, "cap": np.full(699, 15.0)}
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(fitted(df, growth=growth).predict(future))
    assert_same(*found)
    other = fitted(df, growth=growth, random_state=1).predict(future)
    assert (other["yhat_lower"] != found[0]["yhat_lower"]).all()


def test_intervals_cover_what_they_say_and_widen():
    model = fitted(daily(400), uncertainty_samples=400, interval_width=0.9)
    past = model.predict()
    inside = (past["yhat_lower"] <= daily(400)["y"]) & (daily(400)["y"] <= past["yhat_upper"])
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
    assert_same({"a": past["trend"]}, {"a": past["trend_lower"]})
    future = model.predict(model.make_future_dataframe(400, include_history=False))
    width = future["trend_upper"] - future["trend_lower"]
    assert (width[1:] > 0).all() and width[-50:].mean() > 3 * width[:50].mean()
    drawn = model.predictive_samples(model.make_future_dataframe(400))
    assert drawn["yhat"].shape == (800, 400)
    np.testing.assert_array_equal(np.ptp(drawn["trend"][:400], axis=1), 0)
    noise = drawn["yhat"][:400] - past["yhat"][:, None]
    assert noise.std() == pytest.approx(model.params["sigma_obs"][0, 0] * model.y_scale, rel=0.02)
    ends = np.quantile(drawn["yhat"][400:], [0.05, 0.95], axis=1)
    np.testing.assert_allclose(ends, [future["yhat_lower"], future["yhat_upper"]], atol=0.6 * width.max())


# --- figures

def test_page_views():
    """prophet 1.5.0 forecasts 8.164830 [7.478517, 8.897870] for 2017-01-19, from an optimum 0.47 above ours."""
    series = load_peyton_manning()
    model = Prophet(random_state=0).fit({"ds": series.times, "y": series.values})
    assert -model.params["lp__"][0, 0] == pytest.approx(-8005.159165, abs=1e-6)
    assert model.y_scale == pytest.approx(12.846746888829)
    future = model.make_future_dataframe(365)
    found = model.predict(future)
    np.testing.assert_allclose(found["yhat"][[0, 1000, 2904]], [8.844732, 8.753530, 8.549243], atol=.03)
    assert str(found["ds"][-1]) == "2017-01-19" and found["yhat"][-1] == pytest.approx(8.1648, abs=.003)
    assert found["yhat_lower"][-1] == pytest.approx(7.4785, abs=.05)
    assert found["yhat_upper"][-1] == pytest.approx(8.8979, abs=.05)
    week = found["weekly"][found["ds"].astype("M8[D]").astype(int) % 7 == 4]               # Mondays
    np.testing.assert_allclose(week, .35229, atol=.002)


def test_holidays_of_page_views():
    """prophet's, of playoffs and superbowls: 1.225122 and 1.901134, 1.202226 and 1.461801, F -8154.9587."""
    series = load_peyton_manning()
    playoffs = ["2008-01-13", "2009-01-03", "2010-01-16", "2010-01-24", "2010-02-07", "2011-01-08", "2013-01-12",
                "2014-01-12", "2014-01-19", "2014-02-02", "2015-01-11", "2016-01-17", "2016-01-24", "2016-02-07"]
    bowls = ["2010-02-07", "2014-02-02", "2016-02-07"]
    model = fitted({"ds": series.times, "y": series.values}, holidays={
        "holiday": ["playoff"] * 14 + ["superbowl"] * 3, "ds": playoffs + bowls, "lower_window": [0] * 17,
        "upper_window": [1] * 17})
    F = -model.params["lp__"][0, 0]
    assert -8160 < F <= -8154.9587
    found = model.predict({"ds": np.array(["2014-01-12", "2014-01-13", "2014-02-02", "2014-02-03"], "M8[D]")})
    np.testing.assert_allclose(found["playoff"], [1.225122, 1.901134, 1.225122, 1.901134], atol=.01)
    np.testing.assert_allclose(found["superbowl"][2:], [1.202226, 1.461801], atol=.02)


# --- columns

def test_columns_in_their_order():
    assert list(fitted().predict()) == [
        "ds", "trend", "yhat_lower", "yhat_upper", "trend_lower", "trend_upper", "additive_terms",
        "additive_terms_lower",
        "additive_terms_upper", "weekly", "weekly_lower", "weekly_upper", "multiplicative_terms",
        "multiplicative_terms_lower", "multiplicative_terms_upper", "yhat"]
    none = fitted(weekly_seasonality=False, uncertainty_samples=0)
    assert list(none.predict()) == ["ds", "trend", "additive_terms", "multiplicative_terms", "yhat"]
    assert none.params["beta"].shape == (1, 1) and fitted(uncertainty_samples=False).predict()["yhat"].size == 150


def test_automatic_seasons():
    hours = {"ds": np.datetime64("2020-01-01T00") + np.arange(24 * 15), "y": np.arange(360.0) % 24}
    assert list(fitted(hours).seasonalities) == ["weekly", "daily"]
    assert list(fitted(daily(731)).seasonalities) == ["yearly",
                                                      "weekly"] and list(fitted(daily(730)).seasonalities) == ["weekly"]
    assert list(fitted(daily(14)).seasonalities) == []
    weekly = {name: values[::7] for name, values in daily(700).items()}
    assert list(fitted(weekly).seasonalities) == []
    assert fitted(weekly_seasonality=5).seasonalities["weekly"]["fourier_order"] == 5
    own = Prophet(uncertainty_samples=0).add_seasonality("weekly", 7, 2, prior_scale=0.1).fit(daily())
    assert own.seasonalities["weekly"]["fourier_order"] == 2
    with pytest.warns(UserWarning, match="less than 730 days"):
        fitted(yearly_seasonality=True)


def test_where_the_trend_may_bend():
    assert len(fitted().changepoints) == 25 and fitted().changepoints.max() == np.datetime64("2020-01-01") + 119
    assert len(fitted(daily(20)).changepoints) == 15 and fitted(n_changepoints=0).params["delta"].tolist() == [[0]]
    given_ones = fitted(changepoints=["2020-03-11", "2020-02-01"])
    assert given_ones.changepoints.astype("M8[D]").astype(str).tolist() == ["2020-02-01", "2020-03-11"]
    assert fitted(changepoints=[]).changepoints_t.tolist() == [0] and given_ones.n_changepoints == 2
    with pytest.raises(ValueError, match="within the history"):
        fitted(changepoints=["2019-12-31"])


def test_missing_values_are_left_out_and_forecast():
    df = daily()
    df["y"][[3, 77]] = np.nan
    model, known = fitted(df), ~np.isnan(df["y"])
    without = fitted({name: values[known] for name, values in df.items()})
    for name in model.params:
        np.testing.assert_array_equal(model.params[name], without.params[name])
    future = model.make_future_dataframe(2)
    assert len(future["ds"]) == 152 and np.isfinite(model.predict(future)["yhat"]).all()


def test_what_may_be_written_otherwise():
    df = daily()
    expected = fitted(df).params["beta"]
    for ds in (df["ds"].astype(str), df["ds"].astype(object), df["ds"].astype("M8[s]"), list(df["ds"].astype(str))):
        np.testing.assert_array_equal(fitted({"ds": ds, "y": df["y"]}).params["beta"], expected)
    for y in (list(df["y"]), df["y"].astype(object), [repr(float(value)) for value in df["y"]]):
        np.testing.assert_array_equal(fitted({"ds": df["ds"], "y": y}).params["beta"], expected)
    assert fitted({"ds": df["ds"], "y": df["y"].astype(np.float32)}).params["beta"].dtype == np.float64
    fitted({"ds": df["ds"], "y": df["y"].astype(np.int64)})
    np.testing.assert_array_equal(fitted({"ds": iter(df["ds"]), "y": (y for y in df["y"])}).params["beta"], expected)
    once = fitted(df, holidays={"ds": iter(["2020-02-01"]), "holiday": iter(["a"])}, changepoints=iter(["2020-03-01"]))
    assert once.predict({"ds": iter(["2020-02-01"])})["a"][0] != 0 and len(once.changepoints) == 1


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    df = daily()
    frame = pandas.DataFrame(df, index=np.arange(7, 157))
    ours, theirs = fitted(df), fitted(frame)
    assert isinstance(theirs.history, pandas.DataFrame) and isinstance(theirs.changepoints, pandas.Series)
    future = theirs.make_future_dataframe(5)
    assert future["ds"].dtype == "M8[ns]" and len(future) == 155
    found = theirs.predict(future)
    assert isinstance(found, pandas.DataFrame) and isinstance(ours.predict(future), pandas.DataFrame)
    assert_same(ours.predict(ours.make_future_dataframe(5)), found, but=["ds"])
    np.testing.assert_array_equal(frame["y"], df["y"])
    nullable = frame.assign(y=frame["y"].astype("Float64").mask(frame.index == 9))
    known = np.arange(150) != 2
    np.testing.assert_array_equal(fitted(nullable).params["beta"],
                                  fitted({name: values[known] for name, values in df.items()}).params["beta"])
    words = frame.assign(ds=frame["ds"].dt.strftime("%m/%d/%Y"))
    np.testing.assert_array_equal(fitted(words).params["beta"], ours.params["beta"])
    with pytest.raises(ValueError, match="zone"):
        fitted(frame.assign(ds=frame["ds"].dt.tz_localize("Europe/Berlin")))
    with pytest.raises(ValueError, match="two columns"):
        fitted(pandas.concat([frame, frame["y"]], axis=1))


@pytest.mark.parametrize("freq, periods, expected", [
    ("D", 2, ["2020-05-30", "2020-05-31"]), ("2D", 2, ["2020-05-31", "2020-06-02"]),
    ("W", 2, ["2020-05-31", "2020-06-07"]),
    ("W-FRI", 1, ["2020-06-05"]), ("MS", 2, ["2020-06-01", "2020-07-01"]), ("ME", 2, ["2020-05-31", "2020-06-30"]),
    ("QS", 2, ["2020-07-01", "2020-10-01"]), ("YS", 1, ["2021-01-01"]), ("2MS", 2, ["2020-06-01", "2020-08-01"]),
    ("QE", 2, ["2020-06-30", "2020-09-30"]), ("YE", 2, ["2020-12-31", "2021-12-31"]), ("h", 1, ["2020-05-29T01"]),
    ("90min", 2, ["2020-05-29T01:30", "2020-05-29T03:00"]), (None, 2, ["2020-05-30", "2020-05-31"]), ("D", 0, [])])
def test_dates_to_come(freq, periods, expected):
    found = fitted().make_future_dataframe(periods, freq, include_history=False)["ds"]
    np.testing.assert_array_equal(found, np.array(expected, "M8[us]"))
    pandas = pytest.importorskip("pandas")
    if freq:
        dates = pandas.date_range("2020-05-29", periods=periods + 1, freq=freq)
        np.testing.assert_array_equal(found, dates[dates > "2020-05-29"][:periods].to_numpy())


def test_months_go_on_as_months():
    co2 = load_co2()
    model = fitted({"ds": co2.times, "y": co2.values})
    found = model.make_future_dataframe(3, None, include_history=False)["ds"]
    assert found.astype("M8[D]").astype(str).tolist() == ["2002-01-01", "2002-02-01", "2002-03-01"]


def test_a_season_is_not_known_between_the_phases_that_were_seen():
    co2 = load_co2()
    model = fitted({"ds": co2.times, "y": co2.values})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(model.make_future_dataframe(24, "MS"))
    with pytest.warns(UserWarning, match="yearly: some times"):
        model.predict(model.make_future_dataframe(40, "D", include_history=False))
    week = np.arange(100.0)
    assert not far_phases(week, week + 0.5, 7, 3) and far_phases(week[week % 7 < 5], week, 7, 3)
    assert not far_phases(week[week % 7 < 5], week[week % 7 < 5], 7, 3)
    before = week - 700                                  # before 1970
    assert not far_phases(before[week % 7 < 5], week[week % 7 < 5] - 1400, 7, 3)
    assert far_phases(before[week % 7 < 5], week[week % 7 == 5], 7, 3)


# --- holidays and regressors

def test_a_holiday_that_never_was_is_said():
    holidays = {"ds": ["2020-02-01", "2030-01-01"], "holiday": ["seen", "never"]}
    with pytest.warns(UserWarning, match="'never'"):
        model = fitted(holidays=holidays)
    found = model.predict({"ds": ["2020-02-01", "2030-01-01"]})
    assert found["never"].tolist() == [0, 0] and found["seen"][0] != 0


def test_a_holiday_lasts_all_day():
    ds = np.datetime64("2020-01-01T00") + np.arange(24 * 20)
    model = fitted({"ds": ds, "y": np.arange(480.0) % 24}, holidays={"ds": ["2020-01-05"], "holiday": ["a"]})
    assert (model.predict()["a"] != 0).sum() == 24


def test_prior_scales_hold_back():
    holidays = {"ds": ["2020-02-01"] * 2, "holiday": ["a", "b"], "prior_scale": [10.0, 1e-3]}
    found = fitted(holidays=holidays).predict()
    assert abs(found["a"]).max() > 50 * abs(found["b"]).max() > 0


def test_regressors_are_standardised_and_found_again():
    T, rng = 150, np.random.default_rng(5)
    x, z = rng.normal(1e9, 5.0, T), rng.integers(0, 2, T)
    df = daily(x=x, z=z, c=np.full(T, 3.0))
    df["y"] = df["y"] + 0.5 * (x - 1e9) - 2 * z
    model = Prophet(uncertainty_samples=0).add_regressor("x").add_regressor("z").add_regressor("c").fit(df)
    assert model.extra_regressors["x"]["std"] == pytest.approx(x.std(ddof=1))
    assert model.extra_regressors["z"]["std"] == 1
    assert model.extra_regressors["c"]["std"] == 1 and model.extra_regressors["c"]["mu"] == 0
    table = regressor_coefficients(model)
    assert table["coef"][0] == pytest.approx(0.5, rel=.01) and table["coef"][1] == pytest.approx(-2, rel=.1)
    scaled = Prophet().add_regressor("z", standardize=True).fit(df)
    assert scaled.extra_regressors["z"]["std"] == pytest.approx(z.std(ddof=1))


def test_a_regressor_may_be_forecast():
    T, rng = 120, np.random.default_rng(0)
    x = np.cumsum(rng.normal(size=T))
    df = {**daily(T), "x": x}
    df["y"] = df["y"] + x
    model = Prophet(random_state=0, uncertainty_samples=50).add_regressor("x", regressor_predictor=True).fit(df)
    ahead = {"ds": df["ds"][-1] + np.arange(1, 20) * DAY}
    found = model.predict(ahead)
    given_it = Prophet(random_state=0, uncertainty_samples=50).add_regressor("x").fit(df)
    alone = given_it.predict({**ahead, "x": model.extra_regressors["x"]["predictor"].predict(ahead)["yhat"]})
    np.testing.assert_allclose(found["yhat"], alone["yhat"], rtol=1e-10)
    assert ((found["yhat_upper"] - found["yhat_lower"]).mean() > 1.2
            * (alone["yhat_upper"] - alone["yhat_lower"]).mean())
    past, same = model.predict({"ds": df["ds"][10:20]}), given_it.predict({"ds": df["ds"][10:20], "x": x[10:20]})
    for name in ("yhat", "yhat_lower", "yhat_upper"):    # known values of the history, and no drawing there
        np.testing.assert_allclose(past[name], same[name], rtol=1e-12)


# --- hostile input

@pytest.mark.parametrize("growth", ["linear", "logistic", "flat"])
def test_two_rows(growth):
    model = fitted({"ds": ["2020-01-01", "2020-01-02"], "y": [1.0, 2.0], "cap": [3.0, 3.0]}, growth=growth)
    found = model.predict({"ds": ["2020-01-01", "2020-01-02"], "cap": [3.0, 3.0]})
    assert np.isfinite(found["yhat"]).all()
    np.testing.assert_allclose(found["yhat"], [1.5, 1.5] if growth == "flat" else [1, 2], atol=1e-2)


@pytest.mark.parametrize("growth", ["linear", "flat", "logistic"])
@pytest.mark.parametrize("scaling", ["absmax", "minmax"])
@pytest.mark.parametrize("value", [0.0, 20.0, -3e-150, 1e150])
def test_all_alike(growth, scaling, value):
    df = daily(cap=np.full(150, 2 * abs(value) or 1.0))
    df["y"] = np.full(150, value)
    found = fitted(df, growth=growth, scaling=scaling).predict(df)
    if growth == "logistic":
        assert np.isfinite(found["yhat"]).all()
        return
    np.testing.assert_allclose(found["yhat"], value, rtol=1e-12)
    np.testing.assert_allclose(found["yhat_upper"], value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_very_small_and_very_large_values(scale):
    df = daily()
    found = fitted({**df, "y": df["y"] * scale}).predict()
    np.testing.assert_allclose(found["yhat"] / scale, fitted(df).predict()["yhat"], rtol=1e-6)


def test_little_variation_far_from_zero():
    df = daily()
    far = {**df, "y": 1e12 + df["y"]}
    found = fitted(far, scaling="minmax").predict()
    np.testing.assert_allclose(found["yhat"] - 1e12, fitted(df, scaling="minmax").predict()["yhat"], atol=1e-3)
    assert np.isfinite(fitted(far).predict()["yhat"]).all()


def test_fewer_rows_than_places_to_bend_or_columns():
    model = fitted(daily(5))
    assert len(model.changepoints) == 3 and np.isfinite(model.predict()["yhat"]).all()
    with pytest.warns(UserWarning):
        wide = fitted(daily(12), yearly_seasonality=10, weekly_seasonality=3, daily_seasonality=4)
    assert np.isfinite(wide.predict()["yhat"]).all() and np.isfinite(wide.params["beta"]).all()


def test_rows_of_one_day_count_each():
    df = daily()
    twice = {name: np.concatenate([values, values]) for name, values in df.items()}
    twice["y"][150:] += 10
    found = fitted(twice).predict(df)["yhat"]
    assert (found - df["y"]).mean() == pytest.approx(5, abs=0.05) and np.abs(found - df["y"] - 5).max() < 1.5


def test_a_future_in_which_exp_would_overflow():
    df = daily(cap=np.full(150, 15.0))
    model = fitted(df, growth="logistic", uncertainty_samples=10)
    found = model.predict({"ds": np.array(["2300-01-01", "1700-01-01"], "M8[D]"), "cap": [15.0, 15.0]})
    for name in ("yhat", *INTERVALS):
        assert np.isfinite(found[name]).all()
    assert (found["trend"] >= 0).all() and (found["trend"] <= 15).all()
    with pytest.raises(ValueError, match="nearer times"):
        fitted(df, uncertainty_samples=20_000).predict({"ds": ["9999-01-01"]})


@pytest.mark.parametrize("change, words", [
    (dict(y=np.full(150, np.nan)), "two rows"), (dict(y=np.where(np.arange(150) == 5, np.inf, 1.0)), "infinity"),
    (dict(y=np.where(np.arange(150) == 5, 1.0, np.nan)), "got 1"),
    (dict(ds=np.full(150, "2020-01-01", "M8[D]")), "two times"),
    (dict(ds=np.arange(150)), "dates"), (dict(ds=["2020-01-01"] * 149 + ["soon"]), "soon"),
    (dict(ds=["2020-01-01"] * 149 + ["2020-01-01T00:00+01:00"]), "zone"), (dict(ds=daily()["ds"][:-1]), "one length"),
    (dict(ds=np.append(daily()["ds"][:-1], np.datetime64("NaT"))), "NaT"), (dict(y=daily()["ds"]), "numbers"),
    (dict(y=["a"] * 150), "numbers"), (dict(y=1.0), "y"),
    (dict(ds=np.array(["9999-01-01"] * 150, "M8[Y]") + 10**9), "far"),
    (dict(y=np.ma.masked_less(daily()["y"], 9)), "masked"),
])
def test_rows_that_cannot_be_learned_from(change, words):
    model = Prophet()
    with pytest.raises(ValueError, match=words):
        model.fit({**daily(), **change})
    assert model.history is None and model.params == {} and model.seasonalities == {}
    model.fit(daily())


@pytest.mark.parametrize("df, words",
                         [(None, "df"), ([1, 2], "df"), ({"ds": daily()["ds"]}, "'y'"), ({"y": [1, 2]}, "'ds'"),
                                       ({"ds": [], "y": []}, "one row")])
def test_what_is_no_table(df, words):
    with pytest.raises(ValueError, match=words):
        Prophet().fit(df)


@pytest.mark.parametrize("change, words", [
    (dict(cap=None), "'cap'"), (dict(cap=np.zeros(150)), "more than the floor"),
    (dict(cap=np.full(150, np.nan)), "NaN"),
    (dict(cap=np.full(150, 30.0), floor=np.full(150, 40.0)), "more than the floor"),
    (dict(cap=np.full(150, 30.0), floor=np.full(150, np.nan)), "floor")])
def test_caps_that_cannot_be(change, words):
    df = {name: values for name, values in {**daily(), **change}.items() if values is not None}
    with pytest.raises(ValueError, match=words):
        Prophet("logistic").fit(df)


@pytest.mark.parametrize("values, words",
                         [(np.full(150, np.nan), "NaN"), (np.full(150, np.inf), "infinity"), (["a"] * 150, "numbers"),
                                           (np.linspace(0, 1e-320, 150), "deviation|'x'|x")])
def test_regressors_that_cannot_be(values, words):
    with pytest.raises(ValueError, match=words):
        Prophet().add_regressor("x").fit(daily(x=values))
    model = Prophet().add_regressor("x").fit(daily(x=np.arange(150)))
    with pytest.raises(ValueError, match="'x'"):
        model.predict({"ds": ["2020-07-01"]})
    with pytest.raises(ValueError, match="NaN"):
        model.predict({"ds": ["2020-07-01"], "x": [np.nan]})


def test_conditions_that_cannot_be():
    def model():
        return Prophet().add_seasonality("season", 10, 2, condition_name="on")
    with pytest.raises(ValueError, match="'on'"):
        model().fit(daily())
    with pytest.raises(ValueError, match="True or False"):
        model().fit(daily(on=np.arange(150) % 3))
    with pytest.raises(ValueError, match="on"):
        model().fit(daily(on=["False"] * 150))


@pytest.mark.parametrize("options, words", [
    (dict(growth="constant"), "growth"), (dict(seasonality_mode="batman"), "seasonality_mode"),
    (dict(holidays_mode="x"), "holidays_mode"),
    (dict(changepoint_range=-0.1), "changepoint_range"), (dict(changepoint_range=2), "share"),
    (dict(scaling="none"), "scaling"),
    (dict(changepoint_prior_scale=0), "changepoint_prior_scale"), (dict(seasonality_prior_scale=1e-300), "1e-100"),
    (dict(holidays_prior_scale=1e300), "1e100"), (dict(seasonality_prior_scale="10"), "seasonality_prior_scale"),
    (dict(interval_width=1.0), "probability"), (dict(uncertainty_samples=-1), "uncertainty_samples"),
    (dict(n_changepoints=2.5), "n_changepoints"),
    (dict(changepoints="2020-01-01"), "list"), (dict(changepoints=[1, 2]), "dates"), (dict(holidays=[1]), "holidays"),
    (dict(holidays={"ds": ["2020-01-01"]}), "'holiday'"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": [None]}), "name in every row"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": ["a"], "lower_window": [-1]}), "both"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": ["a"], "lower_window": [1], "upper_window": [0]}), "lower_window"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": ["a"], "lower_window": [0], "upper_window": [0.5]}),
     "upper_window"),
    (dict(holidays={"ds": ["2020-01-01"] * 2, "holiday": ["a"] * 2, "prior_scale": [5, 6]}), "one prior_scale"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": ["a"], "prior_scale": [0]}), "prior_scale"),
    (dict(holidays={"ds": ["2020-01-01"], "holiday": ["trend"]}), "reserved"),
    (dict(holidays={"ds": ["soon"], "holiday": ["a"]}), "soon")])
def test_parameters_that_cannot_be(options, words):
    with pytest.raises(ValueError, match=words):
        Prophet(**options)


def test_parameters_changed_afterwards_are_checked_too():
    model = Prophet()
    model.growth = "none"
    with pytest.raises(ValueError, match="growth"):
        model.fit(daily())
    model = fitted()
    model.interval_width = 7
    with pytest.raises(ValueError, match="interval_width"):
        model.predict()
    for wrong in ("yes", 2.5, -1, None):
        with pytest.raises(ValueError, match="yearly_seasonality"):
            Prophet(yearly_seasonality=wrong).fit(daily())


def test_names_are_taken_once():
    holidays = {"ds": ["2020-02-01"], "holiday": ["special"]}
    model = Prophet(holidays=holidays).add_seasonality("own", 10, 2).add_regressor("x")
    for name in ("special", "trend", "a_delim_b", "x", "ds", "yhat_lower", "", 3):
        with pytest.raises(ValueError, match="name="):
            model.add_seasonality(name, 30, 2)
    for name in ("special", "own", "holidays"):
        with pytest.raises(ValueError, match="name="):
            model.add_regressor(name)
    for wrong in (dict(period=0, fourier_order=2), dict(period=7, fourier_order=0), dict(period=7, fourier_order=-1),
                  dict(period=7, fourier_order=2, prior_scale=0), dict(period=7, fourier_order=2, mode="no")):
        with pytest.raises(ValueError, match="expected"):
            model.add_seasonality("other", **wrong)
    with pytest.raises(ValueError, match="standardize"):
        model.add_regressor("y2", standardize="False")
    with pytest.raises(ValueError, match="table"):
        model.add_country_holidays("US")


def test_what_comes_before_and_after_fit():
    for call in (lambda m: m.predict(), lambda m: m.make_future_dataframe(3), lambda m: m.predictive_samples(daily())):
        with pytest.raises(ValueError, match="fit"):
            call(Prophet())
    model = fitted()
    for call in (lambda m: m.fit(daily()), lambda m: m.add_seasonality("a", 3, 1), lambda m: m.add_regressor("a")):
        with pytest.raises(ValueError, match="new"):
            call(model)
    with pytest.raises(ValueError, match="no sampling"):
        Prophet(mcmc_samples=10).fit(daily())
    with pytest.raises(ValueError, match="regressors"):
        Prophet().fit(daily(), regressors=["x"])
    with pytest.raises(ValueError, match="regressor"):
        regressor_coefficients(model)
    with pytest.raises(ValueError, match="how many"):
        fitted(uncertainty_samples=0).predictive_samples(daily())
    assert Prophet().fit(daily(), seed=3, algorithm="Newton").fit_kwargs == {"seed": 3, "algorithm": "Newton"}
    for freq in ("fortnight", 3, "0D", "W-XYZ"):
        with pytest.raises(ValueError, match="freq"):
            model.make_future_dataframe(3, freq)
    with pytest.raises(ValueError, match="periods"):
        model.make_future_dataframe(-1)
    with pytest.raises(ValueError, match="include_history"):
        model.make_future_dataframe(1, include_history="False")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_says_the_same(copied):
    model = fitted()
    future = model.make_future_dataframe(20)
    assert_same(copied(model).predict(future), model.predict(future))


def test_two_threads_at_once():
    found, df = {}, daily()

    def work(name):
        found[name] = fitted(df).predict({"ds": df["ds"] + 100 * DAY})
    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])


def test_a_fit_reports_and_may_be_ended(capsys):
    seen = []
    Prophet(verbose=1, callback=lambda progress: seen.append(progress) or len(seen) == 2).fit(daily())
    assert [progress.iteration for progress in seen] == [0, 1] and seen[1].loss < seen[0].loss
    assert capsys.readouterr().err.count("\n") == 2


# --- pictures

def test_pictures():
    pytest.importorskip("matplotlib")
    model, df = with_everything("logistic")
    found = model.predict(df)
    figure = model.plot(found, include_legend=True)
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), df["y"])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), found["yhat"])
    assert len(axes.lines) == 4 and len(axes.collections) == 1                 # cap, floor, interval
    drawn = add_changepoints_to_plot(axes, model, found, threshold=0)
    assert len(drawn) == 1 + len(model.changepoints)
    panels = model.plot_components(found, weekly_start=1).axes
    assert [axes.get_ylabel() for axes in panels] == [
        "trend", "holidays", "monthly", "weekly", "extra_regressors_additive", "extra_regressors_multiplicative"]
    week = panels[3].lines[0].get_ydata()
    assert panels[3].get_xticklabels()[0].get_text() == "Monday" and week[0] == pytest.approx(week[-1], abs=1e-9)
    monday = found["weekly"][df["ds"].astype(int) % 7 == 4][0]
    assert week[0] == pytest.approx(monday, abs=1e-9)
    assert model.plot(found, ax=axes) is figure and len(model.plot(found, uncertainty=False).axes[0].collections) == 0
    assert len(panels[0].collections) == 1 and not model.plot_components(found, uncertainty=False).axes[0].collections
