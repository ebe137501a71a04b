"""Which columns the curve of `Prophet` is made of: seasons, holidays with their windows, regressors, each by its name.

A component, such as "weekly", is a sum of columns.  Groups are sums of components: "holidays", "additive_terms" and the
like.
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import is_missing, real_number
from scratchml.timeseries.prophet_tables import DAY, columns_of, length_of, numbers, ticks_of
from scratchml.timeseries.trend_season import fourier, holiday_columns

MODES = ("additive", "multiplicative")
TERMS = tuple(f"{mode}_terms" for mode in MODES)
REGRESSORS = tuple(f"extra_regressors_{mode}" for mode in MODES)
RESERVED = {"trend", "daily", "weekly", "yearly", "holidays", "zeros", "yhat", *TERMS, *REGRESSORS}
RESERVED |= {f"{name}_{end}" for name in RESERVED for end in ("lower", "upper")}
RESERVED |= {"ds", "y", "cap", "floor", "y_scaled", "cap_scaled"}


class Holidays(NamedTuple):
    """Days by column: `days[name, offset]` are days since 1970 on which it is 1."""
    names: list
    days: dict
    prior_scales: dict                                   # by name; None for the default


class Design(NamedTuple):
    """Columns X (T, R), and which of them make which component."""
    X: np.ndarray
    columns: list                                        # their names (R,)
    prior_scales: np.ndarray                             # (R,)
    multiplies: np.ndarray                               # (R,) 1 or 0
    components: dict                                     # {name: columns}
    modes: dict                                          # {mode: names of components}


def read_holidays(table):
    """The `Holidays` of a table with columns ds and holiday, and if wanted lower_window, upper_window, prior_scale.

    Raises ValueError for what is missing or wrong in it.
    """
    columns = columns_of(table, "holidays")
    if "ds" not in columns or "holiday" not in columns:
        raise ValueError(f"holidays: expected columns 'ds' and 'holiday', got {list(columns)}")
    if ("lower_window" in columns) != ("upper_window" in columns):
        raise ValueError("holidays: expected both lower_window and upper_window, or neither")
    T = length_of(columns, "holidays")
    if T == 0:
        return Holidays([], {}, {})
    names = list(columns["holiday"])
    nameless = [row for row, name in enumerate(names) if is_missing(name)]
    if nameless:
        raise ValueError(f"holidays: expected a name in every row of 'holiday', got {names[nameless[0]]!r} in row "
                         f"{nameless[0]}")
    names = [str(name) for name in names]
    days = ticks_of(columns["ds"], "holidays['ds']") // DAY
    lower, upper = (_windows(columns.get(f"{side}_window", np.zeros(T)), side) for side in ("lower", "upper"))
    scales = numbers(columns.get("prior_scale", np.full(T, np.nan)), "holidays['prior_scale']", allow_nan=True)
    found = Holidays([], {}, {})
    for name, day, low, high, scale in zip(names, days, lower, upper, scales):
        scale = None if np.isnan(scale) else prior_scale(float(scale), f"holidays: prior_scale of {name!r}")
        if found.prior_scales.setdefault(name, scale) != scale:
            raise ValueError(f"holidays: expected one prior_scale for all days of {name!r}, got "
                             f"{found.prior_scales[name]} and {scale}")
        if name not in found.names:
            found.names.append(name)
        for offset in range(low, high + 1):
            found.days.setdefault((name, offset), []).append(day + offset)
    return found


def prior_scale(value, name="prior_scale"):
    """`value` as a float whose square is one too.  Raises ValueError."""
    if not 1e-100 <= (found := real_number(value, name, above=0.0)) <= 1e100:
        raise ValueError(f"{name}={value!r}: expected a number between 1e-100 and 1e100")
    return found


def _windows(values, side):
    """A column of windows as whole numbers, 0 where none is given."""
    values = np.nan_to_num(numbers(values, f"holidays['{side}_window']", allow_nan=True), nan=0.0)
    wrong = (values > 0 if side == "lower" else values < 0) | (values != np.rint(values)) | (abs(values) > 10_000)
    if wrong.any():
        sign = "<= 0" if side == "lower" else ">= 0"
        raise ValueError(f"holidays: expected {side}_window to be whole numbers of days {sign}, got "
                         f"{values[wrong][0]:g}")
    return values.astype(np.int64)


def check_name(name, taken):
    """`name`, if a component may have it: text, not reserved, and in none of `taken`, {what it is: names}."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"name={name!r}: expected text")
    if "_delim_" in name:
        raise ValueError(f"name={name!r}: expected a name without '_delim_'")
    if name in RESERVED:
        raise ValueError(f"name={name!r}: expected another, this one is reserved for a column of the forecast")
    for what, names in taken.items():
        if name in names:
            raise ValueError(f"name={name!r}: expected another, this one is the name of a {what}")
    return name


