"""Forecasts agree with skforecast's to 1e-8 of their size, from the same lags, columns and transforms; so do folds."""
import warnings

import numpy as np
import pytest

from scratchml.datasets import load_traffic
from scratchml.preprocessing import StandardScaler
from scratchml.timeseries import (ForecasterDirect, ForecasterRecursive, Ridge, TimeSeriesFold, backtesting_forecaster,
                                  regular_grid)

pandas = pytest.importorskip("pandas")
linear_model = pytest.importorskip("sklearn.linear_model")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    direct = pytest.importorskip("skforecast.direct")
    recursive = pytest.importorskip("skforecast.recursive")
    selection = pytest.importorskip("skforecast.model_selection")

pytestmark = pytest.mark.filterwarnings("ignore")        # theirs, about indices and versions
TIMES = pandas.date_range("2017-01-01", periods=700, freq="h")
rng = np.random.default_rng(0)
y = 3000 + 900 * np.sin(np.arange(700) * 2 * np.pi / 24) + 300 * rng.normal(size=700).cumsum() / 10
EXOG = np.c_[rng.normal(size=700), np.arange(700) % 24 < 8]


def theirs_of(strategy, lags, transformer=None):
    if strategy == "direct":
        return direct.ForecasterDirect(estimator=linear_model.Ridge(), steps=6, lags=lags, transformer_y=transformer,
                                       n_jobs=1)
    return recursive.ForecasterRecursive(estimator=linear_model.Ridge(), lags=lags, transformer_y=transformer)


