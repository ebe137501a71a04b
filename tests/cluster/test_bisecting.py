"""Bisecting k-means: each cut against its definition, and the tree as a whole."""
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.cluster import BisectingKMeans, KMeans
from scratchml.cluster.bisecting import left_over, replay, worst
from scratchml.core.estimator import ConvergenceWarning
from tests.reference import bisecting as reference
from tests.strategies.bisecting import trees
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table, tables, with_number
from tests.strategies.kmeans import blobs, clustered

EPS = np.finfo(float).eps


# --- equal to the definition

@given(clustered(12, 4))
def test_what_is_left_over_is_counted_cluster_by_cluster(drawn):
    X, w, C, y = drawn
    rtol = (len(X) + X.shape[1] + 6) * EPS
    np.testing.assert_allclose(left_over(X, w, C, y), reference.left_over(X, w, C, y), rtol=rtol)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_the_first_of_the_worst_is_cut(J):
    assert worst(np.array(J, dtype=float)) == reference.worst(J)


@given(trees(12, 3))
def test_a_point_goes_down_the_tree(drawn):
    np.testing.assert_array_equal(replay(*drawn), reference.replay(*drawn))


# --- the tree as a whole

@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
@given(with_number(tables(20, 3, min_rows=2), 5), seeds)
def test_labels_centres_and_tree_agree(strategy, drawn, seed):
    X, K = drawn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = BisectingKMeans(K, random_state=seed, tol=0, bisecting_strategy=strategy).fit(X)
    C, y = model.cluster_centers_, model.labels_
    assert len(C) == min(K, len(np.unique(X, axis=0))) and sorted(set(y)) == list(range(len(C)))
    np.testing.assert_array_equal(model.predict(X), y)
    means = [X[y == k].mean(axis=0) for k in range(len(C))]
    np.testing.assert_allclose(C, means, rtol=0, atol=4 * (len(X) + 2) * EPS * np.abs(X).max())
    np.testing.assert_allclose(model.inertia_, reference.left_over(X, np.ones(len(X)), C, y).sum(),
                               rtol=(len(X) + X.shape[1] + 6) * EPS)
    assert -model.score(X) == model.inertia_ and model.cuts_.shape == (len(C) - 1, 2, X.shape[1])


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_every_cut_cuts_the_worst_of_those_before(strategy):
    X, w, seen = blobs(4, 25), 0.5 + np.arange(100) % 3, []

    def look(progress):
        model = progress.estimator
        seen.append((model.cluster_centers_, model.labels_, model.cut_clusters_.tolist(), progress.loss))
        assert progress.loss == model.inertia_ and progress.iteration == len(seen)
    BisectingKMeans(7, random_state=0, bisecting_strategy=strategy, callback=look).fit(X, sample_weight=w)
    assert len(seen) == 6 and all(a[3] > b[3] for a, b in zip(seen, seen[1:]))
    for (C, y, cuts, _), (_, after, further, _) in zip(seen, seen[1:]):
        size = reference.left_over(X, w, C, y) if strategy == "biggest_inertia" else np.bincount(y, w)
        assert further == cuts + [reference.worst(size)]
        kept = after != len(C)
        np.testing.assert_array_equal(after[kept], y[kept])      # the new half has the next number


def test_finds_heaps_one_after_another():
    X = blobs(4, 30)
    model = BisectingKMeans(4, random_state=0).fit(X)
    assert all(len(set(model.labels_[30 * k:30 * k + 30])) == 1 for k in range(4)) and len(set(model.labels_)) == 4


def test_by_hand():
    X = [[0.0], [1], [10], [11], [30], [32]]
    model = BisectingKMeans(3, random_state=0).fit(X)
    assert model.cut_clusters_[0] == 0 and sorted(model.cuts_[0].ravel()) == [5.5, 31]
    assert sorted(model.cuts_[1].ravel()) == [0.5, 10.5]
    new = model.predict([[5.0], [6], [18], [19]])        # 18.25 lies half-way between 5.5 and 31
    np.testing.assert_array_equal(model.cluster_centers_[new].ravel(), [0.5, 10.5, 10.5, 31])


def test_points_without_weight_are_not_worth_a_cut():
    X = np.array([[0.0], [0], [5], [5], [99]])
    with pytest.warns(ConvergenceWarning, match="distinct"):
        model = BisectingKMeans(3, random_state=0).fit(X, sample_weight=[1, 1, 1, 1, 0])
    assert sorted(model.cluster_centers_.ravel()) == [0, 5]


