"""scikit-learn takes our estimators for its own: what its test suite asks of a class, ours answer.

Every public estimator is found by walking the packages.  Nothing may fail but what scikit-learn expects to fail of its
own class of that name, and each is set up as there.  Some checks are left out by scikit-learn for classes that do not
inherit from its mixins, and some stand in its own tests alone: they are run here all the same.

These checks feed arrays (N, D).  An estimator that takes something else, series or sentences or ratings, says so by the
class attribute `_takes_a_table = False`, which scikit-learn sees as the tag `two_d_array`, and is left out.  Its
`fit_arguments` in tests/strategies then have to be something else indeed.
"""
import functools
import importlib
import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.9.1")
pandas = pytest.importorskip("pandas")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import all_estimators, estimator_checks, get_tags
from sklearn.utils._test_common.instance_generator import INIT_PARAMS, _get_expected_failed_checks

from scratchml.cluster import KMeans
from scratchml.core.estimator import NotFittedError
from scratchml.datasets import load_iris
from scratchml.preprocessing import StandardScaler
from scratchml.reduction import PCA
from tests.textbook.public import estimators

# As in scikit-learn's own tests: some of the checks feed data on which fits cannot converge, or mix names and arrays.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

TABLES = [cls for cls in estimators() if cls._takes_a_table]
THEIRS = dict(all_estimators())
each = pytest.mark.parametrize("cls", TABLES, ids=lambda cls: cls.__name__)


def as_tested(cls):
    """An instance with the parameters with which scikit-learn tests its class of that name; networks learn briefly."""
    params = INIT_PARAMS.get(THEIRS.get(cls.__name__), {})
    params = {"epochs": 3, **(params if isinstance(params, dict) else params[0])}
    return cls(**{name: value for name, value in params.items() if name in cls().get_params()})


def expected_failures(cls):
    theirs = THEIRS.get(cls.__name__)
    return _get_expected_failed_checks(theirs()) if theirs else {}


