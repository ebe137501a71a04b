"""What estimators share: scikit-learn's protocol, spoken without importing scikit-learn.

A constructor that only stores its parameters, `get_params` and `set_params`, feature names, tags and exceptions: so
that `clone`, `Pipeline`, `GridSearchCV` and `check_estimator` take our classes for their own.  scikit-learn's own
objects are made only where scikit-learn itself asks for them or has been imported already.

Source: the scikit-learn developer guide, "Developing scikit-learn estimators" (1.9).
"""
import inspect
import sys
import warnings

import numpy as np

from scratchml.core.checks import as_matrix
from scratchml.core.sparse import is_sparse, sparse_table


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before `fit`."""


class ConvergenceWarning(UserWarning):
    """The iteration limit ended a fit before its tolerance did."""


def compatible(ours):
    """`ours`, or once scikit-learn is loaded a class that is both ours and scikit-learn's of the same name."""
    theirs = getattr(sys.modules.get("sklearn.exceptions"), ours.__name__, None)
    if theirs is None:
        return ours
    if theirs not in _both:
        _both[theirs] = type(ours.__name__, (ours, theirs),
                             {"__module__": ours.__module__, "__reduce__": lambda self: (_revive, (ours, self.args))})
    return _both[theirs]


_both = {}


def _revive(ours, arguments):
    """Unpickle an exception of a class that `compatible` has made."""
    return compatible(ours)(*arguments)


def warn_not_converged(message, above=0):
    """Issue a ConvergenceWarning that points at the caller of `fit`, which is `above` calls above who calls this."""
    warnings.warn(message, compatible(ConvergenceWarning), stacklevel=3 + above)


class Estimator:
    """Parameters in, fitted attributes out: the constructor stores, `fit` computes what ends in an underscore."""

    _estimator_type = None                               # "clusterer", "density_estimator", "classifier", ...
    _takes_sparse = False                                # True where sparse samples are taken as a SparseTable
    _takes_a_table = True                                # False where fit takes something else than an array (N, D)

    # --- parameters

    @classmethod
    def _parameters(cls):
        """The constructor's arguments by name."""
        if cls.__init__ is object.__init__:
            return {}
        return dict(list(inspect.signature(cls.__init__).parameters.items())[1:])

    def get_params(self, deep=True):
        """The parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of estimators among them come too, as name__parameter.
        """
        params = {}
        for name in sorted(self._parameters()):
            params[name] = value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                params.update((f"{name}__{inner}", v) for inner, v in value.get_params().items())
        return params

    def set_params(self, **params):
        """Change parameters.  Returns itself.  Raises ValueError for a wrong name.

        Parameters
        ----------
        **params : object
            New values by name; name__parameter for those of an estimator among the parameters.
        """
        for name, value in sorted(params.items(), key=lambda item: "__" in item[0]):       # outer ones first
            name, _, inner = name.partition("__")
            if name not in self._parameters():
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. "
                                 f"Valid parameters are: {sorted(self._parameters())!r}.")
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self):
        texts = []
        for name, parameter in self._parameters().items():
            text = repr(getattr(self, name))
            if text != repr(parameter.default):
                texts.append(f"{name}={text}" if len(text) < 60 else f"{name}={text[:57]}...")
        return f"{type(self).__name__}({', '.join(texts)})"

    # --- fitted or not

    def __sklearn_is_fitted__(self):
        learned = vars(self).keys() - {"n_features_in_", "feature_names_in_"}        # a fit that failed leaves these
        return any(name.endswith("_") and not name.startswith("_") for name in learned)

    def _check_fitted(self):
        if not self.__sklearn_is_fitted__():
            raise compatible(NotFittedError)(f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with "
                                             "appropriate arguments before using this estimator.")

    # --- what is given out in the type of the data, and used in float64

    def _keep_rounded(self, dtype, exact, **others):
        """Set attributes, all at once: `others` as they are, `exact`, arrays of float64 by name, rounded to `dtype`."""
        rounded = {name: array.astype(dtype) for name, array in exact.items()}
        vars(self).update(rounded, _exact=exact, **others)

    def _in_double(self, name):
        """The array in float64: as it was before `_keep_rounded` rounded it, if the attribute is what that set."""
        value, exact = getattr(self, name), vars(self).get("_exact", {}).get(name)
        if exact is not None and np.array_equal(exact.astype(value.dtype), value):
            return exact
        return np.asarray(value, np.float64)

    # --- input

    def _fit_matrix(self, X, *, min_samples=1, **options):
        """`X` checked by `as_matrix` as a training set (N, D); remembers D and the columns' names."""
        if self._takes_sparse and is_sparse(X):
            X = self._enough(sparse_table(X), min_samples)
            self._takes_columns(X.shape[1], None)
            return X
        names = _column_names(X)
        X = as_matrix(X, min_samples=min_samples, owner=type(self).__name__, **options)
        self._takes_columns(X.shape[1], names)
        return X

    def _enough(self, X, min_samples):
        if len(X) < min_samples:
            raise ValueError(f"X: Found array with {len(X)} sample(s) (shape={X.shape}) while a minimum of "
                             f"{min_samples} is required by {type(self).__name__}.")
        return X

    def _takes_columns(self, D, names):
        """Remember how many columns there are, and their names; a model of other columns is forgotten.

        If the fit fails, such a model would be left, and take rows that are not made for it.
        """
        before = getattr(self, "n_features_in_", D), getattr(self, "feature_names_in_", None)
        if before[0] != D or not np.array_equal(before[1], names):
            for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]:
                delattr(self, name)
        self.n_features_in_ = D
        if names is not None:
            self.feature_names_in_ = names

    def _more_matrix(self, X, **options):
        """`X` checked by `as_matrix` as further data for a fitted estimator: the same D, the same names in their
        order."""
        self._check_fitted()
        self._check_names(_column_names(X))
        return self._same_columns(X, **options)

    def _same_columns(self, X, *, name="X", **options):
        """`X` checked by `as_matrix`, of as many columns as the training set."""
        X = sparse_table(X, name=name) if self._takes_sparse and is_sparse(X) else \
            as_matrix(X, name=name, owner=type(self).__name__, **options)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(f"{name} has {X.shape[1]} features, but {type(self).__name__} is expecting "
                             f"{self.n_features_in_} features as input")
        return X

    def _check_names(self, names):
        """Compare columns' names with those of `fit`, in the words that scikit-learn uses."""
        fitted, owner = getattr(self, "feature_names_in_", None), type(self).__name__
        if names is None and fitted is None:
            return
        if fitted is None:
            warnings.warn(f"X has feature names, but {owner} was fitted without feature names", stacklevel=4)
        elif names is None:
            warnings.warn(f"X does not have valid feature names, but {owner} was fitted with feature names",
                          stacklevel=4)
        elif not np.array_equal(names, fitted):
            unseen, missing = sorted(set(names) - set(fitted)), sorted(set(fitted) - set(names))
            text = "The feature names should match those that were passed during fit.\n"
            for title, some in (("Feature names unseen at fit time", unseen),
                                ("Feature names seen at fit time, yet now missing", missing)):
                if some:
                    text += f"{title}:\n" + "".join(f"- {name}\n" for name in some[:5]) + "- ...\n" * (len(some) > 5)
            if not unseen and not missing:
                text += "Feature names must be in the same order as they were in fit.\n"
            raise ValueError(text)

    # --- scikit-learn asks

    def __sklearn_tags__(self):
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags
        return Tags(estimator_type=self._estimator_type, target_tags=TargetTags(required=False),
                    transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"])
                    if hasattr(self, "transform") else None,
                    input_tags=InputTags(two_d_array=self._takes_a_table, sparse=self._takes_sparse))


