"""All features, and what is relevant, against tsfresh."""
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.datasets import load_peyton_manning, load_sunspots, load_traffic
from scratchml.timeseries import FeatureExtractor, RelevanceSelector, extract_features, relevance_table, select_features
from tests.strategies.relevance import features
from tests.strategies.distances import seeds
from tests.strategies.value_features import series_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")                      # of what it imports
    tsfresh = pytest.importorskip("tsfresh")
    from tsfresh.feature_extraction.settings import from_columns
    from tsfresh.feature_selection.relevance import calculate_relevance_table
pd = pytest.importorskip("pandas")


def theirs(series, names):
    """Their values of the features of these names, which hold the settings; one process."""
    frame = pd.DataFrame({"id": np.repeat(np.arange(len(series)), [len(x) for x in series]),
                          "value": np.concatenate(series).astype(float)})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = tsfresh.extract_features(frame, column_id="id", n_jobs=0, disable_progressbar=True,
                                         kind_to_fc_parameters=from_columns(names))
    return found[names].to_numpy(float)


def compare(series, but=()):
    """All that is named in `but` has reasons of its own to differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # some are short
        found, names = extract_features(series)
    keep = [k for k, name in enumerate(names) if not name.split("__")[1] in but]
    expected = theirs(series, [names[k] for k in keep])
    sizes = np.array([max(1, np.abs(x).max()) for x in series])[:, None]
    sums = ["sum_values" in names[k] for k in keep]
    np.testing.assert_allclose(np.where(sums, found[:, keep] / sizes, found[:, keep]),
                               np.where(sums, expected / sizes, expected), rtol=1e-9, atol=1e-9)


def test_real_series():
    compare([load_sunspots().values, load_peyton_manning().values, np.diff(load_peyton_manning().values)])


@settings(max_examples=4)
@given(seeds)
def test_series_of_every_kind(seed):
    kinds = ("noise", "walk", "wave", "whole", "skew", "steps", "rising")
    compare([series_of(T, kind, seed + T) for kind in kinds for T in (300, 64)])


@settings(max_examples=4)
@given(seeds)
def test_short_series(seed):
    """They have 0 for means of no products; where 1 - ρ² is rounding, so is the quotient; two values are 1 σ away."""
    rng = np.random.default_rng(seed)
    compare([series_of(T, kind, seed) for kind in ("noise", "whole", "skew") for T in range(3, 14)],
            but=("partial_autocorrelation",))
    compare([rng.normal(size=T) for T in (1, 1, 2)],
            but=("c3", "time_reversal_asymmetry_statistic", "ratio_beyond_r_sigma"))


def test_series_of_one_value():
    compare([np.full(T, value) for T in (5, 12, 30) for value in (0.0, 3.0, -0.5)])


def test_where_tsfresh_errs_and_we_do_not():
    """The mean of twelve times 0.1 is 0.1, so none of them is above or below; and no unit is too small to correlate."""
    names = ["value__count_above_mean", "value__count_below_mean", "value__longest_strike_below_mean"]
    assert extract_features([[0.1] * 12], features=names)[0].tolist() == [[0, 0, 0]]
    assert theirs([np.full(12, 0.1)], names).tolist() == [[0, 12, 12]]
    x, names = series_of(40, "walk", 0), ["value__autocorrelation__lag_1", "value__skewness"]
    assert np.isnan(theirs([x * 1e-9], names)[0, 0])
    np.testing.assert_allclose(extract_features([x * 1e-9], features=names)[0], theirs([x], names), rtol=1e-9)


# --- relevance

def their_table(X, y, names, **options):
    """p and whether it is relevant, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = calculate_relevance_table(pd.DataFrame(X, columns=names), pd.Series(y), n_jobs=0, **options)
    return {name: (p, bool(relevant)) for name, p, relevant in zip(found.feature, found.p_value, found.relevant)}


def compare_tables(X, y, **options):
    names = [f"f{k}" for k in range(X.shape[1])]
    theirs = their_table(X, y, names, **options)
    ours = {row.feature: row for row in relevance_table(X, y, names=names, **options)}
    assert ours.keys() == theirs.keys()
    for name, (p, relevant) in theirs.items():
        assert ours[name].p_value == pytest.approx(p, rel=1e-9, abs=1e-10, nan_ok=True)
        assert ours[name].relevant == relevant


def days():
    """24 values for each of 365 days, and whether it is a Saturday or Sunday."""
    series = load_traffic()
    hours = np.arange("2017-01-01", "2018-01-01", dtype="M8[h]")
    values = np.interp(hours.astype(float), series.times.astype(float), series.values)
    return values.reshape(365, 24), ~np.is_busday(hours[::24].astype("M8[D]"))


@pytest.mark.parametrize("options", [{}, {"hypotheses_independent": True}, {"fdr_level": 1e-9},
                                     {"test_for_binary_target_real_feature": "smir"}])
