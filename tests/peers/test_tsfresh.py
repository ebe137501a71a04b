"""All features, and what is relevant, against tsfresh."""
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.datasets import load_peyton_manning, load_sunspots
from scratchml.timeseries import extract_features
from tests.strategies.distances import seeds
from tests.strategies.value_features import series_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")                      # of what it imports
    tsfresh = pytest.importorskip("tsfresh")
    from tsfresh.feature_extraction.settings import from_columns
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
    """They have 0 for means of no products; r² of straight lines is 1 but for rounding, and so are its consequences."""
    rng = np.random.default_rng(seed)
    compare([series_of(T, kind, seed) for kind in ("noise", "whole", "skew") for T in range(3, 14)],
            but=("partial_autocorrelation",))
    compare([rng.normal(size=T) for T in (1, 1, 2)], but=("c3", "time_reversal_asymmetry_statistic"))


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