def ours_of(strategy, lags, estimator, transformer=None):
    if strategy == "direct":
        return ForecasterDirect(estimator, 6, lags, transformer)
    return ForecasterRecursive(estimator, lags, transformer)


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("lags", [24, [1, 3, 24, 48]])
@pytest.mark.parametrize("with_exog", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_forecasts(strategy, lags, with_exog, scaled):
    series = pandas.Series(y, TIMES)
    frame = pandas.DataFrame(EXOG, TIMES, columns=["a", "b"]) if with_exog else None
    from sklearn.preprocessing import StandardScaler as Theirs
    expected = theirs_of(strategy, lags, Theirs() if scaled else None)
    known = None if frame is None else frame[:600]
    expected.fit(series[:600], exog=known)
    expected = expected.predict(6, exog=None if frame is None else frame[600:606]).to_numpy()
    for estimator in (Ridge(), linear_model.Ridge()):
        ours = ours_of(strategy, lags, estimator, StandardScaler() if scaled else None).fit(series[:600], known)
        found = ours.predict(6, exog=None if frame is None else frame[600:606])
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_day_of_traffic():
    """Of values of some thousands the forecasts differ by less than 1e-8."""
    traffic = load_traffic()
    values = regular_grid(traffic.times, traffic.values, fill="interpolate").values[:7296]
    expected = direct.ForecasterDirect(estimator=linear_model.Ridge(), steps=24, lags=168, n_jobs=1)
    expected.fit(pandas.Series(values, pandas.date_range("2017-01-01", periods=7296, freq="h")))
    found = ForecasterDirect(Ridge(), 24, 168).fit(values).predict()
    np.testing.assert_allclose(found, expected.predict(24).to_numpy(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("options", [
    dict(steps=5, initial_train_size=600), dict(steps=6, initial_train_size=600, refit=True, fold_stride=20),
    dict(steps=4, initial_train_size=580, gap=2, fold_stride=4), dict(steps=6, initial_train_size=610, refit=2),
    dict(steps=6, initial_train_size=600, fixed_train_size=False, refit=True, fold_stride=30,
         allow_incomplete_fold=False),
    dict(steps=3, initial_train_size=600, skip_folds=2), dict(steps=3, initial_train_size=600, skip_folds=[1, 4]),
])
def test_folds_and_errors(options):
    """Where forecasts do not overlap: of those that do, skforecast keeps the last of each time."""
    cv = selection.TimeSeriesFold(**options, verbose=False)
    metric, theirs = selection.backtesting_forecaster(theirs_of("direct", 24), pandas.Series(y, TIMES), cv,
                                                      "mean_absolute_error", n_jobs=1, show_progress=False)
    ours = backtesting_forecaster(ForecasterDirect(Ridge(), 6, 24), pandas.Series(y, TIMES), TimeSeriesFold(**options),
                                  "mean_absolute_error")
    assert (ours.predictions.time == theirs.index.to_numpy()).all()
    np.testing.assert_allclose(ours.predictions.pred, theirs["pred"], rtol=1e-8)
    assert ours.metric["mean_absolute_error"] == pytest.approx(float(metric["mean_absolute_error"].iloc[0]), rel=1e-7)


def test_overlapping_forecasts_are_where_they_differ():
    cv = dict(steps=6, initial_train_size=600, fold_stride=1, allow_incomplete_fold=False)
    metric, theirs = selection.backtesting_forecaster(
        theirs_of("recursive", 24), pandas.Series(y, TIMES), selection.TimeSeriesFold(**cv, verbose=False),
        "mean_absolute_error", n_jobs=1, show_progress=False)
    ours = backtesting_forecaster(ForecasterRecursive(Ridge(), 24), y, TimeSeriesFold(**cv), "mean_absolute_error")
    np.testing.assert_allclose(ours.predictions.pred, theirs["pred"], rtol=1e-8)           # the forecasts are the same
    assert float(metric["mean_absolute_error"].iloc[0]) < 0.8 * ours.metric["mean_absolute_error"]


@pytest.mark.parametrize("estimator", ["RandomForestRegressor", "MLPRegressor", "KNeighborsRegressor"])
def test_whatever_has_fit_and_predict(estimator):
    sklearn = pytest.importorskip("sklearn")
    from sklearn.utils import all_estimators
    cls = dict(all_estimators())[estimator]
    model = cls(random_state=0) if "random_state" in cls().get_params() else cls()
    small = ForecasterRecursive(model, 5).fit(y[:120])
    assert np.isfinite(small.predict(4)).all() and sklearn


def test_an_index_that_does_not_go_on_is_refused():
    series, frame = pandas.Series(y, TIMES), pandas.DataFrame(EXOG, TIMES)
    model = ForecasterDirect(Ridge(), 3, 2).fit(series[:600], frame[:600])
    assert model.predict(exog=frame[600:603]).shape == (3,)
    with pytest.raises(ValueError, match="exog.index after that of y: expected equal steps, got 1 gap"):
        model.predict(exog=frame[601:604])
    with pytest.raises(ValueError, match="exog.index: expected the times of y, 2017-01-01T00"):
        ForecasterDirect(Ridge(), 3, 2).fit(series[:600], frame[1:601])
    with pytest.raises(ValueError, match="y.index: expected equal steps, got 1 gap"):
        ForecasterDirect(Ridge(), 3, 2).fit(series.drop(TIMES[9]))
    late = pandas.Series(y, range(50, 750))
    of_late, of_all = (ForecasterDirect(Ridge(), 3, 2).fit(series).predict() for series in (late, y))
    assert of_late.tobytes() == of_all.tobytes()


def test_columns_in_another_order_are_refused():
    frame = pandas.DataFrame(EXOG, columns=["a", "b"])
    model = ForecasterDirect(Ridge(), 3, 2).fit(y[:600], frame[:600])
    with pytest.raises(ValueError, match=r"exog: expected the columns \['a', 'b'\], as in fit .* got \['b', 'a'\]"):
        model.predict(exog=frame[["b", "a"]][600:603])
    assert model.predict(exog=EXOG[600:603]).tobytes() == model.predict(exog=frame[600:603]).tobytes()


def test_words_become_columns_in_a_transformer():
    """A data frame goes to transformer_exog as it is."""
    compose = pytest.importorskip("sklearn.preprocessing")
    frame = pandas.DataFrame({"day": np.array(["Mon", "Sat", "Sun"])[np.arange(90) % 3]})
    target = np.array([1.0, 5, 9])[np.arange(90) % 3]
    encoder = compose.OneHotEncoder(sparse_output=False)
    model = ForecasterDirect(Ridge(1e-6), 2, 1, transformer_exog=encoder).fit(target[:80], frame[:80])
    np.testing.assert_allclose(model.predict(exog=frame[80:82]), target[80:82], atol=1e-4)
