"""prophet.serialize."""
from prophet import Prophet
from scratchml import timeseries
from scratchml.timeseries import model_to_json           # noqa: F401

PD_SERIES = ["changepoints", "history_dates", "train_holiday_names"]
PD_DATAFRAME = ["holidays", "history", "train_component_cols"]


def model_from_json(model_json):
    model = timeseries.model_from_json(model_json)
    model.__class__ = Prophet
    model.stan_fit = model.stan_backend = model.country_holidays = None
    return model
