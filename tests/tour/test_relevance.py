"""What the demonstration of relevance makes itself: the days, a day's kind by one feature, holidays."""
import numpy as np

from scratchml.timeseries.relevance import relevance_table
from scratchml.tour.relevance import HALF, by_one_feature, most_telling, named_holidays, shuffles, traffic


def test_days_begin_at_midnight():
    days, dates = traffic()
    assert days.shape == (365, 24) and str(dates[0]) == "2017-01-01" and str(dates[-1]) == "2017-12-31"
    assert days.mean(axis=0).argmin() == 3 and 15 <= days.mean(axis=0).argmax() <= 17


def test_the_feature_is_chosen_and_its_threshold_set_by_the_first_half_alone():
    dates = np.datetime64("2017-01-01") + np.arange(365)
    weekend, rng = ~np.is_busday(dates), np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=365), 5 - 2.0 * weekend, rng.normal(size=365)])
    X[HALF:, 0] = weekend[HALF:]                         # only later
    X[dates == np.datetime64("2017-09-04"), 1] = 3.9     # below the middle, 4
    X[dates == np.datetime64("2017-09-05"), 1] = 4.1
    best, right, wrong = by_one_feature(X, ["value__a", "value__b", "value__c"], weekend, dates)
    assert best == "b" and wrong == [("2017-09-04", "workday", "Labor Day")] and right == 1 - 1 / (365 - HALF)


def test_rows_of_the_most_telling():
    rng = np.random.default_rng(0)
    weekend = np.arange(40) % 2 == 1
    X = np.column_stack([rng.normal(size=40), np.where(weekend, 7, 2) + np.arange(40) // 2])
    names = ["value__a", "value__b"]
    head, first, second = most_telling(relevance_table(X, weekend, names=names), X, names, weekend)
    assert head[1:] == ("p", "workday", "weekend") and (first[0], *first[2:]) == ("b", "11.5", "16.5")
    assert second[0] == "a" and len(shuffles(X, weekend, 3)) == 20 == shuffles(X, weekend, 3).count(0)


def test_holidays():
    named = named_holidays()
    assert named[np.datetime64("2017-12-25")] == "Christmas Day" and len(named) == 11
