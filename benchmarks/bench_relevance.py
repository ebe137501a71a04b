"""Which features are relevant: the tests one by one as SciPy has them, ours, and tsfresh's table in one process.

365 days of traffic with 69 features each, against weekends and against the next day's total; and a larger table.
"""
import warnings

import numpy as np

from benchmarks import Case, Growth, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.datasets import load_traffic
from scratchml.timeseries import extract_features, regular_grid, relevance_table


def days():
    series = load_traffic()
    hours = regular_grid(series.times, series.values, fill="interpolate")
    return hours.values.reshape(365, 24), ~np.is_busday(hours.times[::24].astype("M8[D]"))


def weekends(test="mann"):
    X, weekend = days()
    return extract_features(X)[0], weekend.astype(int), test


def totals():
    X, _ = days()
    return extract_features(X)[0][:-1], X.sum(axis=1)[1:], "mann"


def noise(N):
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, 69)), rng.normal(size=N), "mann"


def ours(X, y, test):
    table = relevance_table(X, y, test_for_binary_target_real_feature=test)
    return np.array([row.p_value for row in sorted(table, key=lambda row: int(row.feature[1:]))])


@peer("scipy.stats")
def scipy(X, y, test):
    """The p alone, of the tests that the table chooses."""
    from scipy import stats
    p, classes = [], len(np.unique(y)) == 2
    for x in X.T:
        values = np.unique(x)
        if len(values) == 1:
            p.append(np.nan)
        elif classes and len(values) == 2:
            high = x == values[1]
            p.append(stats.fisher_exact([[(a & b).sum() for b in (y == 1, y == 0)] for a in (high, ~high)])[1])
        elif classes:
            of = stats.mannwhitneyu if test == "mann" else stats.ks_2samp
            p.append(of(x[y == 1], x[y == 0])[1])
        elif len(values) == 2:
            p.append(stats.ks_2samp(y[x == values[1]], y[x == values[0]])[1])
        else:
            p.append(stats.kendalltau(x, y, method="asymptotic")[1])
    return np.array(p)


@peer("tsfresh")
def tsfresh(X, y, test):
    import pandas as pd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tsfresh.feature_selection.relevance import calculate_relevance_table
        table = calculate_relevance_table(pd.DataFrame(X), pd.Series(y), n_jobs=0,
                                          test_for_binary_target_real_feature=test)
    return table.p_value.reindex(range(X.shape[1])).to_numpy(float)


def agree(theirs, ours):
    np.testing.assert_allclose(theirs, ours, rtol=1e-8, atol=1e-10)


ALL = {"scratchml": ours, "SciPy, p alone": scipy, "tsfresh": tsfresh}

CASES = [
    Case("weekend or not, 365 x 69", weekends, ALL, agree),
    Case("weekend or not in any way, 365 x 69", lambda: weekends("smir"), ALL, agree),
    Case("the next day's total, 364 x 69", totals, ALL, agree),
    Growth("numbers, N x 69", noise, {"scratchml": ours}, (1000, 10_000, 100_000), stated=1),
]
