"""A fitted `Prophet` as text, in the form of the package Prophet's: models move both ways.

Tables and series are JSON within the JSON, as pandas writes them.  Numbers keep all their digits.
"""
import json
import sys

import numpy as np

from scratchml.core.checks import is_missing
from scratchml.timeseries.prophet import Prophet
from scratchml.timeseries.prophet_design import standardised
from scratchml.timeseries.prophet_tables import columns_of, numbers, of_kind, series_of_kind, ticks_of

PARAMETERS = ("growth", "n_changepoints", "changepoint_range", "yearly_seasonality", "weekly_seasonality",
              "daily_seasonality", "seasonality_mode", "seasonality_prior_scale", "changepoint_prior_scale",
              "holidays_prior_scale", "mcmc_samples", "interval_width", "uncertainty_samples", "scaling",
              "holidays_mode")
FITTED = ("specified_changepoints", "y_scale", "y_min", "logistic_floor", "component_modes")
VERSION = "1.5.0"                                        # of the package whose form it is
OURS = "__scratchml"


def model_to_json(model):
    """A fitted model as text, with its history (T,).  Raises ValueError for one that is not fitted.

    Models that forecast a regressor are left out, as in the package Prophet.

    Parameters
    ----------
    model : Prophet
        A fitted one.
    """
    if not isinstance(model, Prophet) or model.history is None:
        raise ValueError("model: expected a fitted Prophet; call fit first")
    history = {name: np.asarray(values) for name, values in columns_of(model.history).items()}
    raw = {name: history[name] for name in model.extra_regressors}
    history |= {name: standardised(raw[name], regressor) for name, regressor in model.extra_regressors.items()}
    regressors = {name: {**regressor, "predictor": None} for name, regressor in model.extra_regressors.items()}
    dates = {name: getattr(model, name) for name in ("changepoints", "history_dates")}
    content = {name: getattr(model, name) for name in PARAMETERS + FITTED}
    content |= {name: _series(_iso(values), "ds") for name, values in dates.items()}
    content |= {
        "country_holidays": None, "train_holiday_names": None if model.train_holiday_names is None else
        _series(list(model.train_holiday_names), None), "start": model.start.astype(np.int64) / 1e6,
        "t_scale": model.t_scale.astype(np.int64) / 1e6, "holidays": None if model.holidays is None else
        _table(columns_of(model.holidays, "holidays")), "history": _table(history),
        "train_component_cols": _table(columns_of(model.train_component_cols)),
        "changepoints_t": model.changepoints_t.tolist(),
        "seasonalities": [list(model.seasonalities), model.seasonalities],
        "extra_regressors": [list(regressors), regressors], "fit_kwargs": model.fit_kwargs, "params": model.params,
        "__prophet_version": VERSION, OURS: {"columns": _is_frame(model.history), "regressors": raw}}
    return json.dumps(content, default=_plain)


def model_from_json(model_json):
    """The model of a text that `model_to_json` wrote, or the package Prophet's (T,).  Raises ValueError for another
    text.

    Parameters
    ----------
    model_json : str
        The text.
    """
    try:
        content = json.loads(model_json)
        if not isinstance(content, dict) or "history" not in content or "params" not in content:
            raise ValueError("there is no history and no params in it")
        return _model(content)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"model_json: expected what model_to_json wrote, got another text: {what}") from error