def checks(cls):
    """(estimator, check) for everything that scikit-learn checks of estimators like this one."""
    estimator = as_tested(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                  # it inherits from none of scikit-learn's classes
        yield from estimator_checks.estimator_checks_generator(estimator)
        more = [estimator_checks.check_dataframe_column_names_consistency]
        if get_tags(estimator).estimator_type == "clusterer":
            more += estimator_checks._yield_clustering_checks(estimator)
        if hasattr(estimator, "transform"):
            more += [getattr(estimator_checks, f"check_{name}") for name in (
                "transformer_get_feature_names_out", "transformer_get_feature_names_out_pandas",
                "get_feature_names_out_error", "set_output_transform", "set_output_transform_pandas",
                "global_output_transform_pandas", "set_output_transform_polars", "global_set_output_transform_polars")]
    yield from ((estimator, functools.partial(check, cls.__name__)) for check in more)


def parameters():
    for cls in TABLES:
        expected = expected_failures(cls)
        for estimator, check in checks(cls):
            name = estimator_checks._check_name(check)
            if name.startswith("check_array_api"):       # arrays of other libraries are not ours to take
                continue
            marks = [pytest.mark.xfail(reason=f"as in scikit-learn: {expected[name]}")] if name in expected else []
            yield pytest.param(estimator, check, marks=marks, id=f"{cls.__name__}-{name}")


@pytest.mark.parametrize("estimator, check", list(parameters()))
def test_it_passes_scikit_learns_check(estimator, check):
    check(estimator)


def test_every_estimator_is_tried():
    assert {"KMeans", "PCA", "IncrementalPCA", "StandardScaler", "MinMaxScaler", "QuantileTransformer"} <= \
        {cls.__name__ for cls in TABLES}
    assert len(list(checks(KMeans))) > 60, "its checks for transformers and for clusterers are among them"


def test_who_is_left_out_takes_no_table():
    for cls in estimators():
        if cls not in TABLES:
            strategies = importlib.import_module(f"tests.strategies.{cls.__module__.rpartition('.')[2]}")
            first = strategies.fit_arguments()[0]
            table = isinstance(first, np.ndarray) and first.ndim == 2 and first.dtype.kind in "fiub"
            assert not table or np.isnan(first).any(), cls.__name__              # NaN is what nobody has rated
            assert get_tags(cls()).input_tags.two_d_array is False


# --- the tools

IRIS = load_iris()


@each
def test_a_clone_is_unfitted_and_has_the_same_parameters(cls):
    estimator = as_tested(cls).fit(IRIS.data, IRIS.target)
    twin = clone(estimator)
    assert type(twin) is cls and repr(twin) == repr(estimator) and not twin.__sklearn_is_fitted__()
    method = next(name for name in ("transform", "predict", "score_samples", "get_feature_names_out", "kneighbors",
                                    "knn_query")
                  if hasattr(twin, name))
    with pytest.raises(sklearn.exceptions.NotFittedError) as unfitted:
        getattr(twin, method)(IRIS.data)
    assert isinstance(unfitted.value, NotFittedError)


def test_a_pipeline_is_the_same_as_one_step_after_the_other():
    pipeline = make_pipeline(StandardScaler(), PCA(2), KMeans(3, random_state=0)).fit(IRIS.data)
    scaler = StandardScaler().fit(IRIS.data)
    pca = PCA(2).fit(scaler.transform(IRIS.data))
    Z = pca.transform(scaler.transform(IRIS.data))
    model = KMeans(3, random_state=0).fit(Z)
    np.testing.assert_array_equal(pipeline.predict(IRIS.data), model.labels_)
    np.testing.assert_array_equal(pipeline.transform(IRIS.data), model.transform(Z))
    assert pipeline.score(IRIS.data) == model.score(Z)
    weighted = pipeline.fit(IRIS.data, kmeans__sample_weight=1.0 + IRIS.target)
    np.testing.assert_array_equal(weighted[-1].cluster_centers_,
                                  model.fit(Z, sample_weight=1.0 + IRIS.target).cluster_centers_)


def test_names_and_frames_go_through_a_pipeline():
    frame = pandas.DataFrame(IRIS.data, columns=IRIS.feature_names, index=range(1000, 1150))
    pipeline = make_pipeline(StandardScaler(), PCA(2)).set_output(transform="pandas").fit(frame)
    out = pipeline.transform(frame)
    assert list(out.columns) == ["pca0", "pca1"] and out.index.equals(frame.index)
    assert pipeline[0].get_feature_names_out().tolist() == IRIS.feature_names
    assert list(pipeline[0].transform(frame).columns) == IRIS.feature_names


def test_a_grid_search_scores_as_one_does_by_hand():
    folds = KFold(3, shuffle=True, random_state=0)
    grid = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3, 5], "init": ["k-means++", "random"]}, cv=folds,
                        error_score="raise").fit(IRIS.data)
    for params, score in zip(grid.cv_results_["params"], grid.cv_results_["mean_test_score"]):
        by_hand = [KMeans(random_state=0, **params).fit(IRIS.data[train]).score(IRIS.data[test])
                   for train, test in folds.split(IRIS.data)]
        assert score == np.mean(by_hand)
    assert grid.best_params_["n_clusters"] == 5 and grid.predict(IRIS.data).max() == 4


def test_a_grid_search_reaches_into_a_pipeline():
    grid = GridSearchCV(make_pipeline(StandardScaler(), PCA(), KMeans(random_state=0)),
                        {"pca__n_components": [1, 2], "kmeans__n_clusters": [2, 3]}, cv=3, error_score="raise")
    grid.fit(IRIS.data)
    assert grid.best_params_["pca__n_components"] == 1, "what is left out costs no inertia"
    scores = GridSearchCV(PCA(), {"n_components": [1, 2, 3]}, cv=KFold(3, shuffle=True, random_state=0),
                          error_score="raise").fit(IRIS.data).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and len(set(scores)) == 3


def test_scores_are_the_same_when_threads_take_turns():
    joblib = pytest.importorskip("joblib")
    alone = cross_val_score(KMeans(3, random_state=0), IRIS.data, cv=6)
    with joblib.parallel_config("threading", n_jobs=3):
        np.testing.assert_array_equal(cross_val_score(KMeans(3, random_state=0), IRIS.data, cv=6), alone)
