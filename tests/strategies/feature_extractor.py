"""Series of different lengths, all long enough for all features."""
from tests.strategies.value_features import series_of


def fit_arguments():
    return ([series_of(T, kind, T) for T, kind in ((12, "walk"), (30, "noise"), (17, "whole"), (25, "wave"))],)
