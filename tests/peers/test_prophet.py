"""prophet: its own tests with ours in its place, how high its optimum lies above ours, and what both forecast."""
import importlib.metadata
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchml.datasets import load_co2, load_electrical_equipment, load_peyton_manning, load_traffic
from scratchml.timeseries import Prophet, cross_validation, model_from_json, model_to_json, performance_metrics
from scratchml.timeseries.prophet_design import TERMS
from tests.reference.trend_season import negative_log_posterior

pandas = pytest.importorskip("pandas")
SPEC = importlib.util.find_spec("prophet")
TESTS = Path(SPEC.origin).parent / "tests" if SPEC and SPEC.origin else Path("missing")
needs_prophet = pytest.mark.skipif(SPEC is None, reason="prophet is not installed")

# --- its own tests

LEFT = {                                                 # those that do not pass, by reason
    "Stan: figures of where its L-BFGS stops; its Newton's, further down, are ours too": (
        "test_fit_predict[CMDSTANPY-absmax]", "test_fit_predict_large_numbers[CMDSTANPY-absmax]",
        "test_fit_predict_large_numbers[CMDSTANPY-minmax]"),
    "Stan: sampling": ("test_sampling_warm_start[CMDSTANPY]",),
    "countries' holidays": ("test_prophet_copy[CMDSTANPY]", "test_fit_predict_with_country_holidays[CMDSTANPY]",
                            "test_full_serialize[CMDSTANPY]"),
    "internals: how cross_validation calls what, and which model of a regressor predicts": (
        "test_cross_validation_internal_executor_lifecycle[threads-ThreadPoolExecutor-False]",
        "test_cross_validation_internal_executor_lifecycle[threads-ThreadPoolExecutor-True]",
        "test_cross_validation_internal_executor_lifecycle[processes-ProcessPoolExecutor-False]",
        "test_cross_validation_internal_executor_lifecycle[processes-ProcessPoolExecutor-True]",
        "test_cross_validation_does_not_shutdown_caller_executor",
        "test_check_single_cutoff_forecast_func_calls[CMDSTANPY]",
        "test_cross_validation_with_regressor_predictor[CMDSTANPY]",
        "test_regressor_predictor_used_for_future[CMDSTANPY]"),
    "texts: the message has other words": ("test_invalid_growth_input[CMDSTANPY]",),
}


@pytest.mark.skipif(not (TESTS / "test_prophet.py").exists() or importlib.metadata.version("prophet") != "1.5.0",
                    reason="the tests of prophet 1.5.0 are not installed")
@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="minutes in plain Python")
def test_its_own_tests(tmp_path):
    """As prophet 1.5.0 has them, unchanged; `in_place_of` holds modules of its names with ours behind them."""
    shutil.copytree(TESTS, tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root / "tests" / "peers" / "in_place_of"), str(root)])
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "tests"],
                         cwd=tmp_path,
                         env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}, capture_output=True,
                         text=True)
    failed = {line.split("::")[-1].split(" ")[0] for line in run.stdout.splitlines() if line.startswith(("FAILED",
                                                                                                         "ERROR"))}
    assert failed == {name for names in LEFT.values() for name in names}, run.stdout[-3000:] + run.stderr[-500:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) >= 100


# --- the optimum

def series(load, first=None):
    found = load()
    return {"ds": found.times[:first], "y": found.values[:first]}


def with_cap():
    df = series(load_peyton_manning)
    return {**df, "cap": np.full(len(df["y"]), 14.0)}


# data, parameters, the least F seen of prophet 1.5.0, is it quick
CASES = {
    "page views": (lambda: series(load_peyton_manning), {}, -8004.6863, False),
    "multiplicative": (lambda: series(load_peyton_manning), dict(seasonality_mode="multiplicative"), -8012.2573, False),
    "logistic": (with_cap, dict(growth="logistic"), -7903.4325, False),
    "flat": (lambda: series(load_peyton_manning), dict(growth="flat"), -7494.8708, False),
    "τ .5": (lambda: series(load_peyton_manning), dict(changepoint_prior_scale=0.5), -8159.1172, False),
    "τ .001": (lambda: series(load_peyton_manning), dict(changepoint_prior_scale=0.001), -7634.9508, False),
    "first 90 days": (lambda: series(load_peyton_manning, 90), {}, -222.0534, True),
    "first 30 days": (lambda: series(load_peyton_manning, 30), {}, -91.611, True),
    "carbon dioxide": (lambda: series(load_co2), {}, -3366.8654, True),
    "carbon dioxide, multiplicative": (lambda: series(load_co2), dict(seasonality_mode="multiplicative"), -3402.8784,
                                       False),
    "electrical equipment": (lambda: series(load_electrical_equipment), {}, -606.958, True),
    "electrical equipment, multiplicative": (
        lambda: series(load_electrical_equipment), dict(seasonality_mode="multiplicative"), -609.9588, True),
    "traffic": (lambda: series(load_traffic), {}, -14466.0157, False),
    "traffic, multiplicative": (lambda: series(load_traffic), dict(seasonality_mode="multiplicative"), -14505.8953,
                                False),
}


def theirs(df, options):
    logging.getLogger("cmdstanpy").setLevel(logging.CRITICAL)
    from prophet import Prophet as Peer
    return Peer(**options).fit(pandas.DataFrame(df))


