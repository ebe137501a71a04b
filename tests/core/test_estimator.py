"""The estimator protocol, without scikit-learn or pandas: where it would ask for them, stand-ins take their place."""
import pickle
import sys
import types

import numpy as np
import pytest

from scratchml.core.estimator import (Clusterer, ConvergenceWarning, Estimator, NotFittedError, Transformer, compatible,
                                      warn_not_converged)


class Shift(Transformer, Clusterer, Estimator):
    """Adds `by` to two copies of every column; labels say where the first column exceeds its mean."""

    def __init__(self, by=1.0, *, then=None, names=()):
        self.by = by
        self.then = then
        self.names = names

    def fit(self, X, y=None, sample_weight=None):
        X = self._fit_matrix(X)
        self.labels_ = (X[:, 0] > np.average(X[:, 0], weights=sample_weight)).astype(int)
        return self

    def transform(self, X):
        checked = self._more_matrix(X)
        return self._output(np.hstack([checked, checked]) + self.by, X)

    @property
    def _n_features_out(self):
        return 2 * self.n_features_in_


class Bare(Estimator):
    pass


class Frame:
    """A table with names, as pandas and others have them."""

    def __init__(self, values, columns, index=None, **options):
        self.values, self.columns, self.index, self.options = np.asarray(values), columns, index, options

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or float)


X = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 10]])


# --- parameters

def test_parameters_come_back_as_they_were_given():
    then, names = Bare(), ["a"]
    model = Shift(2, then=then, names=names)
    assert model.get_params(deep=False) == {"by": 2, "then": then, "names": names}
    assert model.get_params()["names"] is names and list(model.get_params()) == ["by", "names", "then"]
    assert Bare().get_params() == {}


def test_parameters_of_estimators_among_them():
    model = Shift(then=Shift(2, then=Shift(3)))
    assert model.get_params()["then__by"] == 2 and model.get_params()["then__then__by"] == 3
    assert "then__by" not in model.get_params(deep=False)
    assert "then__by" not in Shift(then=Shift).get_params(), "a class is no estimator"
    assert model.set_params(then__then__by=5, by=0) is model
    assert (model.by, model.then.by, model.then.then.by) == (0, 2, 5)


def test_an_estimator_and_its_parameter_can_be_set_at_once():
    old, new = Shift(2), Shift(3)
    for params in ({"then__by": 7, "then": new}, {"then": new, "then__by": 7}):
        model = Shift(then=old).set_params(**params)
        assert model.then is new and new.by == 7 and old.by == 2


def test_a_wrong_name_is_refused_with_the_right_ones():
    with pytest.raises(ValueError, match=r"'size' for estimator Shift\(by=2\).*\['by', 'names', 'then'\]"):
        Shift(2).set_params(size=3)
    with pytest.raises(ValueError, match="'then__size'|'size'"):
        Shift(then=Shift()).set_params(then__size=3)
    with pytest.raises(ValueError, match="'n'"):
        Bare().set_params(n=3)


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(Shift()) == "Shift()" and repr(Bare()) == "Bare()"
    assert repr(Shift(2, then=Shift(3))) == "Shift(by=2, then=Shift(by=3))"
    assert repr(Shift(np.nan)) == "Shift(by=nan)" and repr(Shift(1)) == "Shift(by=1)"
    long = repr(Shift(names=list(range(100))))
    assert long.startswith("Shift(names=[0, 1, 2") and long.endswith("...)") and len(long) < 80
    assert repr(Shift(np.zeros((50, 2)))).startswith("Shift(by=array(")


# --- fitted or not

def test_fitted_is_who_has_an_attribute_with_an_underscore():
    model = Shift()
    assert not model.__sklearn_is_fitted__()
    model._private_ = 1
    assert not model.__sklearn_is_fitted__() and model.fit(X).__sklearn_is_fitted__()


def test_a_fit_that_failed_is_none():
    model = Shift()
    with pytest.raises(ZeroDivisionError):
        model.fit(X, sample_weight=np.zeros(3))
    with pytest.raises(NotFittedError):
        model.transform(X)


@pytest.mark.parametrize("other", [X[:, :2], np.hstack([X, X]), Frame(X, ["a", "b", "c"])])
def test_a_fit_of_other_columns_that_failed_leaves_no_model(other):
    model = Shift().fit(X)
    with pytest.raises(ZeroDivisionError):
        model.fit(other, sample_weight=np.zeros(3))
    for rows in (X, other):                              # the labels of which columns?
        with pytest.raises(NotFittedError):
            model.transform(rows)
    with pytest.raises(ZeroDivisionError):
        model.fit(X).fit(X, sample_weight=np.zeros(3))
    assert model.transform(X).shape == (3, 6)


