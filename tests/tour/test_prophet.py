"""What the demonstration of Prophet makes itself: intervals from earlier errors, a season on months and on days."""
import numpy as np

from scratchml.tour.prophet import by_horizon, conformal, games


def forecasts(errors):
    """Three cutoffs a year and a day apart, each with 60 days whose errors are as given (3, 2), by 30 days ahead."""
    cutoff = np.repeat(np.datetime64("2020-01-01") + np.arange(3) * 366, 60)
    days = np.tile(np.arange(60), 3)
    yhat = np.zeros(180)
    y = np.asarray(errors)[np.repeat(np.arange(3), 60), days // 30]
    return {"ds": cutoff + days, "cutoff": cutoff, "y": y, "yhat": yhat, "yhat_lower": yhat - 1, "yhat_upper": yhat + 1}


def test_a_cutoff_knows_the_errors_of_those_before_it():
    found = dict((row[0], row[1:]) for row in conformal(forecasts([[2.0, 4.0], [2.0, -3.0], [0.5, 5.0]])))
    # the second has widths 2 and 4: both hold; the third has 2 and 4 too: .5 holds, 5 does not
    assert found["conformal"] == ("hold 0.75", "mean width 6.00")
    assert found["the model's"] == ("hold 0.25", "mean width 2.00")


def test_horizons_that_are_shown_are_there():
    days = np.arange(1, 366)
    found = {"ds": np.datetime64("2020-01-01") + days, "cutoff": np.full(365, "2020-01-01", "M8[D]"),
             "y": 1.0 + days * 0,
             "yhat": 1.0 + days / 1000, "yhat_lower": days * 0.0, "yhat_upper": days * 0.0 + 2}
    rows = list(by_horizon(found))
    assert [row[0] for row in rows] == ["37 days", "90 days", "180 days", "270 days", "365 days"]
    assert [row[1:4] for row in rows[::4]] == [(".019", "1.95 %", ".00"), (".348", "34.75 %", ".00")]
    assert {len(values) for values in games().values()} == {17}
