"""Strategies against their definition; off by one shows; the future does not; whatever has fit and predict works."""
import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.preprocessing import MinMaxScaler, StandardScaler
from scratchml.timeseries import (ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive,
                                  ForecasterSeasonalNaive, ForecasterShift, Ridge)
from scratchml.timeseries.strategies import (direct, direct_forecasts, direct_recursive, direct_recursive_forecasts,
                                             recursive_forecasts, seasonal_naive, with_shift)
from tests.reference import strategies as reference
from tests.strategies.distances import seeds
from tests.strategies.strategies import Learner, Sums, tasks
from tests.strategies.windows import series_of

EPS = np.finfo(float).eps
H = 3


def makers(estimator, lags=4, **options):
    """Each strategy by name, for H steps."""
    return {"direct": ForecasterDirect(estimator, H, lags, **options),
            "shift": ForecasterShift(estimator, H, lags, **options),
            "number": ForecasterShift(estimator, H, lags, "number", **options),
            "recursive": ForecasterRecursive(estimator, lags, **options),
            "direct-recursive": ForecasterDirectRecursive(estimator, H, lags, **options)}


STRATEGIES = list(makers(None))
each = pytest.mark.parametrize("name", STRATEGIES)


# --- the equations

def lists(*arrays):
    return [array.tolist() for array in arrays]


