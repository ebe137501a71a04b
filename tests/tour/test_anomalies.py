"""What the demonstration of anomalies makes itself: stretches, counts at the cap, days."""
import numpy as np

from scratchml.datasets.series import Series
from scratchml.timeseries.anomalies import Anomalies
from scratchml.tour.anomalies import by_day, capped, stretches, traffic


def test_neighbours_in_a_row_are_one_stretch():
    times = np.datetime64("2024-02-28T22") + np.arange(9)
    found = Anomalies(np.array([1, 2, 5, 7, 8]), None, np.array([4.0, 3, 9, 6, 5.5]), np.array([1.0, 2, 7, 30, 31.4]))
    assert list(stretches(Series(times, None), found)) == [
        ("2024-02-28T23", "to 2024-02-29T00", "2 h", "3.00", "4.00", "expected 2"),
        ("2024-02-29T03", "to 2024-02-29T03", "1 h", "9.00", "9.00", "expected 7"),
        ("2024-02-29T05", "to 2024-02-29T06", "2 h", "5.50", "6.00", "expected 31")]


def test_a_count_at_the_cap_has_a_star():
    y = np.random.default_rng(0).normal(size=100)
    y[[10, 33]] += 40
    assert [capped(Series(None, y), 5, share) for share in (0.01, 0.02, 0.1)] == ["1*", "2*", "2"]


def test_shares_of_days_are_those_of_the_calendar():
    """2017 began and ended on a Sunday, so 105 days are on weekends; none of the 11 holidays is."""
    name, hours, *shares = next(by_day(traffic()))
    assert (name, hours) == ("all", "8760 hours")
    days = {"working days": 365 - 105 - 11, "weekends": 105, "holidays": 11}
    assert shares == [f"{what} {24 * count / 8760:.0%}" for what, count in days.items()]