class Transformer:
    """For estimators with `transform`: `fit_transform`, and output as a data frame for those who ask for one."""

    def fit_transform(self, X, y=None, **fit_params):
        """The same as `fit(X)` and then `transform(X)`, (N, F).

        Parameters
        ----------
        X : array (N, D)
            Samples, in whatever form `fit` takes them.
        y : None, default=None
            Ignored, as in `fit`.
        **fit_params : object
            What `fit` takes besides.
        """
        return self.fit(X, y, **fit_params).transform(X)

    def get_feature_names_out(self, input_features=None):
        """Names of the output's columns: the class's name in lower case, numbered.  Raises ValueError for wrong inputs.

        Parameters
        ----------
        input_features : array (D,) of str or None, default=None
            Names of the input's columns; None for those of `fit`.
        """
        self._check_input_features(input_features)
        return np.array([f"{type(self).__name__.lower()}{i}" for i in range(self._n_features_out)], dtype=object)

    def _check_input_features(self, names):
        """The input columns' names: `names`, or those of `fit`, or x0, x1, ..."""
        self._check_fitted()
        fitted = getattr(self, "feature_names_in_", None)
        if names is None:
            return np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object) if fitted is None else fitted
        names = np.asarray(names, dtype=object)
        if fitted is not None and not np.array_equal(names, fitted):
            raise ValueError("input_features is not equal to feature_names_in_")
        if len(names) != self.n_features_in_:
            raise ValueError("input_features should have length equal to number of features "
                             f"({self.n_features_in_}), got {len(names)}")
        return names

    def set_output(self, *, transform=None):
        """Choose what `transform` returns.  Returns itself.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            "default" for arrays, the others for data frames, None for no change.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _output(self, Z, X):
        """`Z` as the kind of container that was asked for, with the index of `X`."""
        sklearn = sys.modules.get("sklearn")
        kind = getattr(self, "_sklearn_output_config", {}).get("transform") or \
            (sklearn.get_config().get("transform_output") if sklearn else "default")
        if kind == "default":
            return Z
        if kind == "pandas":
            import pandas
            return pandas.DataFrame(Z, columns=self.get_feature_names_out(), index=getattr(X, "index", None),
                                    copy=False)
        if kind == "polars":
            import polars
            return polars.DataFrame(Z, schema=list(self.get_feature_names_out()))
        raise ValueError(f"set_output: expected transform='default', 'pandas' or 'polars', got {kind!r}")


class Clusterer:
    """For estimators with `labels_`."""

    _estimator_type = "clusterer"

    def fit_predict(self, X, y=None, **fit_params):
        """The same as `fit(X)`, returning `labels_` (N,).

        Parameters
        ----------
        X : array (N, D)
            Samples.
        y : None, default=None
            Ignored.
        **fit_params : object
            What `fit` takes besides.
        """
        return self.fit(X, y, **fit_params).labels_


def _column_names(X):
    """The column names (D,) of a data frame, if they are strings, else None.  Raises TypeError for a mixture."""
    columns = getattr(X, "columns", None)
    if columns is None or not (hasattr(X, "__array__") or hasattr(X, "__dataframe__")):
        return None
    columns = np.asarray(columns, dtype=object)
    kinds = sorted({type(name).__name__ for name in columns})
    if len(kinds) > 1 and "str" in kinds:
        raise TypeError("Feature names are only supported if all input features have string names, but your input has "
                        f"{kinds} as feature name / column name types. If you want feature names to be stored and "
                        "validated, you must convert them all to strings, by using X.columns = X.columns.astype(str) "
                        "for example. Otherwise you can remove feature / column names from your input data, or "
                        "convert them all to a non-string data type.")
    return columns if kinds == ["str"] else None