def design(d, seasonalities, conditions, holidays, holidays_mode, holidays_prior_scale, regressors, values):
    """The `Design` of rows on the days `d` (T,).

    `conditions` and `values` hold the columns of conditions and of regressors, standardised, by name.
    """
    blocks, columns, scales, modes = [np.empty((len(d), 0))], [], [], {mode: [] for mode in MODES}
    for name, season in seasonalities.items():
        waves = fourier(d, float(season["period"]), season["fourier_order"])
        if season["condition_name"] is not None:
            waves *= conditions[season["condition_name"]][:, None]
        blocks.append(waves)
        columns += [f"{name}_delim_{n}" for n in range(1, waves.shape[1] + 1)]
        scales += [season["prior_scale"]] * waves.shape[1]
        modes[season["mode"]].append(name)
    keys = sorted(holidays.days, key=lambda key: _holiday_column(*key))
    for name, offset in keys:
        blocks.append(holiday_columns(d, np.array(holidays.days[name, offset]), [0]))
        columns.append(_holiday_column(name, offset))
        scales.append(holidays.prior_scales[name] or holidays_prior_scale)
    modes[holidays_mode] += holidays.names
    for name, regressor in regressors.items():
        blocks.append(values[name][:, None])
        columns.append(name)
        scales.append(regressor["prior_scale"])
        modes[regressor["mode"]].append(name)
    components = _components(columns, modes, holidays.names, regressors)
    for mode, terms, group in zip(MODES, TERMS, REGRESSORS):
        modes[mode] += [terms, group]
    modes[holidays_mode].append("holidays")
    multiplies = np.zeros(len(columns))
    multiplies[components[TERMS[1]]] = 1
    return Design(np.hstack(blocks), columns, np.array(scales, np.float64), multiplies, components, modes)


def _holiday_column(name, offset):
    return f"{name}_delim_{'+' if offset >= 0 else '-'}{abs(offset)}"


def _components(columns, modes, holidays, regressors):
    """{component: its columns}, by name; the two groups of terms that have none come last."""
    found = {}
    for place, column in enumerate(columns):
        found.setdefault(column.split("_delim_")[0], []).append(place)
    groups = {"holidays": holidays}
    for mode, terms, group in zip(MODES, TERMS, REGRESSORS):
        groups[terms] = modes[mode]
        groups[group] = [name for name, regressor in regressors.items() if regressor["mode"] == mode]
    for group, names in groups.items():
        places = sorted(place for name in names for place in found.get(name, ()))
        if places:
            found[group] = places
    found = {name: np.array(found[name]) for name in sorted(found)}
    for terms in TERMS:
        found.setdefault(terms, np.zeros(0, np.int64))
    return found


def standardised(values, regressor):
    """A regressor's column less its mean, in units of its deviation."""
    return (values - regressor["mu"]) / regressor["std"]


def mean_and_deviation(values, standardize, name):
    """By what a regressor is standardised: 0 and 1 if that is not wanted, it is constant, or "auto" and it is 0 or
    1."""
    if values.min() == values.max() or not standardize or standardize == "auto" and np.isin(values, (0, 1)).all():
        return 0.0, 1.0
    with np.errstate(over="ignore", under="ignore"):
        mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if not 0 < deviation < np.inf:
        raise ValueError(f"{name}: its deviation is {deviation:g}; multiply its values by some number")
    return mean, deviation