@given(tasks())
def test_direct(drawn):
    X, Z, Y, w, l, V = drawn
    fit, W = (lambda rows, targets: Learner().fit(rows, targets)), w[:, w.shape[1] - l]
    ours, theirs = direct(fit, X, Z, Y), reference.direct(fit, *lists(X, Z, Y))
    for g, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(g.w_, expected.w_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(direct_forecasts(ours, W, V), reference.direct_forecasts(ours, *lists(W, V)), rtol=1e-12,
                               atol=1e-12)


@given(tasks())
def test_shift(drawn):
    X, Z, *_ = drawn
    assert with_shift(X, Z).tolist() == reference.with_shift(*lists(X, Z))


@given(tasks())
def test_recursive(drawn):
    _, _, _, w, l, V = drawn
    np.testing.assert_allclose(recursive_forecasts(Sums(), w, l, V),
                               reference.recursive_forecasts(Sums(), *lists(w, l, V)),
                               rtol=1e-12, atol=1e-12)


@given(tasks())
def test_direct_recursive(drawn):
    X, Z, Y, w, l, V = drawn
    fit, W = (lambda rows, targets: Learner().fit(rows, targets)), w[:, w.shape[1] - l]
    ours, theirs = direct_recursive(fit, X, Z, Y), reference.direct_recursive(fit, *lists(X, Z, Y))
    for g, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(g.w_, expected.w_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(direct_recursive_forecasts(ours, W, V),
                               reference.direct_recursive_forecasts(ours, *lists(W, V)), rtol=1e-12, atol=1e-12)


@given(tasks(), st.integers(1, 8), st.integers(1, 20))
def test_seasonal_naive(drawn, m, steps):
    w = drawn[3]
    m = min(m, w.shape[1])
    assert seasonal_naive(w, m, steps).tolist() == reference.seasonal_naive(w.tolist(), m, steps)


# --- off by one

class Remembers:
    """Keeps what it was fitted to, and predicts the newest of the lags."""

    def fit(self, X, t):
        self.X_, self.t_ = np.array(X), np.array(t)
        return self

    def predict(self, X):
        return X[:, 2]


def test_the_index_series_shows_the_rows_of_each_strategy():
    y, exog = np.arange(10.0), 100 + np.arange(10.0)
    models = {name: forecaster.fit(y, exog) for name, forecaster in makers(Remembers(), [1, 2, 4]).items()}
    first = models["direct"].estimators_[0]
    assert first.X_.tolist() == [[i, i + 2, i + 3, i + 104] for i in range(4)] and first.t_.tolist() == [4, 5, 6, 7]
    last = models["direct"].estimators_[2]
    assert last.X_.tolist() == [[i, i + 2, i + 3, i + 106] for i in range(4)] and last.t_.tolist() == [6, 7, 8, 9]
    shift = models["shift"].estimator_
    assert shift.X_[:4].tolist() == [[0, 2, 3, 1, 0, 0, 104], [0, 2, 3, 0, 1, 0, 105], [0, 2, 3, 0, 0, 1, 106],
                                     [1, 3, 4, 1, 0, 0, 105]] and shift.t_.tolist()[:4] == [4, 5, 6, 5]
    assert models["number"].estimator_.X_[:3].tolist() == [[0, 2, 3, 1, 104], [0, 2, 3, 2, 105], [0, 2, 3, 3, 106]]
    recursive = models["recursive"].estimator_
    assert recursive.X_.tolist() == [[i, i + 2, i + 3, i + 104] for i in range(6)]
    assert recursive.t_.tolist() == list(range(4, 10))
    last = models["direct-recursive"].estimators_[2]
    assert last.X_.tolist() == [[i, i + 2, i + 3, i + 4, i + 5, i + 106] for i in range(4)]
    for model in models.values():
        assert model.last_window_.tolist() == [6, 7, 8, 9] and model.predict(3, exog=[110, 111, 112])[0] == 9


@each
def test_the_index_series_goes_on(name):
    """Lines are learned from a few values, and continued."""
    if name in ("shift", "number"):                      # their table has less than full rank: not for 1e-9
        forecast = makers(Ridge(0))[name].fit(np.arange(30.0)).predict(3)
        np.testing.assert_allclose(forecast, [30, 31, 32], atol=1e-6)
    else:
        np.testing.assert_allclose(makers(Ridge(0))[name].fit(np.arange(30.0)).predict(3), [30, 31, 32], rtol=1e-12)


@pytest.mark.parametrize("name", ["direct", "recursive", "direct-recursive"])
def test_fibonacci(name):
    y = [1.0, 1, 2, 3, 5, 8, 13, 21]
    model = makers(Ridge(alpha=0, fit_intercept=False), 2)[name]
    np.testing.assert_allclose(model.fit(y).predict(3), [34, 55, 89], rtol=1e-12)
    np.testing.assert_allclose(model.predict(3, last_window=[9, 7, 1, 4]), [5, 9, 14], rtol=1e-12)
    assert ForecasterRecursive(Ridge(alpha=0, fit_intercept=False), 2).fit([1, 1, 2, 3, 5]).predict(1).item() == 8.0


# --- laws

@given(seeds, st.sampled_from(["rhythm", "trend", "offset", "whole"]), st.sampled_from(STRATEGIES), st.booleans())
def test_the_future_does_not_move_a_bit(seed, kind, name, scaled):
    """Not by its values and not by its length, with and without transforms; nor is anything of the caller's changed."""
    y, exog = series_of(60, kind, seed), np.random.default_rng(seed).normal(size=(60, 2))
    options = dict(transformer_y=StandardScaler(), transformer_exog=MinMaxScaler()) if scaled else {}
    forecaster = makers(Ridge(), **options)[name].fit(y[:40], exog[:40])
    before = forecaster.predict(H, exog=exog[40:43])
    y[40:] = 1e6
    exog[43:] = -1e6
    again = makers(Ridge(), **options)[name].fit(y[:40], exog[:40])
    assert again.predict(H, exog=exog[40:43]).tobytes() == before.tobytes()
    windows = np.stack([y[start:start + 4] for start in range(36, 46)])
    among = again._forecasts(windows, [exog[start + 4:start + 7] for start in range(36, 46)], H)
    assert among[0].tobytes() == before.tobytes()


@given(seeds, st.sampled_from(["rhythm", "trend"]), st.sampled_from(STRATEGIES))
def test_fewer_steps_are_the_first_of_more(seed, kind, name):
    model = makers(Ridge())[name].fit(series_of(40, kind, seed))
    assert model.predict(2).tobytes() == model.predict(3)[:2].tobytes()


@given(seeds, st.sampled_from(["direct", "shift", "recursive", "direct-recursive"]),
       st.sampled_from([4, [1, 3], [2, 5]]))
def test_sums_along_the_series_or_its_table(seed, name, lags):
    class Table(Ridge):
        fit_windows = fit_shifted_windows = property()   # hides them
    y = series_of(50, "trend", seed)
    ours, table = makers(Ridge(), lags)[name].fit(y), makers(Table(), lags)[name].fit(y)
    np.testing.assert_allclose(ours.predict(3), table.predict(3), rtol=1e-9)


@given(seeds)
def test_without_a_price_direct_and_direct_recursive_are_one(seed):
    """Least squares on X of what least squares on (X, Y_1) finds is least squares on X: projections nest."""
    y = series_of(60, "rhythm", seed)
    strategies = makers(Ridge(0))
    np.testing.assert_allclose(strategies["direct"].fit(y).predict(), strategies["direct-recursive"].fit(y).predict(),
                               rtol=0, atol=1e-9)


@given(seeds, st.sampled_from(STRATEGIES))
def test_a_transform_that_is_linear_moves_nothing_but_the_price(seed, name):
    y = series_of(60, "trend", seed)
    if name not in ("shift", "number"):
        plain, scaled = makers(Ridge(0))[name].fit(y), makers(Ridge(0), transformer_y=StandardScaler())[name].fit(y)
        np.testing.assert_allclose(scaled.predict(3), plain.predict(3), rtol=0, atol=1e-8)


@given(seeds)
def test_a_shift_moves_a_linear_model_by_a_number_for_each_step(seed):
    y = series_of(60, "rhythm", seed)
    model = ForecasterShift(Ridge(), H, 4).fit(y)
    first, second = model.predict(), model.predict(last_window=[5, -1, 2, 0])
    np.testing.assert_allclose(np.diff(first), np.diff(second), rtol=0, atol=1e-11)


def test_columns_known_in_advance_belong_to_the_target():
    """y is the column of its own time: who looks at another row cannot know it."""
    rng = np.random.default_rng(0)
    exog = rng.normal(size=(80, 2))
    y = exog @ [2.0, -1.0]
    for name, model in makers(Ridge(1e-9)).items():
        np.testing.assert_allclose(model.fit(y[:70], exog[:70]).predict(3, exog=exog[70:73]), y[70:73], atol=1e-6,
                                   err_msg=name)


@pytest.mark.parametrize("unit, offset", [(1e150, 0), (1.0, 1e9), (1e-100, 0)])
def test_values_of_any_size(unit, offset):
    y = series_of(80, "rhythm", 2)
    for name, model in makers(Ridge(0)).items():
        if name not in ("shift", "number"):
            expected = model.fit(y).predict(3)
            np.testing.assert_allclose((model.fit(offset + unit * y).predict(3) - offset) / unit, expected, atol=1e-5)


@each
def test_constant_and_small_integers(name):
    assert makers(Ridge())[name].fit(np.full(30, 7, np.int8)).predict(3) == pytest.approx([7, 7, 7], rel=1e-12)
    y = np.tile(np.array([100, -100, 90], np.int8), 10)
    y.flags.writeable = False
    assert makers(Ridge())[name].fit(y).predict(3).tolist() == \
        makers(Ridge())[name].fit(y.astype(float)).predict(3).tolist()


def test_the_shortest_series_and_one_step():
    y = [3.0, 1, 4, 1, 5]
    for name, model in makers(Learner(), 2).items():
        assert model.fit(y).predict(1).shape == (1,), name
    with pytest.raises(ValueError, match="y: expected at least 5 values, the farthest lag 2 and 3 to forecast; got 4"):
        ForecasterDirect(Learner(), 3, 2).fit(y[:4])


def test_estimators_are_not_touched_and_parameters_reach_inside():
    estimator = Ridge(alpha=3.0)
    for model in makers(estimator).values():
        model.fit(np.arange(20.0))
        assert not hasattr(estimator, "coef_")
    model = ForecasterDirect(estimator, 2, 3).set_params(estimator__alpha=5.0, lags=2)
    assert (model.get_params()["estimator__alpha"], model.lags) == (5.0, 2) and "Ridge" in repr(model)


class Times:
    """A transform: every number times its own, and 100 more."""

    def __init__(self, factor, columns=1):
        self.factor, self.columns = factor, columns

    def fit(self, X):
        return self

    def transform(self, X):
        return np.repeat(self.factor * X + 100, self.columns, axis=1)

    def inverse_transform(self, X):
        return (X - 100) / self.factor


def test_transforms_are_applied_before_and_taken_back_after():
    y, exog = np.arange(10.0), np.arange(20.0).reshape(10, 2)
    model = ForecasterRecursive(Remembers(), 3, Times(2), Times(-1)).fit(y, exog)
    assert model.estimator_.X_[0].tolist() == [100, 102, 104, 94, 93] and model.estimator_.t_[0] == 106
    assert model.predict(2, exog=exog[:2]).tolist() == [9, 9] and model.last_window_.tolist() == [7, 8, 9]
    assert ForecasterRecursive(Remembers(), 3, Times(2)).fit(y).predict(2, last_window=[1, 5, 4]).tolist() == [4, 4]
    for strange in (Times(2, columns=2), Times(np.nan)):
        with pytest.raises(ValueError, match="transformer_y: "):
            ForecasterRecursive(Remembers(), 3, strange).fit(y)


@each
def test_parameters_that_change_after_a_fit_change_the_next_one(name):
    model = makers(Ridge())[name].fit(np.arange(30.0) ** 1.5)
    before = model.predict(3)
    for parameter, value in {"lags": [1, 9], "steps": 5, "encoding": "one-hot"}.items():
        if parameter in model.get_params():
            model.set_params(**{parameter: value})
    assert model.predict(3).tobytes() == before.tobytes() and model.lags_.tolist() == [4, 3, 2, 1]
    assert model.fit(np.arange(30.0) ** 1.5).lags_.tolist() == [9, 1]
    assert model.predict(5).shape == (5,)


def test_the_seasonal_naive_forecaster():
    assert ForecasterSeasonalNaive(3).fit([9.0, 1, 2]).predict(4).tolist() == [9, 1, 2, 9]
    model = ForecasterSeasonalNaive(3).fit([9.0, 1, 2, 3])
    assert model.predict(5).tolist() == [1, 2, 3, 1, 2]
    assert model.predict(2, last_window=[7, 8, 5, 4]).tolist() == [8, 5]


# --- what cannot be

def direct_of(**options):
    return ForecasterDirect(**{"estimator": Ridge(), "steps": 3, "lags": 2} | options)


Y, X = np.arange(20.0), np.ones((20, 2))


@pytest.mark.parametrize("call, message", [
    (lambda: direct_of().fit(Y).predict(4), "steps=4: ForecasterDirect has learned 3; fit it with steps=4"),
    (lambda: direct_of().fit(Y).predict(0), "steps=0"), (lambda: direct_of(steps=0).fit(Y), "steps=0"),
    (lambda: ForecasterRecursive(Ridge(), 2).fit(Y).predict(), "steps=None"),
    (lambda: direct_of().fit(Y).predict(last_window=[1]), "last_window: expected at least 2 values, .*got 1"),
    (lambda: direct_of().fit(Y).predict(last_window=[1, np.nan]), "last_window: Input contains NaN"),
    (lambda: direct_of().predict(), "not fitted yet"), (lambda: direct_of(lags=0).fit(Y), "lags=0"),
    (lambda: direct_of(lags=[1, 1]).fit(Y), "lags: 1 comes twice"),
    (lambda: direct_of().fit([1, np.nan, 2, 3, 4, 5]), r"\[1\]"),
    (lambda: direct_of(estimator=None).fit(Y), "estimator: expected an object with fit and predict, got None"),
    (lambda: direct_of(estimator=Ridge).fit(Y), "a class; call it"),
    (lambda: ForecasterShift(Ridge(), 2, 2, "both").fit(Y), "encoding='both'"),
    (lambda: ForecasterShift(object(), 2, 2).fit(Y), "without fit, predict"),
    (lambda: direct_of().fit(Y, X[:19]), "exog: expected 20 rows, one for each time, got 19"),
    (lambda: direct_of().fit(Y, X * np.nan), "exog: Input contains NaN"),
    (lambda: direct_of().fit(Y, 3), "exog: expected an"),
    (lambda: direct_of().fit(Y, X).predict(), "exog: expected 3 rows of 2 columns, as in fit, got None"),
    (lambda: direct_of().fit(Y, X).predict(exog=X[:2]), "exog: expected 3 rows, one for each step, got 2"),
    (lambda: direct_of().fit(Y, X).predict(exog=X[:3, :1]), "exog: expected 2 columns, as in fit, got 1"),
    (lambda: direct_of().fit(Y).predict(exog=X[:3]), "exog: expected 0 columns, as in fit, got 2"),
    (lambda: direct_of(transformer_y="log").fit(Y), "transformer_y: expected an object with fit and transform"),
    (lambda: ForecasterSeasonalNaive(0).fit(Y), "season=0"),
    (lambda: ForecasterSeasonalNaive(21).fit(Y), "y: expected at least 21 values, a season, got 20"),
    (lambda: direct_of(estimator=Wrong()).fit(Y).predict(),
     "expected 1 predictions of Wrong, one a row, got an array of shape"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


class Wrong(Learner):
    def predict(self, X):
        return np.ones((len(X), 2))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
                         ids=["copy", "pickle"])
def test_a_copy_forecasts_the_same(copied):
    for model in (*makers(Ridge()).values(), ForecasterSeasonalNaive(2)):
        model.fit(np.arange(20.0) ** 1.5)
        assert copied(model).predict(3).tobytes() == model.predict(3).tobytes()