def _model(content):
    content.setdefault("scaling", "absmax")              # versions before 1.1.5
    content.setdefault("y_min", 0.0)
    content.setdefault("holidays_mode", content["seasonality_mode"])
    if content.get("country_holidays"):
        raise ValueError("its holidays are those of a country, and none are known here")
    if len(content["params"]["k"]) != 1:
        raise ValueError("it has samples of MCMC, and there is no sampling here")
    ours = content.get(OURS, {"columns": "pandas" in sys.modules, "regressors": {}})
    kind = _kind(ours["columns"])
    holidays = None if content["holidays"] is None else of_kind(kind, _columns(content["holidays"]))
    model = Prophet(holidays=holidays, **{name: content[name] for name in PARAMETERS})
    for name in FITTED:
        setattr(model, name, content[name])
    model.params = {name: np.array(values, np.float64) for name, values in content["params"].items()}
    model.changepoints_t = np.array(content["changepoints_t"], np.float64)
    model.start = np.datetime64(round(content["start"] * 1e6), "us")
    model.t_scale = np.timedelta64(round(content["t_scale"] * 1e6), "us")
    for name in ("seasonalities", "extra_regressors"):
        names, table = content[name]
        setattr(model, name, {each: table[each] for each in names})
    for regressor in model.extra_regressors.values():
        regressor.setdefault("predictor_spec", None)
        regressor.setdefault("predictor", None)
    history = _columns(content["history"])
    for name, regressor in model.extra_regressors.items():
        kept = ours["regressors"].get(name)
        history[name] = history[name] * regressor["std"] + regressor["mu"] if kept is None else np.array(kept, float)
    model.history = of_kind(kind, history)
    model.train_component_cols = of_kind(kind, _columns(content["train_component_cols"]))
    for name in ("changepoints", "history_dates"):
        setattr(model, name, series_of_kind(kind, _dates(json.loads(content[name])["data"]), "ds"))
    names = content["train_holiday_names"]
    model.train_holiday_names = None if names is None else series_of_kind(
        kind, np.array(json.loads(names)["data"], object), None)
    model.fit_kwargs = content["fit_kwargs"]
    _check(model)
    return model


def _check(model):
    """Raises ValueError where sizes do not fit together, or a number is none."""
    sizes = {"k": 1, "m": 1, "sigma_obs": 1, "delta": len(model.changepoints_t),
             "beta": max(len(next(iter(columns_of(model.train_component_cols).values()))), 1)}
    for name, size in sizes.items():
        values = model.params[name]
        if values.shape != (1, size) or not np.isfinite(values).all():
            raise ValueError(f"params[{name!r}] has shape {values.shape}, or a number that is none; expected (1, "
                             f"{size})")
    if not (model.t_scale > np.timedelta64(0) and model.y_scale > 0):
        raise ValueError("t_scale or y_scale is not greater than 0")


# --- JSON within JSON ----------------------------------------------------------------------------


def _plain(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _iso(values):
    """Dates as text in UTC."""
    ticks = ticks_of(values) if len(values) else np.zeros(0, np.int64)
    return [f"{time}Z" for time in np.datetime_as_string(ticks.astype("M8[us]"), unit="us").tolist()]


def _dates(texts):
    return np.array([text.removesuffix("Z") for text in texts], "M8[us]")


def _series(values, name):
    return json.dumps({"name": name, "index": list(range(len(values))), "data": values}, default=_plain)


def _table(columns):
    """A table row by row, with the types of its columns."""
    fields, rows = [], []
    for name, values in columns.items():
        if name == "ds":
            kind, values = "datetime", [time.removesuffix("Z") for time in _iso(values)]
        else:
            array = np.asarray(values)
            kind = {"f": "number", "i": "integer", "u": "integer", "b": "boolean"}.get(array.dtype.kind, "string")
            values = [None if is_missing(value) else value for value in array.tolist()]
        fields.append({"name": name, "type": kind})
        rows.append(values)
    data = [dict(zip(columns, row)) for row in zip(*rows)]
    return json.dumps({"schema": {"fields": fields, "pandas_version": "1.4.0"}, "data": data})


def _columns(text):
    """{name: array} of a table."""
    table = json.loads(text)
    fields = {field["name"]: field["type"] for field in table["schema"]["fields"] if field["name"] != "index"}
    found = {}
    for name, kind in fields.items():
        values = [row.get(name) for row in table["data"]]
        if name == "ds":
            found[name] = _dates(values)
        elif kind in ("number", "integer", "boolean"):
            found[name] = numbers(values, name, allow_nan=True) if kind != "integer" or None in values else np.array(
                values, np.int64)
        else:
            found[name] = np.array(values, object)
    return found


def _is_frame(table):
    return "pandas" in sys.modules and isinstance(table, sys.modules["pandas"].DataFrame)


def _kind(frame):
    """A table of the kind that is wanted: a data frame only where pandas is."""
    if not frame:
        return {}
    try:
        import pandas
    except ImportError:
        return {}
    return pandas.DataFrame()
