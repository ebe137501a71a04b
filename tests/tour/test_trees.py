"""What the demonstration of trees makes itself: features by the clock, and the mean of each hour of the week."""
import numpy as np

from scratchml.tour.trees import error, road, weekly_means


def test_features_are_those_of_the_calendar():
    X, cars, later = road()
    assert X[0].tolist() == [0, 6, 0, 0] and X[24].tolist()[:2] == [0, 0]        # 2017 began on a Sunday
    assert X[:, 3].max() == 364 and 1600 < later.sum() < 1800 and len(X) == len(cars)
    assert not set(X[later, 3]) & set(X[~later, 3])


def test_a_mean_is_that_of_its_hour_on_days_not_held_out():
    X = np.array([[hour, day, 0, 0] for _ in range(3) for day in range(7) for hour in range(24)], float)
    y, later = np.repeat([1.0, 3, 100], 168), np.repeat([False, False, True], 168)
    means = weekly_means(X, y, later)
    assert (means == 2).all() and error(means, y, later) == 98
