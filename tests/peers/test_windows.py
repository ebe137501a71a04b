"""A series of pandas brings its index along, whatever it counts in, and wherever it begins."""
import numpy as np
import pytest

from scratchml.timeseries import lag_windows, regular_grid
from scratchml.timeseries.time_axis import read_series

pandas = pytest.importorskip("pandas")


def test_data_frames_bring_their_index():
    assert lag_windows(pandas.Series([5.0, 6, 7, 8], index=range(40, 44)), 2)[0].tolist() == [[5, 6], [6, 7]]
    with pytest.raises(ValueError, match=r"y.index: expected equal steps, got 1 gap\(s\) with 1 missing"):
        lag_windows(pandas.Series([1.0, 2, 3, 4], index=[0, 1, 3, 4]), 2)
    berlin = pandas.date_range("2024-03-30 12:00", periods=30, freq="h", tz="Europe/Berlin")
    values, times = read_series(pandas.Series(np.arange(30.0), index=berlin))
    assert times[0] == np.datetime64("2024-03-30T11:00") and len(times) == 30
    for freq in ("MS", "ME", "QS", "YS", "W", "15min"):
        index = pandas.date_range("2020-01-01", periods=9, freq=freq)
        assert (read_series(pandas.Series(np.arange(9.0), index=index))[1] == index.to_numpy()).all()
    periods = pandas.Series(np.arange(9.0), index=pandas.period_range("2020-01", periods=9, freq="M"))
    assert read_series(periods)[1][1] == np.datetime64("2020-02-01")
    assert regular_grid(periods.index.to_series(), periods).missing == 0
