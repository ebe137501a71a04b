"""69 features of every series: the definitions in NumPy, ours, and tsfresh in one process and in several.

The definitions are a few of the features, as one would write them for a table of series; of all 69, tsfresh's.
"""
import logging
import os
import warnings

import numpy as np

from benchmarks import Case, Growth, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.timeseries import extract_features
from scratchml.timeseries.feature_extractor import FEATURES

NAMES = [f"value__{feature.name}" for feature in FEATURES]
SOME = ["mean", "variance", "skewness", "quantile__q_0.1", "mean_abs_change", "autocorrelation__lag_1",
        "number_peaks__n_3", 'linear_trend__attr_"slope"']


def walks(N, T=1000):
    return (np.random.default_rng(0).normal(size=(N, T)).cumsum(axis=1),)


def ours(X):
    return extract_features(X)[0]


def some_of_ours(X):
    return extract_features(X, features=SOME)[0]


def some_in_numpy(X):
    """The same, each for all series at once."""
    T = X.shape[1]
    d, centre = X - X.mean(axis=1, keepdims=True), X[:, 3:-3]
    squares, cubes = (d**2).sum(axis=1), (d**3).sum(axis=1)
    peaks = np.logical_and.reduce([(centre > X[:, 3 - i:T - 3 - i]) & (centre > X[:, 3 + i:T - 3 + i or None])
                                   for i in (1, 2, 3)]).sum(axis=1)
    t = np.arange(T) - (T - 1) / 2
    return np.stack([X.mean(axis=1), squares / T, T * np.sqrt(T - 1) / (T - 2) * cubes / squares**1.5,
                     np.quantile(X, 0.1, axis=1), np.abs(np.diff(X)).mean(axis=1),
                     (d[:, 1:] * d[:, :-1]).sum(axis=1) / squares * T / (T - 1), peaks, d @ t / (t @ t)], axis=1)


def in_processes(jobs):
    @peer("tsfresh")
    def tsfresh(X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas as pd
            import tsfresh
            from tsfresh.feature_extraction.settings import from_columns
            logging.getLogger("tsfresh").setLevel(logging.ERROR)
            frame = pd.DataFrame({"id": np.repeat(np.arange(len(X)), X.shape[1]), "value": X.ravel()})
            found = tsfresh.extract_features(frame, column_id="id", n_jobs=jobs, disable_progressbar=True,
                                             kind_to_fc_parameters=from_columns(NAMES))
        return found[NAMES].to_numpy(float)
    return tsfresh


def agree(theirs, ours):
    np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-9)


CASES = [
    Case("8 features, 200 x 1,000", lambda: walks(200), {"formula": some_in_numpy, "scratchml": some_of_ours}, agree),
    Case("69 features, 200 x 1,000", lambda: walks(200),
         {"scratchml": ours, "tsfresh, one process": in_processes(0),
          **{f"tsfresh, {jobs} processes": in_processes(jobs) for jobs in sorted({2, os.cpu_count()} - {1})}}, agree),
    Growth("69 features, series of 1,000", walks, {"scratchml": ours}, (200, 800, 3200), stated=1),
    Growth("69 features, 20 series of n", lambda n: walks(20, n), {"scratchml": ours}, (1000, 10_000, 100_000),
           stated=1),
]