def test_the_table_of_the_traffic(options):
    X, weekend = days()
    table, _ = extract_features(X)
    compare_tables(table, weekend.astype(int), **options)
    if "test_for_binary_target_real_feature" not in options:
        compare_tables(table[:-1], X.sum(axis=1)[1:], **options)
        compare_tables(table, np.arange(365) % 3, **options)


@settings(max_examples=10)
@given(st.integers(6, 60), seeds, st.sampled_from(["mann", "smir"]))
def test_tables_of_every_kind(N, seed, test):
    X, y = features(N, seed)
    y[:2] = True, False
    compare_tables(X, y.astype(int), test_for_binary_target_real_feature=test)
    compare_tables(X, X[:, 0] - X[:, 2])


def test_frames_of_pandas():
    X, y = features(50, 0)
    frame = pd.DataFrame(X, columns=list("abcdef"), index=range(7, 57))
    kept = [row.feature for row in relevance_table(frame, y) if row.relevant]
    chosen = select_features(frame, pd.Series(y, index=frame.index))
    assert sorted(chosen.columns) == sorted(kept) and chosen.index.equals(frame.index)
    assert RelevanceSelector().set_output(transform="pandas").fit(frame, y).transform(frame).equals(chosen)
    with pytest.raises(ValueError, match="X and y have not the same index"):
        select_features(frame, pd.Series(y))
    with pytest.raises(ValueError, match="X and y have not the same index"):
        RelevanceSelector().fit(frame, pd.Series(y)[::-1])
    for target in pd.Series(y).astype("boolean"), pd.Categorical(np.where(y, "yes", "no")), pd.Series(y, dtype=object):
        assert str(relevance_table(X, target)) == str(relevance_table(X, y))


def test_series_of_pandas():
    frame = pd.DataFrame({"id": np.repeat(["b", "a"], [12, 15]), "x": np.arange(27.0) ** 2}, index=range(7, 34))
    X, _ = extract_features((frame["id"], frame["x"]))
    series = [frame["x"][frame["id"] == name] for name in "ab"]
    np.testing.assert_array_equal(extract_features(series)[0], X)
    np.testing.assert_array_equal(extract_features([x.astype("Int64") for x in series])[0], X)
    table = pd.DataFrame(np.arange(36.0).reshape(3, 12) ** 2, index=["u", "v", "w"])
    found = FeatureExtractor(["mean"]).set_output(transform="pandas").fit_transform(table)
    assert list(found.columns) == ["value__mean"] and list(found.index) == ["u", "v", "w"]
    with pytest.raises(ValueError, match="X: ids and values have not the same index"):
        extract_features((frame["id"], frame["x"].reset_index(drop=True)))
    with pytest.raises(ValueError, match=r"X: expected several series, got one of shape \(27,\)"):
        extract_features(frame["x"])
    with pytest.raises(ValueError, match=r"X\[0\].index: expected equal steps, got 1 gap"):
        extract_features([frame["x"].drop(9)])


def test_in_a_pipeline_it_learns_from_the_training_part_alone():
    """Labels that mean nothing: chosen beforehand, features seem to foretell them; in the pipeline they do not."""
    sklearn = pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    X, weekend = days()
    pipeline = make_pipeline(FeatureExtractor(), RelevanceSelector(), sklearn.preprocessing.StandardScaler(),
                             LogisticRegression())
    train, test = np.arange(365) % 2 == 0, np.arange(365) % 2 == 1
    series = list(X)
    fitted = pipeline.fit(X[train], weekend[train])
    assert fitted.score(X[test], weekend[test]) > 0.95
    support, predicted = fitted[1].support_.copy(), fitted.predict(X[test])
    changed = X.copy()
    changed[test] = np.random.default_rng(0).permutation(changed[test].ravel()).reshape(changed[test].shape)
    again = pipeline.fit([series[t] for t in train.nonzero()[0]], weekend[train])
    np.testing.assert_array_equal(again[1].support_, support)
    np.testing.assert_array_equal(pipeline.predict(X[test]), predicted)
    assert (pipeline.fit(changed[train], weekend[train])[1].support_ == support).all()
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    assert cross_val_score(pipeline, series, weekend, cv=folds).min() > 0.9
    grid = GridSearchCV(pipeline, {"relevanceselector__fdr_level": [1e-40, 0.05]}, cv=folds).fit(X, weekend)
    assert grid.best_score_ > 0.95
    noise, label = np.random.default_rng(1).normal(size=(80, 600)), np.arange(80) % 2
    short = make_pipeline(RelevanceSelector(0.9, hypotheses_independent=True), LogisticRegression())
    before = select_features(noise, label, 0.9, hypotheses_independent=True)
    assert cross_val_score(LogisticRegression(), before, label, cv=folds).mean() > 0.8
    assert cross_val_score(short, noise, label, cv=folds).mean() < 0.65