def their_optimum(model):
    """F of what prophet has found, from its parameters: it prints four decimals."""
    X, scales, members, _ = model.make_all_seasonality_features(model.history)
    k, m, δ, β, σ = (model.params[name][0] for name in ("k", "m", "delta", "beta", "sigma_obs"))
    added, multiplied = (X.to_numpy() @ (β * members[terms].to_numpy()) for terms in TERMS)
    trend = (model.predict_trend(model.history) - model.history["floor"]) / model.y_scale
    e = trend * (1 + multiplied) + added
    return negative_log_posterior(model.history["y_scaled"].tolist(), e.tolist(), k[0], m[0], δ, β, σ[0],
                                  model.changepoint_prior_scale, np.array(scales))


@pytest.mark.parametrize("name", CASES)
def test_no_optimum_lies_above_prophets(name):
    load, options, F, _ = CASES[name]
    ours = -Prophet(uncertainty_samples=0, **options).fit(load()).params["lp__"][0, 0]
    assert ours <= F + 1e-4                              # noted with four decimals


@needs_prophet
@pytest.mark.parametrize("name", [name for name, (*_, quick) in CASES.items() if quick])
def test_nor_above_what_prophet_finds_now(name):
    """Its figures differ from machine to machine in the first decimal."""
    load, options, F, _ = CASES[name]
    ours = -Prophet(uncertainty_samples=0, **options).fit(load()).params["lp__"][0, 0]
    peer = their_optimum(theirs(load(), options))
    assert ours <= peer + 1e-6 and peer == pytest.approx(F, abs=1)


# --- the same columns and forecasts

def everything():
    """Rows with all that a model can have, and the model of either kind."""
    T, rng = 400, np.random.default_rng(0)
    day = np.arange(T)
    x, z, on = rng.normal(size=T), rng.integers(0, 2, T), day % 30 < 15
    y = 20 + 0.02 * day + np.sin(day * 2 * np.pi / 7) * (1 + on) + x - 2 * z + 0.3 * rng.normal(size=T)
    df = {"ds": np.datetime64("2020-01-01") + day, "y": y, "x": x, "z": z, "on": on}
    holidays = pandas.DataFrame({"ds": pandas.to_datetime(["2020-02-01", "2020-12-25", "2020-07-04"]),
                                 "holiday": ["b", "b", "a"],
                                 "lower_window": [-1, -1, 0], "upper_window": [1, 0, 2],
                                 "prior_scale": [3.0, 3.0, None]})

    def made(kind, growth="linear"):
        model = kind(growth, holidays=holidays.copy(), seasonality_mode="multiplicative", holidays_mode="additive")
        model.add_seasonality("monthly", 30.5, 3, mode="additive", condition_name="on", prior_scale=0.5)
        model.add_regressor("x").add_regressor("z", mode="additive", standardize=True)
        return model
    return df, made


@needs_prophet
def test_the_same_columns_and_nearly_the_same_forecast():
    from prophet import Prophet as Peer
    df, made = everything()
    frame = pandas.DataFrame(df)
    ours, peer = made(Prophet).fit(frame), made(Peer).fit(frame)
    future = frame.drop(columns="y").assign(ds=frame["ds"] + np.timedelta64(200, "D"))
    found, expected = ours.predict(future), peer.predict(future)
    assert list(found.columns) == list(expected.columns)
    np.testing.assert_array_equal(found["ds"], expected["ds"])
    for name in ("yhat", "trend", "additive_terms", "multiplicative_terms", "weekly", "monthly", "a", "b", "holidays"):
        size = np.abs(expected[["yhat"]]).max().item() if name in ("yhat", "trend") else 1
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=(0.02 if size > 1 else 0.05) * size)
    assert ours.make_future_dataframe(3).equals(peer.make_future_dataframe(3))
    assert -ours.params["lp__"][0, 0] <= their_optimum(peer) + 1e-6


@needs_prophet
def test_models_move_both_ways():
    from prophet import Prophet as Peer
    from prophet.serialize import model_from_json as their_reader, model_to_json as their_writer
    df, made = everything()
    frame = pandas.DataFrame(df)
    for model, read in ((made(Prophet).fit(frame), lambda m: their_reader(model_to_json(m))),
                        (made(Peer).fit(frame), lambda m: model_from_json(their_writer(m)))):
        one, other = model.predict(frame), read(model).predict(frame)
        assert list(one.columns) == list(other.columns)
        for name in ("yhat", "trend", "weekly", "monthly", "a", "x"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-9, atol=1e-9)


@needs_prophet
@pytest.mark.parametrize("rolling_window", [-1, 0, 0.1, 0.37, 1])
def test_the_same_table(rolling_window):
    """But for medians over a part of a horizon: prophet's order within it is that of a sort that is not stable."""
    from prophet.diagnostics import performance_metrics as peers
    df = pandas.DataFrame(series(load_electrical_equipment))
    found = cross_validation(Prophet(random_state=0).fit(df), "730 days", "200 days", "3000 days")
    ours, expected = (table(found, rolling_window=rolling_window) for table in (performance_metrics, peers))
    assert set(ours.columns) == set(expected.columns) and ours["horizon"].dtype == expected["horizon"].dtype
    for name in expected.columns:
        if name != "mdape" or rolling_window in (-1, 0, 1):
            one, other = (table[name].to_numpy().astype(float) for table in (ours, expected))
            one, other = (np.sort(one), np.sort(other)) if rolling_window < 0 else (one, other)
            np.testing.assert_allclose(one, other, rtol=1e-10)


@needs_prophet
def test_the_same_folds():
    from prophet.diagnostics import generate_cutoffs
    df = pandas.DataFrame(series(load_peyton_manning))
    found = cross_validation(Prophet(uncertainty_samples=0).fit(df), "365 days", "180 days", "730 days")
    year, half = pandas.Timedelta("365 days"), pandas.Timedelta("180 days")
    assert list(found["cutoff"].unique()) == generate_cutoffs(df, year, 2 * year, half)