def test_callback_can_stop_and_an_interrupt_keeps_the_last_cut():
    X = blobs(4, 20)
    model = BisectingKMeans(4, random_state=0, callback=lambda progress: progress.iteration == 2).fit(X)
    assert len(model.cluster_centers_) == 3

    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callback=interrupt).fit(X)
    assert len(model.cluster_centers_) == 3
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_single_precision_and_every_layout():
    X = blobs(3, 15)
    model = BisectingKMeans(3, random_state=0).fit(X)
    for name, same in layouts(X).items():
        other = BisectingKMeans(3, random_state=0).fit(same)
        np.testing.assert_array_equal(other.cluster_centers_, model.cluster_centers_, err_msg=name)
        np.testing.assert_array_equal(model.predict(same), model.labels_, err_msg=name)
    single = BisectingKMeans(3, random_state=0).fit(X.astype(np.float32))
    assert single.cluster_centers_.dtype == single.cuts_.dtype == np.float32
    np.testing.assert_allclose(single.inertia_, model.inertia_, rtol=1e-4)


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    model = BisectingKMeans(2, random_state=0).fit(table(5, 2, 0))
    for use in (BisectingKMeans(2).fit, model.predict, model.score):
        with pytest.raises(ValueError, match=message):
            use(bad)


@pytest.mark.parametrize("options, message", [
    (dict(n_clusters=0), "n_clusters=0"),
    (dict(n_clusters=6), "n_clusters=6"),
    (dict(init="best"), "init='best'"),
    (dict(n_init=0), "n_init=0"),
    (dict(max_iter=0), "max_iter=0"),
    (dict(tol=-1), "tol=-1"),
    (dict(bisecting_strategy="any"), "bisecting_strategy='any'.*'biggest_inertia'"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        BisectingKMeans(**{"n_clusters": 2, **options}).fit(table(5, 2, 0))


# --- numbers of very different sizes

def frames(dtype, silent=1e-14, seed=0):
    """500 frames of next to nothing beside 100 that are loud."""
    rng = np.random.default_rng(seed)
    return np.concatenate([silent * rng.exponential(size=(500, 40)), rng.exponential(size=(100, 40))]).astype(dtype)


@pytest.mark.parametrize("dtype, silent", [(np.float32, 1e-14), (np.float32, 1e-30), (np.float64, 1e-14),
                                           (np.float64, 1e-100)])
def test_a_cluster_of_tiny_points_is_cut_like_any_other(dtype, silent):
    X = frames(dtype, silent)
    model = BisectingKMeans(3, bisecting_strategy="largest_cluster", random_state=0).fit(X)
    assert sorted({*model.labels_[:500]} ^ {*model.labels_[500:]}) == [0, 1, 2] and len({*model.labels_[:500]}) == 2
    alone = KMeans(2, init=(model.cuts_[1].astype(float) / silent)).fit(X[:500].astype(float) / silent)
    np.testing.assert_array_equal(alone.labels_, model.labels_[:500] == 2)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_array_equal(model.predict(X[:7]), model.labels_[:7])


def test_what_is_lost_when_it_is_squared_is_not_cut():
    X = frames(np.float64, 1e-160)
    with pytest.warns(ConvergenceWarning, match="as far as squares can tell"):
        model = BisectingKMeans(102, random_state=0).fit(np.concatenate([X[:500], X[500:] + np.arange(100)[:, None]]))
    assert len(set(model.labels_[:500])) == 1


@pytest.mark.parametrize("light", [1e-30, 1e-200])
def test_a_cluster_of_light_points_is_cut_like_any_other(light):
    X = np.array([[0.0], [1], [10], [11], [30], [32]])
    w = np.array([1, 1, light, light, 1, 1])
    model = BisectingKMeans(6, random_state=0).fit(X, sample_weight=w)
    assert len(set(model.labels_)) == 6 and model.inertia_ == 0


@pytest.mark.parametrize("value", [1e-13, 1e-44, 0.0])
def test_a_tiny_row_alone(value):
    X = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    row = np.array([[value, 0, 0]], np.float32)
    model = BisectingKMeans(2, random_state=0).fit(X)
    assert model.predict(row)[0] == model.predict(np.vstack([row, X]))[0]
    assert model.score(row) < 0