@pytest.mark.parametrize("error", [NotFittedError, ValueError, AttributeError])
def test_use_before_fit(error):
    for use in (lambda model: model.transform(X), lambda model: model.get_feature_names_out()):
        with pytest.raises(error, match="This Shift instance is not fitted yet. Call 'fit'"):
            use(Shift())


def test_fit_then_transform_or_label():
    np.testing.assert_array_equal(Shift(2).fit_transform(X), np.hstack([X, X]) + 2)
    assert Shift().fit_predict(X).tolist() == [0, 0, 1]
    assert Shift().fit_predict(X, sample_weight=[9, 1, 0]).tolist() == [0, 1, 1]
    assert Shift().fit_transform(X, None, sample_weight=[9, 1, 0]).shape == (3, 6)


# --- columns and their names

def test_the_number_of_columns_is_remembered():
    model = Shift().fit(X)
    assert model.n_features_in_ == 3 and not hasattr(model, "feature_names_in_")
    for wrong in (X[:, :2], np.hstack([X, X])):
        with pytest.raises(ValueError, match=rf"X has {wrong.shape[1]} features, but Shift is expecting 3 features"):
            model.transform(wrong)


def test_values_are_checked_and_who_asks_is_named():
    class Few(Shift):
        def fit(self, X):
            self.data_ = self._fit_matrix(X, min_samples=3)
            return self

        def transform(self, X):
            return self._more_matrix(X, allow_nan=True)

    with pytest.raises(ValueError, match="2 sample.*minimum of 3 is required by Few"):
        Few().fit(X[:2])
    assert Shift().fit(X[:1]).transform(X[:1]).shape == (1, 6)
    missing = np.where(X == 5, np.nan, X)
    for use in (Shift().fit, Shift().fit(X).transform, Few().fit):
        with pytest.raises(ValueError, match=r"X: Input contains NaN, first at \[1, 1\]"):
            use(missing)
    np.testing.assert_array_equal(Few().fit(X).transform(missing), missing)
    np.testing.assert_array_equal(Few()._fit_matrix(missing, allow_nan=True), missing)


def test_names_are_remembered_and_forgotten():
    model = Shift().fit(Frame(X, ["a", "b", "c"]))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"] and model.feature_names_in_.dtype == object
    assert model.transform(Frame(X, ["a", "b", "c"])).shape == (3, 6)
    assert not hasattr(model.fit(X), "feature_names_in_")
    assert not hasattr(model.fit(Frame(X, [0, 1, 2])), "feature_names_in_"), "numbers are no names"


def test_columns_alone_are_no_names():                   # some objects have .columns that are something else
    assert not hasattr(Shift().fit(list(X)), "feature_names_in_")
    with pytest.raises(TypeError, match="string names.*'int', 'str'"):
        Shift().fit(Frame(X, ["a", 1, "c"]))


@pytest.mark.parametrize("columns, words", [
    (["a", "c", "b"], ["must be in the same order"]),
    (["a", "b", "d"], ["unseen at fit time:\n- d\n", "yet now missing:\n- c\n"]),
    (["a", "b", "c", "d"], ["unseen at fit time:\n- d\n"]),
    (["a", "b"], ["yet now missing:\n- c\n"]),
    (list("abcdefghij"), ["- d\n- e\n- f\n- g\n- h\n- ...\n"]),
    (list("abcdefgh"), ["- d\n- e\n- f\n- g\n- h\n"]),
])
def test_other_names_are_refused(columns, words):
    model = Shift().fit(Frame(X, ["a", "b", "c"]))
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit") as refusal:
        model.transform(Frame(np.ones((2, len(columns))), columns))
    message = str(refusal.value)
    assert all(word in message for word in words) and ("order" in message) == ("order" in words[0])
    assert ("..." in message) == ("..." in words[0])


def test_names_on_one_side_only_are_worth_a_warning():
    named = Frame(X, ["a", "b", "c"])
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Shift was fitted with") as issued:
        Shift().fit(named).transform(X)
    assert "Shift().fit(named).transform(X)" in line_of(issued[0]), "it points at the caller"
    with pytest.warns(UserWarning, match="X has feature names, but Shift was fitted without") as issued:
        Shift().fit(X).transform(named)
    assert "Shift().fit(X).transform(named)" in line_of(issued[0])


def test_names_of_the_output():
    model = Shift().fit(X)
    assert model.get_feature_names_out().tolist() == [f"shift{i}" for i in range(6)]
    assert model.get_feature_names_out().dtype == object
    assert model._check_input_features(None).tolist() == ["x0", "x1", "x2"]
    assert model.fit(Frame(X, ["a", "b", "c"]))._check_input_features(None).tolist() == ["a", "b", "c"]
    assert model.get_feature_names_out(["a", "b", "c"]).tolist() == [f"shift{i}" for i in range(6)]
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        model.get_feature_names_out(["a", "c", "b"])
    with pytest.raises(ValueError, match=r"number of features \(3\), got 2"):
        Shift().fit(X).get_feature_names_out(["a", "b"])


