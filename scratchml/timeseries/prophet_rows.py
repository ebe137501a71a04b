"""The rows that `Prophet` learns from or forecasts: checked, sorted by time, scaled; and what it derives from them."""
import warnings
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, whole_number
from scratchml.timeseries.prophet_tables import DAY, columns_of, length_of, numbers, ticks_of
from scratchml.timeseries.trend_season import changepoint_rows

AUTOMATIC = {                                            # season: period, waves, least history, spacing to be below
    "yearly": (365.25, 10, 730 * DAY, np.inf), "weekly": (7, 3, 14 * DAY, 7 * DAY), "daily": (1, 4, 2 * DAY, DAY)}


class Rows(NamedTuple):
    """A table's rows in order of time, the columns that the model knows."""
    order: np.ndarray                                    # (T,) where each was in the table
    ds: np.ndarray                                       # (T,) dates as they came
    ticks: np.ndarray                                    # (T,) microseconds since 1970
    y: np.ndarray | None
    cap: np.ndarray | None
    floor: np.ndarray | None
    conditions: dict
    regressors: dict                                     # as they came, not standardised

    @property
    def days(self):
        """(T,) since 1970."""
        return self.ticks / DAY

    def only(self, kept):
        """The rows in which `kept` (T,) is true."""
        def cut(values):
            return None if values is None else values[kept]
        return Rows(*map(cut, self[:6]),
                    *({name: values[kept] for name, values in table.items()} for table in self[6:]))


def read_rows(table, conditions, regressors, with_y=False, needs_cap=False, needs_floor=False, lacking=()):
    """The `Rows` of a table.  Raises ValueError for what is missing or wrong.

    Columns of the names `conditions` and `regressors` must be there, of `lacking` need not be.
    """
    columns = columns_of(table)
    needed = ["ds"] + ["y"] * with_y + ["cap"] * needs_cap + ["floor"] * needs_floor
    for what, names in (("column", needed), ("condition", conditions), ("regressor", regressors)):
        missing = [name for name in names if name not in columns and name not in lacking]
        if missing:
            raise ValueError(f"df: expected a column {missing[0]!r}, a {what} of the model, got {list(columns)}")
    columns = {name: columns[name] for name in [*needed, *conditions, *regressors, "cap", "floor"] if name in columns}
    if length_of(columns) == 0:
        raise ValueError("df: expected at least one row, got none")
    ticks = ticks_of(columns["ds"])
    y = numbers(columns["y"], "y", allow_nan=True) if with_y else None
    order = np.argsort(ticks, kind="stable")
    ds = np.asarray(columns["ds"])
    ds = ds if ds.dtype.kind == "M" else ticks.astype("M8[us]")

    def column(name, wanted):
        return numbers(columns[name], name, allow_nan=with_y)[order] if wanted and name in columns else None
    yes = {name: _yes_or_no(columns[name], name)[order] for name in conditions}
    values = {name: numbers(columns[name], name, allow_nan=name in lacking)[order] for name in regressors
              if name in columns}
    return Rows(order, ds[order], ticks[order], None if y is None else y[order], column("cap", needs_cap),
                column("floor", needs_cap or needs_floor), yes, values)


def _yes_or_no(values, name):
    """A condition's column as 0 and 1."""
    found = numbers(values, name)
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"{name}: expected True or False in every row of a condition, got "
                         f"{found[~np.isin(found, (0, 1))][0]:g}")
    return found


def check_cap(rows, floor):
    """Raises ValueError unless `cap` is known and above the floor in every row."""
    if np.isnan(rows.cap).any():
        raise ValueError(f"cap: expected a number in every row, got NaN at {rows.ds[np.isnan(rows.cap)][0]}")
    low = rows.cap <= floor
    if low.any():
        t = int(low.argmax())
        raise ValueError(f"cap: expected more than the floor, {np.broadcast_to(floor, low.shape)[t]:g}, in every row, "
                         f"got {rows.cap[t]:g} at {rows.ds[t]}")


def auto_seasonalities(ticks, asked, seasonalities, prior_scale, mode):
    """The automatic seasons that `asked`, {name: "auto", True, False or a number of waves}, comes to."""
    length, steps = ticks[-1] - ticks[0], np.diff(ticks)
    spacing = steps[steps > 0].min()
    found = {}
    for name, (period, waves, least, below) in AUTOMATIC.items():
        short = length < least
        if isinstance(asked[name], str):
            one_of(asked[name], f"{name}_seasonality", ("auto",))
            waves = 0 if short or spacing >= below or name in seasonalities else waves
        elif not isinstance(asked[name], (bool, np.bool_)):
            waves = whole_number(asked[name], f"{name}_seasonality", least=0)
        elif not asked[name]:
            waves = 0
        if waves:
            if name == "yearly" and short:
                warnings.warn(f"yearly_seasonality: of a history of less than 730 days, here {length / DAY:.0f}, trend "
                              "and season of a year cannot be told apart well; leave it out, or take more history",
                              stacklevel=4)
            found[name] = {"period": period, "fourier_order": waves, "prior_scale": prior_scale, "mode": mode,
                           "condition_name": None}
    return found


def places_to_bend(ticks, changepoints, n, share):
    """Where the trend may bend, in microseconds: those that were asked for, or `n` of the rows in the first `share`."""
    if changepoints is not None:
        if len(changepoints) and not (ticks[0] <= changepoints.min() and changepoints.max() <= ticks[-1]):
            raise ValueError(f"changepoints: expected times within the history, {ticks[0].astype('M8[us]')} to "
                             f"{ticks[-1].astype('M8[us]')}, got {changepoints.min().astype('M8[us]')} to "
                             f"{changepoints.max().astype('M8[us]')}")
        return np.sort(changepoints)
    n = min(n, int(len(ticks) * share) - 1)
    return ticks[changepoint_rows(len(ticks), share, n)] if n > 0 else np.zeros(0, np.int64)


def far_phases(seen, asked, period, waves):
    """Whether `asked` (days) has a phase of the period in a gap of those `seen`, too wide for so many waves to be
    known.

    A wave of which not two values are seen may be anything in between.
    """
    phases = np.unique(np.fmod(seen, period) / period % 1)
    gaps = np.diff(np.append(phases, phases[0] + 1))
    if gaps.max() <= 1 / (2 * waves):
        return False
    phase = np.fmod(asked, period) / period % 1
    before = np.searchsorted(phases, phase, "right") - 1
    into = (phase - phases[before]) % 1
    near = np.minimum(into, gaps[before] - into)
    return bool(((gaps[before] > 1 / (2 * waves)) & (near > 1 / (20 * waves))).any())
