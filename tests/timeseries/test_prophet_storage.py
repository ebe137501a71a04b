"""A model as text and back, and text that is none."""
import json

import numpy as np
import pytest

from scratchml.timeseries import Prophet, cross_validation, model_from_json, model_to_json
from tests.timeseries.test_prophet import assert_same, daily, fitted, with_everything


@pytest.mark.parametrize("growth", ["linear", "logistic", "flat"])
@pytest.mark.parametrize("scaling", ["absmax", "minmax"])
def test_what_comes_back_says_the_same(growth, scaling):
    model, df = with_everything(growth, scaling)
    text = model_to_json(model)
    again = model_from_json(text)
    assert model_to_json(again) == text and vars(again).keys() == vars(model).keys()
    again.random_state = model.random_state
    future = {**df, "ds": df["ds"] + np.timedelta64(100, "D")}
    for rows in (None, df, future):
        ours, theirs = model.predict(rows), again.predict(rows)
        assert_same(ours, theirs)
    model.uncertainty_samples = again.uncertainty_samples = 0
    assert_same(*(cross_validation(one, "10 days", "30 days", "100 days") for one in (model, again)))
    assert again.make_future_dataframe(2)["ds"].astype("M8[D]").tolist() == \
        model.make_future_dataframe(2)["ds"].tolist()


def test_data_frames_come_back_as_data_frames():
    pandas = pytest.importorskip("pandas")
    model = fitted(pandas.DataFrame(daily()), holidays=pandas.DataFrame({"ds": ["2020-02-01"], "holiday": ["a"]}))
    again = model_from_json(model_to_json(model))
    pandas.testing.assert_frame_equal(again.history, model.history)
    pandas.testing.assert_series_equal(again.changepoints, model.changepoints)
    assert isinstance(again.predict(), pandas.DataFrame) and list(again.train_holiday_names) == ["a"]


def test_the_text_is_json_without_surprises():
    content = json.loads(model_to_json(fitted()))
    assert content["__prophet_version"] and content["growth"] == "linear"
    assert len(json.loads(content["history"])["data"]) == 150
    constant = fitted({**daily(), "y": np.ones(150)})
    assert model_from_json(model_to_json(constant)).predict()["yhat"].tolist() == [1] * 150


def test_a_model_that_is_not_fitted():
    for wrong in (Prophet(), {"a": 1}, None):
        with pytest.raises(ValueError, match="fitted"):
            model_to_json(wrong)


def changed(change):
    content = json.loads(model_to_json(fitted()))
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize("text", [
    "", "{", "[]", "{}", "3", None, b"\xff", changed(lambda c: c.pop("start")),
    changed(lambda c: c.pop("seasonalities")),
    changed(lambda c: c.update(growth="none")), changed(lambda c: c["params"].pop("delta")),
    changed(lambda c: c["params"].update(delta=[[1.0]])),
    changed(lambda c: c["params"].update(beta=[[float("nan")] * 6])),
    changed(lambda c: c.update(t_scale=0)), changed(lambda c: c.update(y_scale=0)),
    changed(lambda c: c.update(history="no")),
    changed(lambda c: c.update(country_holidays="US")), changed(lambda c: c["params"].update(k=[[1.0], [2.0]])),
    changed(lambda c: c.update(changepoints="[]")), changed(lambda c: c.update(y_scale="1")),
])
def test_text_that_is_no_model(text):
    with pytest.raises(ValueError, match="model_json"):
        model_from_json(text)