# --- data frames out

@pytest.fixture
def pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=Frame))


@pytest.fixture
def polars(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", types.SimpleNamespace(DataFrame=lambda Z, schema: (Z, schema)))


def test_a_pandas_frame_has_names_and_the_index_of_the_input(pandas):
    model = Shift().fit(X)
    assert model.set_output(transform="pandas") is model
    out = model.transform(X)
    assert isinstance(out, Frame) and out.columns.tolist() == [f"shift{i}" for i in range(6)] and out.index is None
    np.testing.assert_array_equal(out.values, np.hstack([X, X]) + 1)
    named = Shift().set_output(transform="pandas").fit_transform(Frame(X, ["a", "b", "c"], index=[7, 8, 9]))
    assert named.index == [7, 8, 9]


def test_a_polars_frame_has_names(polars):
    values, schema = Shift().set_output(transform="polars").fit_transform(X)
    assert schema == [f"shift{i}" for i in range(6)] and values.shape == (3, 6)


def test_none_leaves_the_choice_as_it_is(pandas):
    model = Shift().set_output(transform="pandas").set_output().set_output(transform=None).fit(X)
    assert isinstance(model.transform(X), Frame)
    assert isinstance(model.set_output(transform="default").transform(X), np.ndarray)


def test_an_unknown_container_is_refused():
    with pytest.raises(ValueError, match="'default', 'pandas' or 'polars', got 'arrow'"):
        Shift().set_output(transform="arrow").fit_transform(X)


# --- where scikit-learn is loaded

@pytest.fixture
def sklearn(monkeypatch):
    """What of scikit-learn is looked at, if it has been imported."""
    exceptions = types.ModuleType("sklearn.exceptions")
    exceptions.NotFittedError = type("NotFittedError", (ValueError, AttributeError), {})
    exceptions.ConvergenceWarning = type("ConvergenceWarning", (UserWarning,), {})
    package = types.ModuleType("sklearn")
    package.exceptions, package.config = exceptions, {"transform_output": "default"}
    package.get_config = lambda: package.config
    monkeypatch.setitem(sys.modules, "sklearn", package)
    monkeypatch.setitem(sys.modules, "sklearn.exceptions", exceptions)
    return package


def test_alone_an_exception_is_ours(monkeypatch):
    monkeypatch.delitem(sys.modules, "sklearn.exceptions", raising=False)
    assert compatible(NotFittedError) is NotFittedError


def test_an_exception_is_ours_and_scikit_learns_at_once(sklearn):
    both = compatible(NotFittedError)
    assert issubclass(both, NotFittedError) and issubclass(both, sklearn.exceptions.NotFittedError)
    assert both is compatible(NotFittedError) and both.__name__ == "NotFittedError"
    with pytest.raises(sklearn.exceptions.NotFittedError, match="not fitted"):
        Shift().transform(X)
    again = pickle.loads(pickle.dumps(both("why")))
    assert type(again) is both and again.args == ("why",)


def test_a_warning_is_ours_and_points_at_who_called_fit(sklearn):
    class Slow(Estimator):
        def fit(self, X):
            warn_not_converged("raise max_iter")

    for category in (ConvergenceWarning, sklearn.exceptions.ConvergenceWarning):
        with pytest.warns(category, match="raise max_iter") as issued:
            Slow().fit(X)
        assert issued[0].filename == __file__ and "Slow().fit(X)" in line_of(issued[0])


def line_of(warning):
    with open(warning.filename, encoding="utf-8") as file:
        return file.readlines()[warning.lineno - 1]


def test_its_configuration_decides_unless_ours_was_set(sklearn, pandas):
    sklearn.config = {"transform_output": "pandas"}
    assert isinstance(Shift().fit_transform(X), Frame)
    assert isinstance(Shift().set_output(transform="default").fit_transform(X), np.ndarray)


@pytest.fixture
def sklearn_utils(monkeypatch):
    made = {name: type(name, (types.SimpleNamespace,), {})
            for name in ("InputTags", "Tags", "TargetTags", "TransformerTags")}
    monkeypatch.setitem(sys.modules, "sklearn", types.ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.utils", types.SimpleNamespace(**made))


def test_tags_say_what_it_is(sklearn_utils):
    tags = Shift().__sklearn_tags__()
    assert tags.estimator_type == "clusterer" and tags.target_tags.required is False
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]
    assert tags.input_tags.two_d_array is True
    assert Bare().__sklearn_tags__().transformer_tags is None and Bare().__sklearn_tags__().estimator_type is None


def test_tags_say_that_it_takes_something_else_than_a_table(sklearn_utils):
    class Tagger(Estimator):
        _takes_a_table = False

    assert Tagger().__sklearn_tags__().input_tags.two_d_array is False
