"""Backtests by hand and against their definition: all pairs count, none looks ahead, each fold learns what it says."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import mean_absolute_error, mean_absolute_scaled_error
from scratchml.preprocessing import MinMaxScaler, StandardScaler
from scratchml.timeseries import (ConformalForecaster, ForecasterDirect, ForecasterDirectRecursive, ForecasterRecursive,
                                  ForecasterSeasonalNaive, ForecasterShift, Ridge, TimeSeriesFold,
                                  backtesting_forecaster)
from scratchml.timeseries.backtesting import score, score_by_horizon, target_times
from tests.reference import backtesting as reference
from tests.strategies.distances import seeds
from tests.strategies.windows import series_of

H = 3
STRATEGIES = {
    "direct": lambda **o: ForecasterDirect(Ridge(), 4, 5, **o),
    "shift": lambda **o: ForecasterShift(Ridge(), 4, 5, **o),
    "recursive": lambda **o: ForecasterRecursive(Ridge(), 5, **o),
    "direct-recursive": lambda **o: ForecasterDirectRecursive(Ridge(), 4, 5, **o),
    "conformal": lambda **o: ConformalForecaster(ForecasterRecursive(Ridge(), 5, **o), 4, 15),
}


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), seeds)
def test_scores_are_their_definition(K, H, g, seed):
    rng = np.random.default_rng(seed)
    y, o = rng.normal(size=20), np.sort(rng.integers(1, 21 - g - H, size=K))
    o[-1] = max(o[-1], 19 - g)                           # its last pairs may lie beyond the end
    t = target_times(o, g, H)
    assert t.tolist() == reference.target_times(o.tolist(), g, H)
    f = rng.normal(size=t.shape)
    worst = lambda y, f: max(abs(a - b) for a, b in zip(y, f)) if len(y) else 0.0
    assert score(worst, y, t, f) == reference.score(worst, y.tolist(), t.tolist(), f.tolist())
    assert score_by_horizon(worst, y, t,
                            f).tolist() == reference.score_by_horizon(worst, y.tolist(), t.tolist(), f.tolist())


# --- folds

def rows(cv, T):
    return [tuple(fold) for fold in cv.split(T)]


def test_folds_by_hand():
    assert rows(TimeSeriesFold(3, 6), 11) == [(0, 6, 6, 9, True), (0, 9, 9, 11, False)]
    assert rows(TimeSeriesFold(3, 6, allow_incomplete_fold=False), 11) == [(0, 6, 6, 9, True)]
    assert rows(TimeSeriesFold(2, 6, fold_stride=1, refit=True), 9) == \
        [(0, 6, 6, 8, True), (1, 7, 7, 9, True), (2, 8, 8, 9, True)]
    assert rows(TimeSeriesFold(2, 6, refit=2, fixed_train_size=False, gap=1), 12) == \
        [(0, 6, 7, 9, True), (0, 8, 9, 11, False), (0, 10, 11, 12, True)]
    assert [fold[1] for fold in rows(TimeSeriesFold(1, 2, skip_folds=3), 10)] == [2, 5, 8]
    assert [fold[1] for fold in rows(TimeSeriesFold(1, 2, skip_folds=[0, 2, 3]), 7)] == [3, 6]
    assert rows(TimeSeriesFold(3, 6), np.arange(11)) == rows(TimeSeriesFold(3, 6), 11)


@given(st.integers(8, 40), st.integers(1, 5), st.integers(2, 6), st.integers(1, 7), st.integers(0, 3),
       st.integers(0, 3), st.booleans())
def test_a_fold_learns_before_its_test(T, steps, first, stride, gap, refit, fixed):
    if first + gap < T:
        found = TimeSeriesFold(steps, first, stride, refit or False, fixed, gap).split(T)
        assert found[0].refit and found[0][:2] == (0, first)
        for fold in found:
            assert 0 <= fold.train_start < fold.train_stop <= fold.train_stop + gap == fold.test_start < \
                fold.test_stop <= T
            assert not (refit and fixed) or fold.train_stop - fold.train_start == first


# --- every pair counts

def test_the_index_series_shows_every_pair():
    found = backtesting_forecaster(ForecasterSeasonalNaive(1), np.arange(10.0), TimeSeriesFold(3, 6, fold_stride=1),
                                   ["mean_absolute_error", mean_absolute_scaled_error, max_error])
    p = found.predictions
    assert p.fold.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3] and p.origin.tolist() == [6, 6, 6, 7, 7, 7, 8, 8, 9]
    assert p.h.tolist() == [1, 2, 3, 1, 2, 3, 1, 2, 1]
    assert p.time.tolist() == [6, 7, 8, 7, 8, 9, 8, 9, 9] == p.true.tolist()
    assert p.pred.tolist() == [5, 5, 5, 6, 6, 6, 7, 7, 8] and p.lower_bound is None
    assert found.by_horizon["mean_absolute_error"].tolist() == [1, 2, 3]
    assert found.metric == {"mean_absolute_error": 16 / 9, "mean_absolute_scaled_error": 16 / 9, "max_error": 3}


def max_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max()


def test_after_a_gap_the_steps_go_on():
    y = np.arange(12.0)
    found = backtesting_forecaster(ForecasterSeasonalNaive(1), y, TimeSeriesFold(2, 6, gap=2), "mean_absolute_error")
    assert found.predictions.origin.tolist() == [6, 6, 8, 8]
    assert found.predictions.h.tolist() == [3, 4, 3, 4] and found.predictions.time.tolist() == [8, 9, 10, 11]
    assert found.by_horizon["mean_absolute_error"].tolist() == [3, 4]
    near = backtesting_forecaster(ForecasterDirect(Ridge(0), 4, 2), y, TimeSeriesFold(2, 8, gap=2),
                                  "mean_absolute_error")
    np.testing.assert_allclose(near.predictions.pred, [10, 11], rtol=1e-12)


@given(seeds, st.sampled_from(["direct", "recursive", "direct-recursive", "shift"]), st.sampled_from([False, True, 2]),
       st.booleans(), st.integers(0, 1))
def test_each_fold_is_a_forecast_of_its_own(seed, name, refit, fixed, gap):
    """What a person would do by hand for each origin, to the last bit."""
    y, exog = series_of(70, "trend", seed), np.random.default_rng(seed).normal(size=(70, 2))
    cv = TimeSeriesFold(H, 40, 4, refit, fixed, gap)
    options = dict(transformer_y=StandardScaler(), transformer_exog=MinMaxScaler())
    found = backtesting_forecaster(STRATEGIES[name](**options), y, cv, mean_absolute_error, exog).predictions
    for k, fold in enumerate(cv.split(70)):
        if fold.refit:
            model = STRATEGIES[name](**options).fit(y[fold.train_start:fold.train_stop],
                                                    exog[fold.train_start:fold.train_stop])
        o = fold.train_stop
        expected = model.predict(fold.test_stop - o, last_window=y[:o], exog=exog[o:fold.test_stop])
        assert found.pred[found.fold == k].tobytes() == expected[gap:].tobytes()


@given(seeds, st.sampled_from(list(STRATEGIES)), st.sampled_from([False, True]), st.integers(45, 69))
def test_the_future_does_not_move_a_bit(seed, name, refit, now):
    """What was forecast of times before now, and how wide its interval was, is as it was, whatever comes."""
    y = series_of(70, "trend", seed)
    cv = TimeSeriesFold(H, 40, 2, refit, False)
    make = lambda: STRATEGIES[name](transformer_y=StandardScaler())
    before = backtesting_forecaster(make(), y, cv, mean_absolute_error).predictions
    y[now:] = np.random.default_rng(seed).normal(size=70 - now) * 1e6
    after = backtesting_forecaster(make(), y, cv, mean_absolute_error).predictions
    known = before.origin <= now
    assert before.pred[known].tobytes() == after.pred[known].tobytes() and known.any()
    if name == "conformal":
        assert before.lower_bound[known].tobytes() == after.lower_bound[known].tobytes()


def test_a_conformal_backtest_counts_its_coverage():
    rng = np.random.default_rng(5)
    y = rng.normal(size=2000)
    found = backtesting_forecaster(ConformalForecaster(ForecasterSeasonalNaive(1), 2, 200), y,
                                   TimeSeriesFold(2, 500, 3), "mean_absolute_error")
    p = found.predictions
    inside = (p.lower_bound <= p.true) & (p.true <= p.upper_bound)
    assert found.metric["coverage"] == inside.mean() and abs(inside.mean() - 0.8) < 0.06
    assert found.by_horizon["coverage"].tolist() == [inside[p.h == h].mean() for h in (1, 2)]
    assert p.pred == pytest.approx((p.lower_bound + p.upper_bound) / 2)


def test_the_forecaster_is_left_alone():
    forecaster = ForecasterDirect(Ridge(), 3, 4)
    backtesting_forecaster(forecaster, np.arange(30.0), TimeSeriesFold(3, 20), "mean_absolute_error")
    assert not hasattr(forecaster, "estimators_")


# --- what cannot be

Y, CV = np.arange(30.0), TimeSeriesFold(3, 20)


@pytest.mark.parametrize("call, message", [
    (lambda: TimeSeriesFold(0, 5).split(9), "steps=0"), (lambda: TimeSeriesFold(1, 0).split(9), "initial_train_size=0"),
    (lambda: TimeSeriesFold(1, 9).split(9), "origin=9: with a gap of 0, expected more than 9 values, got 9"),
    (lambda: TimeSeriesFold(1, 5, 0).split(9), "fold_stride=0"),
    (lambda: TimeSeriesFold(1, 5, refit=0.5).split(9), "refit=0.5"),
    (lambda: TimeSeriesFold(1, 5, refit=-1).split(9), "refit=-1"),
    (lambda: TimeSeriesFold(1, 5, gap=-1).split(9), "gap=-1"),
    (lambda: TimeSeriesFold(1, 5, skip_folds=[7]).split(9), "skip_folds: there is no fold 7, the folds are 0 to 3"),
    (lambda: TimeSeriesFold(6, 5, allow_incomplete_fold=False).split(9), "initial_train_size=5: .* no fold is left"),
    (lambda: TimeSeriesFold(1, 5, skip_folds=[0, 1, 2, 3]).split(9), "no fold is left"),
    (lambda: backtesting_forecaster(Ridge(), Y, CV, "mean_absolute_error"), "forecaster: expected one of the package"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, 5, "mean_absolute_error"),
     "cv: expected a TimeSeriesFold"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, CV, "mae"),
     "metric='mae': expected a function, or one of me"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, CV, []), "metric: expected at least one"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, CV, 7), "metric=7"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y * np.nan, CV, max_error), "y: Input contains NaN"),
    (lambda: backtesting_forecaster(ForecasterDirect(Ridge(), 2, 3), Y, CV, max_error),
     "steps=3: ForecasterDirect has learned 2"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, TimeSeriesFold(5, 28), max_error),
     "no fold has all 5 steps"),
    (lambda: backtesting_forecaster(ForecasterSeasonalNaive(1), Y, CV, max_error, np.ones((29, 1))),
     "exog: expected 30 rows"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
