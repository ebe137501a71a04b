"""k-means against its definition, against what must hold whatever the points, and against every partition there is."""
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.cluster import KMeans, kmeans_plusplus
from scratchml.cluster.kmeans import assign, fill_empty, inertia, potential, recentre, seeding_probabilities
from scratchml.core.distances import euclidean, squared_euclidean
from scratchml.core.estimator import ConvergenceWarning
from scratchml.core.progress import Progress
from tests.reference import kmeans as reference
from tests.strategies.distances import BAD_TABLES, layouts, seeds, table, tables, with_number
from tests.strategies.kmeans import blobs, clustered, starts

EPS = np.finfo(float).eps
NO_TIES = ("normal", "offset 1e6", "scaled 1e8", "scaled 1e-8")


def sum_of_squares(X, eps=EPS):
    """N terms of D squares and a weight, all positive: each of them rounds D + 4 half-units, their sum N more."""
    return dict(rtol=(X.shape[0] + X.shape[1] + 4) * eps)


def mean_of_rows(X, eps=EPS):
    """A weighted sum of N numbers up to max|x|, over the sum of the weights."""
    return dict(rtol=0, atol=2 * (len(X) + 2) * eps * np.abs(X).max())


def rounding_of_inertia(X, w):
    """Centres that are off by the rounding of a mean raise J by the square of it, for each point and column."""
    return np.sum(w) * X.shape[1] * mean_of_rows(X)["atol"] ** 2


def distinct_rows(X):
    return len(np.unique(X, axis=0))


def fitted(X, K, **options):
    """A fit for laws that hold whether or not there are enough distinct points and iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(K, **options).fit(X)


# --- equal to the definition

@given(clustered(12, 4))
def test_inertia_is_the_sum_over_all_points(drawn):
    X, w, C, y = drawn
    np.testing.assert_allclose(inertia(X, w, C, y), reference.inertia(X, w, C, y), **sum_of_squares(X))


@given(clustered(12, 4))
def test_each_point_goes_to_a_nearest_centre(drawn):
    X, _, C, _ = drawn
    d = reference_distances(X, C)
    y = assign(X, C)
    chosen = d[np.arange(len(X)), y]
    assert (chosen <= d.min(axis=1) * (1 + 2 * (X.shape[1] + 2) * EPS)).all()


@given(clustered(12, 3, kinds=("integer grid",)))
def test_the_lowest_of_several_nearest_centres_wins(drawn):
    X, _, C, _ = drawn
    np.testing.assert_array_equal(assign(X, C), reference.assign(X, C))


@given(clustered(12, 4))
def test_a_centre_is_the_weighted_mean_of_its_points(drawn):
    X, w, C, y = drawn
    got = recentre(X, w, y, C)
    np.testing.assert_allclose(got, reference.recentre(X, w, y, C), **mean_of_rows(X))
    unused = [k for k in range(len(C)) if not w[y == k].any()]
    np.testing.assert_array_equal(got[unused], C[unused])


@given(clustered(12, 3, kinds=("integer grid", "normal", "constant")))
def test_an_empty_cluster_takes_the_farthest_point_that_can_go(drawn):
    X, w, C, y = drawn
    before = y.copy()
    np.testing.assert_array_equal(fill_empty(X, w, C, y), reference.fill_empty(X, w, C, y))
    np.testing.assert_array_equal(y, before)


@given(clustered(12, 4), st.booleans())
def test_seeding_follows_weight_times_squared_distance(drawn, some):
    X, w, C, _ = drawn
    assume(w.any())
    d = squared_euclidean(X, C).min(axis=1) * some
    p = seeding_probabilities(w, d)
    np.testing.assert_allclose(p, reference.seeding_probabilities(w, d), rtol=(len(w) + 3) * EPS)
    np.testing.assert_allclose(p.sum(), 1, rtol=len(w) * EPS)


@given(clustered(12, 4), seeds)
def test_potential_is_what_a_further_centre_leaves(drawn, seed):
    X, w, C, _ = drawn
    Y = X[np.random.default_rng(seed).integers(len(X), size=3)]
    d = squared_euclidean(X, C).min(axis=1)
    np.testing.assert_allclose(potential(X, w, d, Y), reference.potential(X, w, d, Y), **sum_of_squares(X))


def reference_distances(X, C):
    return np.array([[reference.squared_distance(x, c) for c in C] for x in X])


@given(starts(14, 3), st.sampled_from([0, 1e-4, 0.02]))
def test_fit_takes_the_steps_of_the_definition(drawn, tol):
    X, C = drawn
    steps, _ = reference.lloyd(X, np.ones(len(X)), C, tol)
    model = KMeans(len(C), init=C, tol=tol).fit(X)
    centres, labels, J = steps[-1]
    np.testing.assert_allclose(model.cluster_centers_, centres, **mean_of_rows(X))
    np.testing.assert_array_equal(model.labels_, labels)
    history = model.inertia_history_
    expected = [step[2] for step in steps]
    np.testing.assert_allclose(history[:len(expected)], expected, rtol=1e-10)    # second order in the centres' rounding
    np.testing.assert_allclose(history[len(expected):], J, rtol=1e-10)
    assert 1 <= model.n_iter_ <= len(steps)


@given(tables(14, 3, min_rows=8, kinds=("normal",)), st.integers(2, 4), st.integers(1, 3))
def test_an_iteration_is_one_assignment_and_one_recentring(X, K, most):
    X[:, 0] += 100 * 1.3 ** np.arange(len(X))            # ever farther apart, and all centres start at the near end:
    C = X[:K]                                            # the last one owns too much, and hands it on turn by turn
    n_iter = min(most, len(reference.lloyd(X, np.ones(len(X)), C)[0]) - 2)
    steps, settled = reference.lloyd(X, np.ones(len(X)), C, max_iter=n_iter)
    assert not settled
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        model = KMeans(len(C), init=C, tol=0, max_iter=n_iter).fit(X)
    assert model.n_iter_ == n_iter
    np.testing.assert_allclose(model.cluster_centers_, steps[-1][0], **mean_of_rows(X))
    np.testing.assert_array_equal(model.labels_, steps[-1][1])
    np.testing.assert_allclose(model.inertia_, steps[-1][2], rtol=1e-10)


@given(starts(14, 3), seeds)
def test_weighted_fit_takes_the_steps_of_the_definition(drawn, seed):
    X, C = drawn
    w = np.random.default_rng(seed).integers(0, 4, size=len(X)) / 2
    assume(w.any())
    centres, labels, J = reference.lloyd(X, w, C)[0][-1]
    with warnings.catch_warnings():                      # too few points may have weight
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(len(C), init=C, tol=0).fit(X, sample_weight=w)
    np.testing.assert_allclose(model.cluster_centers_, centres, **mean_of_rows(np.vstack([X, C])))
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_allclose(model.inertia_, J, rtol=1e-10, atol=rounding_of_inertia(X, w))


# --- laws of a fit

@given(with_number(tables(14, 3), 5), seeds, st.sampled_from(["k-means++", "random"]))
def test_a_fit_ends_where_labels_and_centres_agree(drawn, seed, init):
    X, K = drawn
    model = fitted(X, K, init=init, random_state=seed, tol=0)
    C, y, ones = model.cluster_centers_, model.labels_, np.ones(len(X))
    assert np.isfinite(C).all() and C.shape == (K, X.shape[1]) and y.shape == (len(X),)
    np.testing.assert_array_equal(model.predict(X), y)
    d = reference_distances(X, C)
    assert (d[np.arange(len(X)), y] <= d.min(axis=1) * (1 + 2 * (X.shape[1] + 2) * EPS)).all()
    np.testing.assert_allclose(C, reference.recentre(X, ones, y, C), **mean_of_rows(X))
    np.testing.assert_allclose(model.inertia_, reference.inertia(X, ones, C, y), **sum_of_squares(X))


@given(with_number(tables(14, 3), 5), seeds, st.sampled_from(["k-means++", "random"]), st.sampled_from([0, 1e-2]))
def test_inertia_never_rises(drawn, seed, init, tol):
    X, K = drawn
    model = fitted(X, K, init=init, random_state=seed, tol=tol)
    history = np.array(model.inertia_history_)
    slack = sum_of_squares(X)["rtol"] * history[:-1] + rounding_of_inertia(X, np.ones(len(X)))
    assert (np.diff(history) <= slack).all() and history[-1] == model.inertia_


@given(starts(14, 3), seeds)
def test_inertia_never_rises_with_weights_and_empty_clusters(drawn, seed):
    X, C = drawn
    w = np.random.default_rng(seed).random(len(X))
    history = np.array(KMeans(len(C), init=C, tol=0).fit(X, sample_weight=w).inertia_history_)
    assert (np.diff(history) <= sum_of_squares(X)["rtol"] * history[:-1] + rounding_of_inertia(X, w)).all()


@given(with_number(tables(12, 3), 4, distinct_rows), seeds, st.sampled_from(["k-means++", "random"]))
def test_enough_distinct_points_leave_no_cluster_empty(drawn, seed, init):
    X, K = drawn
    model = KMeans(K, init=init, random_state=seed, tol=0).fit(X)
    assert sorted(set(model.labels_)) == list(range(K))


@given(starts(12, 3, how=("points", "each near a point")), st.permutations(range(4)))
def test_renaming_the_centres_renames_the_labels(drawn, names):
    X, C = drawn
    order = [k for k in names if k < len(C)]
    assert len(set(reference.assign(X, C))) == len(C)    # else a tie or an empty cluster goes by its number
    one, other = KMeans(len(C), init=C, tol=0).fit(X), KMeans(len(C), init=C[order], tol=0).fit(X)
    np.testing.assert_array_equal(np.array(order)[other.labels_], one.labels_)
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_[order], **mean_of_rows(X))


@given(starts(12, 3), seeds)
def test_the_order_of_the_points_does_not_matter(drawn, seed):
    X, C = drawn
    order = np.random.default_rng(seed).permutation(len(X))
    one, other = KMeans(len(C), init=C, tol=0).fit(X), KMeans(len(C), init=C, tol=0).fit(X[order])
    np.testing.assert_array_equal(other.labels_, one.labels_[order])
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_, **mean_of_rows(X))


@given(starts(12, 3), st.integers(-40, 40), st.sampled_from([0, 1e-4, 0.02]))
def test_powers_of_two_scale_exactly(drawn, exponent, tol):
    X, C = drawn
    s = 2.0 ** exponent
    one, other = KMeans(len(C), init=C, tol=tol).fit(X), KMeans(len(C), init=s * C, tol=tol).fit(s * X)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_array_equal(other.cluster_centers_, s * one.cluster_centers_)
    assert other.inertia_ == s * s * one.inertia_


@given(starts(12, 3), seeds)
def test_a_rotation_turns_the_centres(drawn, seed):
    X, C = drawn
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(X.shape[1],) * 2))
    one, other = KMeans(len(C), init=C, tol=0).fit(X), KMeans(len(C), init=C @ Q, tol=0).fit(X @ Q)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_ @ Q,
                               rtol=0, atol=4 * X.shape[1] * mean_of_rows(X)["atol"])


@given(starts(12, 3), st.sampled_from([-2.0**20, 2.0**20]))
def test_an_offset_costs_no_more_than_its_own_rounding(drawn, offset):
    X, C = (np.round(values * 2**20) / 2**20 for values in drawn)       # so that adding the offset does not round
    one, other = KMeans(len(C), init=C, tol=0).fit(X), KMeans(len(C), init=C + offset, tol=0).fit(X + offset)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    np.testing.assert_allclose(other.cluster_centers_ - offset, one.cluster_centers_, **mean_of_rows(X + offset))
    np.testing.assert_allclose(other.inertia_, one.inertia_, rtol=2 * sum_of_squares(X)["rtol"],
                               atol=2 * rounding_of_inertia(X + offset, np.ones(len(X))))


@given(tables(14, 4), seeds)
def test_one_cluster_is_the_weighted_mean(X, seed):
    w = np.random.default_rng(seed).random(len(X)) + 0.1
    model = KMeans(1).fit(X, sample_weight=w)
    np.testing.assert_allclose(model.cluster_centers_[0], sum(w[:, None] * X) / sum(w), **mean_of_rows(X))
    assert not model.labels_.any()


@given(tables(8, 3, kinds=NO_TIES), seeds, st.sampled_from(["k-means++", "random"]))
def test_as_many_clusters_as_points_leave_no_inertia(X, seed, init):
    model = KMeans(len(X), init=init, random_state=seed).fit(X)
    assert sorted(model.labels_) == list(range(len(X)))
    assert model.inertia_ <= rounding_of_inertia(X, np.ones(len(X)))


@given(tables(6, 2, min_rows=3), st.integers(1, 3), seeds)
def test_no_fit_beats_every_partition_there_is(X, K, seed):
    best = reference.least_inertia(X, np.ones(len(X)), K)
    J = fitted(X, K, random_state=seed).inertia_
    assert J >= best - sum_of_squares(X)["rtol"] * best - rounding_of_inertia(X, np.ones(len(X)))


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("seed", range(4))
def test_enough_starts_find_the_best_partition(seed, init):
    X = table(7, 2, seed)
    best = reference.least_inertia(X, np.ones(7), 3)
    np.testing.assert_allclose(KMeans(3, init=init, n_init=60, random_state=seed, tol=0).fit(X).inertia_, best,
                               **sum_of_squares(X))


# --- weights

@given(starts(12, 3), seeds, st.integers(-20, 20))
def test_a_common_factor_of_all_weights_scales_inertia_only(drawn, seed, exponent):
    X, C = drawn
    w, s = np.random.default_rng(seed).random(len(X)) + 0.1, 2.0 ** exponent
    for init in (C, "k-means++", "random"):
        model = KMeans(len(C), init=init, random_state=seed, tol=0)
        model.fit(X, sample_weight=w)
        centres, labels, J = model.cluster_centers_, model.labels_, model.inertia_
        model.fit(X, sample_weight=s * w)
        np.testing.assert_array_equal(model.cluster_centers_, centres)
        np.testing.assert_array_equal(model.labels_, labels)
        assert model.inertia_ == s * J


def never_empty(X, w, C):
    """Where no cluster runs empty on the way: filling one moves a whole point, and copies are moved one by one."""
    return all(set(y[w > 0]) == set(range(len(C))) for _, y, _ in reference.lloyd(X, w, C)[0])


@given(starts(12, 3, how=("points",)), seeds)
def test_a_whole_weight_is_so_many_points(drawn, seed):
    X, C = drawn
    w = np.random.default_rng(seed).integers(1, 4, size=len(X))
    assume(never_empty(X, w, C))
    weighted = KMeans(len(C), init=C, tol=0).fit(X, sample_weight=w)
    repeated = KMeans(len(C), init=C, tol=0).fit(np.repeat(X, w, axis=0))
    np.testing.assert_array_equal(np.repeat(weighted.labels_, w), repeated.labels_)
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, **mean_of_rows(np.repeat(X, w, 0)))
    np.testing.assert_allclose(weighted.inertia_, repeated.inertia_, rtol=1e-10, atol=rounding_of_inertia(X, w))


@given(starts(12, 3, min_rows=6), seeds)
def test_no_weight_is_no_point(drawn, seed):
    X, C = drawn
    keep = np.random.default_rng(seed).permutation(len(X)) >= 2
    weighted = KMeans(len(C), init=C, tol=0).fit(X, sample_weight=keep.astype(float))
    removed = KMeans(len(C), init=C, tol=0).fit(X[keep])
    np.testing.assert_array_equal(weighted.labels_[keep], removed.labels_)
    np.testing.assert_array_equal(weighted.labels_[~keep], removed.predict(X[~keep]))
    np.testing.assert_allclose(weighted.cluster_centers_, removed.cluster_centers_, **mean_of_rows(X))
    np.testing.assert_allclose(weighted.inertia_, removed.inertia_, rtol=1e-10, atol=rounding_of_inertia(X, keep))


def test_no_weights_are_equal_weights():
    X = table(30, 2, 0)
    one, other = (KMeans(4, random_state=0).fit(X, sample_weight=w) for w in (None, np.ones(30)))
    np.testing.assert_array_equal(one.cluster_centers_, other.cluster_centers_)
    assert one.inertia_ == other.inertia_


# --- seeding

@given(with_number(tables(12, 3), 5), seeds, st.sampled_from([None, 1, 3]))
def test_seeds_are_distinct_points_of_the_data(drawn, seed, n_local_trials):
    X, K = drawn
    centres, indices = kmeans_plusplus(X, K, n_local_trials=n_local_trials, random_state=seed)
    assert centres.shape == (K, X.shape[1]) and indices.shape == (K,) and indices.dtype.kind == "i"
    np.testing.assert_array_equal(centres, X[indices])
    assert distinct_rows(centres) == min(K, distinct_rows(X))


@given(tables(12, 3, min_rows=6, kinds=("normal", "offset 1e6")), seeds)
def test_a_point_without_weight_is_never_a_seed(X, seed):
    w = (np.random.default_rng(seed).permutation(len(X)) >= 3).astype(float)
    _, indices = kmeans_plusplus(X, 3, sample_weight=w, random_state=seed)
    assert w[indices].all() and len(set(indices)) == 3


def test_seeds_are_drawn_with_the_stated_probabilities():
    X, w, n = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([1.0, 4.0, 2.0, 1.0]), 2000
    counts, generator = np.zeros((4, 4)), np.random.default_rng(0)
    for _ in range(n):
        _, (i, j) = kmeans_plusplus(X, 2, sample_weight=w, n_local_trials=1, random_state=generator)
        counts[i, j] += 1
    first = reference.seeding_probabilities(w, np.zeros(4))
    p = np.array([first[i] * reference.seeding_probabilities(w, (X - X[i])[:, 0] ** 2) for i in range(4)])
    assert (np.abs(counts - n * p) <= 5 * np.sqrt(n * p * (1 - p))).all()        # five standard deviations


@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_many_candidates_is_the_seed_that_leaves_least(seed):
    X, w = table(6, 2, seed), 1.0 + np.arange(6) % 3
    _, indices = kmeans_plusplus(X, 3, sample_weight=w, n_local_trials=300, random_state=seed)
    for chosen in (1, 2):                                # 300 draws leave out no point that has a chance to speak of
        d = reference_distances(X, X[indices[:chosen]]).min(axis=1)
        left = reference.potential(X, w, d, X)
        left[indices[:chosen]] = np.inf
        assert indices[chosen] == left.argmin()


@pytest.mark.parametrize("K, trials", [(2, 2), (3, 3), (8, 4), (21, 5)])
def test_number_of_candidates_grows_with_the_logarithm_of_k(K, trials):
    X = table(40, 2, 0)
    draws = [kmeans_plusplus(X, K, n_local_trials=n, random_state=0)[1].tolist() for n in (None, trials)]
    assert draws[0] == draws[1]


def test_fit_starts_from_k_means_plus_plus():
    X = blobs(12, 5)
    optimum = reference.inertia(X, np.ones(60), X.reshape(12, 5, 2).mean(axis=1), np.repeat(np.arange(12), 5))
    found = {init: sum(KMeans(12, init=init, random_state=seed).fit(X).inertia_ < 1.001 * optimum for seed in range(12))
             for init in ("k-means++", "random")}
    assert found["k-means++"] > 6 > 2 > found["random"]


def test_further_starts_help_and_the_best_is_kept_whole():
    X = blobs(4, 5)
    single = [KMeans(4, init="random", random_state=seed).fit(X).inertia_ for seed in range(10)]
    assert max(single) > 2 * min(single)                 # else there is nothing to choose from
    for seed in range(5):
        model = KMeans(4, init="random", n_init=25, random_state=seed).fit(X)
        np.testing.assert_allclose(model.inertia_, min(single), rtol=1e-12)
        np.testing.assert_array_equal(model.labels_, model.predict(X))
        np.testing.assert_allclose(model.inertia_, inertia(X, np.ones(20), model.cluster_centers_, model.labels_),
                                   **sum_of_squares(X))
        assert model.inertia_history_[-1] == model.inertia_


# --- examples

def test_by_hand():
    X = [[0.0], [1], [10], [11], [14]]
    model = KMeans(2, init=[[0.0], [1]]).fit(X)          # {0} {1 10 11 14}, {0 1} {10 11 14}
    assert model.labels_.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(model.cluster_centers_, [[0.5], [35 / 3]], rtol=4 * EPS)
    np.testing.assert_allclose(model.inertia_history_[:3], [81 + 100 + 169, 1 + 30, 0.5 + 26 / 3], rtol=1e-14)
    assert model.predict([[6.0], [6.2]]).tolist() == [0, 1]


def test_transform_gives_distances_and_score_the_inertia_of_new_points():
    X, new = table(20, 2, 0), table(7, 2, 1)
    model = KMeans(3, random_state=0).fit(X)
    np.testing.assert_allclose(model.transform(new), euclidean(new, model.cluster_centers_), rtol=1e-15, atol=0)
    nearest = squared_euclidean(new, model.cluster_centers_).min(axis=1)
    np.testing.assert_allclose(model.score(new), -nearest.sum(), rtol=1e-14)
    np.testing.assert_array_equal(model.predict(new), model.transform(new).argmin(axis=1))
    np.testing.assert_allclose(model.score(X), -model.inertia_, **sum_of_squares(X))


# --- while it runs

def watched(n_points=40):
    """A fit that needs several iterations: two groups, and both centres start in one of them."""
    X = table(n_points, 2, 0)
    return X, KMeans(5, init=X[X[:, 0].argsort()[:5]], tol=0)


def test_callback_sees_every_iteration():
    X, model = watched()
    seen = []

    def look(progress):
        assert isinstance(progress, Progress) and progress.estimator is model
        assert progress.loss == model.inertia_ == model.inertia_history_[-1] and model.n_iter_ == progress.iteration
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        np.testing.assert_allclose(inertia(X, np.ones(40), model.cluster_centers_, model.labels_), progress.loss,
                                   **sum_of_squares(X))
        seen.append(progress)

    model.set_params(callback=look).fit(X)
    assert len(seen) >= 3 and [p.iteration for p in seen] == list(range(1, model.n_iter_ + 1))
    assert [p.loss for p in seen] == list(model.inertia_history_[-len(seen):])


def test_callback_can_stop():
    X, model = watched()
    model.set_params(callback=lambda progress: progress.iteration == 2).fit(X)
    steps, _ = reference.lloyd(X, np.ones(40), model.init, max_iter=2)
    assert model.n_iter_ == 2
    np.testing.assert_allclose(model.cluster_centers_, steps[-1][0], **mean_of_rows(X))
    np.testing.assert_array_equal(model.labels_, steps[-1][1])


def test_a_callback_that_says_nothing_or_no_changes_nothing():
    X, model = watched()
    centres = model.fit(X).cluster_centers_
    for answer in (None, False):
        np.testing.assert_array_equal(model.set_params(callback=lambda _: answer).fit(X).cluster_centers_, centres)


def test_interrupted_fit_keeps_the_last_iteration():
    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    X, model = watched()
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callback=interrupt).fit(X)
    steps, _ = reference.lloyd(X, np.ones(40), model.init, max_iter=2)
    assert model.n_iter_ == 2
    np.testing.assert_allclose(model.cluster_centers_, steps[-1][0], **mean_of_rows(X))
    np.testing.assert_array_equal(model.labels_, steps[-1][1])
    np.testing.assert_allclose(model.inertia_, steps[-1][2], rtol=1e-10)


def test_says_when_it_has_not_converged():
    X, model = watched()
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        model.set_params(max_iter=2).fit(X)


@pytest.mark.parametrize("init", ["k-means++", "random", [[0.0, 1], [5, 0], [0, 1], [9, 9]]])
def test_says_when_there_are_fewer_distinct_points_than_clusters(init):
    X = np.array([[0.0, 1], [2, 3], [0, 1], [2, 3], [0, 1]])
    with pytest.warns(ConvergenceWarning, match="distinct"):
        model = KMeans(4, init=init, random_state=0).fit(X)
    assert np.isfinite(model.cluster_centers_).all() and model.inertia_ == 0
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    assert len(set(model.labels_)) == 2


def test_constant_data_need_one_cluster():
    X = np.full((6, 2), 0.1)
    model = KMeans(1).fit(X)
    np.testing.assert_allclose(model.cluster_centers_, X[:1], **mean_of_rows(X))
    with pytest.warns(ConvergenceWarning, match="distinct"):
        model = KMeans(3, random_state=0).fit(X)
    np.testing.assert_allclose(model.cluster_centers_, X[:3], **mean_of_rows(X))
    assert not model.labels_.any()


def test_one_sample_is_its_own_cluster():
    model = KMeans(1).fit([[2.0, 3]])
    assert model.cluster_centers_.tolist() == [[2, 3]] and model.labels_.tolist() == [0] and model.inertia_ == 0


def test_is_silent_unless_asked(capfd):
    X, model = watched()
    model.fit(X)
    assert capfd.readouterr() == ("", "")
    model.set_params(verbose=1).fit(X)
    assert "".join(capfd.readouterr()).strip()


# --- the same again

@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_a_seed_repeats_a_fit_to_the_bit(init):
    X = table(60, 3, 0)
    centres = [KMeans(6, init=init, n_init=2, random_state=make()).fit(X).cluster_centers_.tolist()
               for make in (lambda: 3, lambda: 3, lambda: np.random.default_rng(3), lambda: np.random.default_rng(4))]
    assert centres[0] == centres[1] == centres[2] != centres[3]


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X, w = table(12000, 2, 0), 0.5 + np.random.default_rng(0).random(12000)

    def results():
        model = KMeans(3, random_state=0, callback=lambda progress: progress.iteration == 2)
        model.fit(X, sample_weight=w)
        y, C = model.labels_, model.cluster_centers_
        return [C, y, model.inertia_, assign(X, C), recentre(X, w, y, C), inertia(X, w, C, y), model.transform(X)]

    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = results()
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    for one, two in zip(alone, results()):
        np.testing.assert_array_equal(one, two)


def test_many_points_are_treated_as_few_are():
    X, C = table(12000, 2, 0), table(5, 2, 1)
    w = 0.5 + np.random.default_rng(0).random(12000)
    d = squared_euclidean(X, C)
    y = assign(X, C)
    np.testing.assert_array_equal(y, d.argmin(axis=1))
    np.testing.assert_allclose(inertia(X, w, C, y), (w * d.min(axis=1)).sum(), **sum_of_squares(X))
    means = [np.average(X[y == k], axis=0, weights=w[y == k]) for k in range(5)]
    np.testing.assert_allclose(recentre(X, w, y, C), means, **mean_of_rows(X))
    np.testing.assert_allclose(potential(X, w, d.min(1), C + 1),
                               [(w * np.minimum(d.min(1), e)).sum() for e in squared_euclidean(X, C + 1).T],
                               **sum_of_squares(X))
    model = fitted(X, 5, init=C, max_iter=3, tol=0)
    np.testing.assert_array_equal(model.labels_, squared_euclidean(X, model.cluster_centers_).argmin(axis=1))


# --- what comes in

def test_every_layout_gives_the_same():
    X, new = table(30, 3, 0), table(8, 3, 1)
    model = KMeans(4, random_state=0).fit(X)
    for name, same in layouts(X).items():
        other = KMeans(4, random_state=0).fit(same)
        np.testing.assert_array_equal(other.cluster_centers_, model.cluster_centers_, err_msg=name)
        np.testing.assert_array_equal(other.labels_, model.labels_, err_msg=name)
        np.testing.assert_array_equal(kmeans_plusplus(same, 4, random_state=0)[1],
                                      kmeans_plusplus(X, 4, random_state=0)[1], err_msg=name)
    for name, same in layouts(new).items():
        np.testing.assert_array_equal(model.predict(same), model.predict(new), err_msg=name)
        np.testing.assert_array_equal(model.transform(same), model.transform(new), err_msg=name)


def test_centres_to_start_from_come_in_any_layout_and_stay_as_they_are():
    X, C = table(30, 3, 0), table(4, 3, 1)
    model = KMeans(4, init=C).fit(X)
    np.testing.assert_array_equal(C, table(4, 3, 1))
    for name, same in layouts(C).items():
        other = KMeans(4, init=same).fit(X)
        np.testing.assert_array_equal(other.cluster_centers_, model.cluster_centers_, err_msg=name)
        assert other.init is same


def test_whole_numbers_are_numbers():
    X = table(20, 2, 0, "integer grid")
    one, other = KMeans(3, random_state=0).fit(X), KMeans(3, random_state=0).fit(X.astype(np.int64))
    np.testing.assert_array_equal(one.cluster_centers_, other.cluster_centers_)
    assert other.cluster_centers_.dtype == np.float64


def test_single_precision_stays_single():
    X, eps = blobs(4, 10), np.finfo(np.float32).eps
    double, single = KMeans(4, n_init=5, random_state=0).fit(X), KMeans(4, init=X[::10]).fit(X.astype(np.float32))
    assert single.cluster_centers_.dtype == np.float32 and single.transform(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(single.labels_, np.repeat(np.arange(4), 10))
    np.testing.assert_allclose(single.cluster_centers_, X.reshape(4, 10, 2).mean(axis=1), **mean_of_rows(X, eps))
    np.testing.assert_allclose(single.inertia_, double.inertia_, rtol=100 * eps)      # inputs are rounded, 20 from 0
    centres, indices = kmeans_plusplus(X.astype(np.float32), 4, random_state=0)
    assert centres.dtype == np.float32
    np.testing.assert_array_equal(centres, X[indices].astype(np.float32))


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e200, 1e-200, 1e300, 1e-300])
def test_the_ends_of_the_range_give_the_scaled_answer_or_an_error_that_helps(scale):
    X, C = blobs(3, 5), blobs(3, 5)[::5]
    plain = KMeans(3, init=C).fit(X)
    try:
        model = KMeans(3, init=scale * C).fit(scale * X)
        seeded = KMeans(3, n_init=5, random_state=0).fit(scale * X)
    except ValueError as error:
        assert "X" in str(error) and "scale" in str(error)
        return
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_allclose(model.cluster_centers_ / scale, plain.cluster_centers_, **mean_of_rows(X))
    np.testing.assert_allclose(model.inertia_ / scale / scale, plain.inertia_, rtol=1e-12)
    assert len(set(seeded.labels_)) == 3 and np.isfinite(seeded.inertia_)


@pytest.mark.parametrize("value", [1e-13, 1e-30, 1e-44, 0.0])
def test_a_tiny_row_has_the_label_that_it_has_among_others(value):
    X, row = np.random.default_rng(0).random((50, 3)), np.array([[value, 0, 0]])
    for dtype in (np.float32, np.float64):
        model = KMeans(2, random_state=0).fit(X.astype(dtype))
        for tiny in (row, row * 1e-140, -row):
            tiny, among = tiny.astype(dtype), np.vstack([tiny, X]).astype(dtype)
            assert model.predict(tiny)[0] == model.predict(among)[0] == model.predict(np.zeros((1, 3), dtype))[0]
            np.testing.assert_array_equal(model.transform(tiny), model.transform(among)[:1])
            np.testing.assert_allclose(model.score(tiny),
                                       -(model.cluster_centers_.astype(float) ** 2).sum(axis=1).min(),
                                       rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e-13, 1e19, 1e30, 1e36])
@pytest.mark.parametrize("options", [dict(init="k-means++"), dict(init="random", n_init=5), dict(init=None)])
def test_float32_is_squared_in_double_precision(scale, options):
    X = blobs(3, 5)
    X32 = (scale * X).astype(np.float32)
    if options["init"] is None:
        options = dict(init=X32[::5])
    model = KMeans(3, random_state=0, **options).fit(X32)
    double = KMeans(3, init=model.cluster_centers_.astype(float)).fit(X32.astype(float))
    np.testing.assert_array_equal(model.labels_, double.labels_)
    np.testing.assert_allclose(model.inertia_, double.inertia_, rtol=1e-5)
    assert model.n_iter_ >= 1 and model.transform(X32).dtype == np.float32
    np.testing.assert_allclose(model.transform(X32), euclidean(X32.astype(float), model.cluster_centers_.astype(float)),
                               rtol=1e-6, atol=1e-44)


def test_a_start_is_judged_beside_the_data():
    X = np.array([[0.0], [1], [5], [6]])
    model = KMeans(2, init=[[1e-200], [5.0]]).fit(X)
    assert model.labels_.tolist() == [0, 0, 1, 1]
    model = KMeans(2, init=[[0.0], [1e-310]], max_iter=50).fit(X)
    assert model.labels_.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    with pytest.raises(ValueError, match="init.*scale"):
        KMeans(2, init=[[1e200], [5.0]]).fit(X)


def test_numbers_that_float32_cannot_hold_are_refused_by_a_model_of_float32():
    model = KMeans(2, random_state=0).fit(np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError, match="X: .*largest"):
        model.predict(np.array([[1e300, 0, 0]]))


@pytest.mark.parametrize("heaviest", [1e120, 1e200, 1e300])
def test_a_weight_that_takes_the_inertia_out_of_range_is_refused_or_does_no_harm(heaviest):
    X, w = 1e100 * table(9, 2, 0), np.ones(9)
    w[3] = heaviest
    try:
        model = KMeans(3, random_state=0).fit(X, sample_weight=w)
    except ValueError as error:
        assert "scale" in str(error) and ("X" in str(error) or "sample_weight" in str(error))
        return
    assert np.isfinite(model.cluster_centers_).all() and np.isfinite(model.inertia_)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    with pytest.raises(ValueError, match=message):
        KMeans(2).fit(bad)
    with pytest.raises(ValueError, match=message):
        kmeans_plusplus(bad, 2)
    model = KMeans(2, random_state=0).fit(table(5, 2, 0))
    for use in (model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match=message):
            use(bad)


def test_more_clusters_than_samples():
    for f in (lambda X: KMeans(4).fit(X), lambda X: kmeans_plusplus(X, 4)):
        with pytest.raises(ValueError, match=r"n_samples=3.*n_clusters=4|n_clusters=4.*3"):
            f(table(3, 2, 0))


@pytest.mark.parametrize("options, message", [
    (dict(n_clusters=0), "n_clusters=0"),
    (dict(n_clusters=-1), "n_clusters=-1"),
    (dict(n_clusters=1.5), "n_clusters=1.5"),
    (dict(n_clusters="two"), "n_clusters='two'"),
    (dict(init="kmeans"), "init='kmeans'.*'k-means\\+\\+'.*'random'"),
    (dict(init=[[0.0, 0]]), r"init.*\(1, 2\)"),
    (dict(init=[[0.0], [1]]), r"init.*\(2, 1\)"),
    (dict(init=[[0.0, 0], [1, np.nan]]), "init.*NaN"),
    (dict(n_init=0), "n_init=0"),
    (dict(max_iter=0), "max_iter=0"),
    (dict(max_iter=2.5), "max_iter=2.5"),
    (dict(tol=-1.0), "tol=-1.0"),
    (dict(tol=np.nan), "tol=nan"),
    (dict(random_state="seed"), "'seed'"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        KMeans(**{"n_clusters": 2, **options}).fit(table(5, 2, 0))


@pytest.mark.parametrize("w, message", [
    ([1.0, 1], "sample_weight"),
    ([[1.0]] * 5, "sample_weight"),
    ([1.0, 1, 1, 1, -1], "sample_weight.*(negative|-1)"),
    ([1.0, 1, 1, 1, np.nan], "sample_weight.*NaN"),
    ([1.0, 1, 1, 1, np.inf], "sample_weight.*inf"),
    ([0.0] * 5, "sample_weight.*(zero|0)"),
    (["a"] * 5, "sample_weight"),
])
def test_bad_weights(w, message):
    for f in (KMeans(2).fit, lambda X, sample_weight: kmeans_plusplus(X, 2, sample_weight=sample_weight)):
        with pytest.raises(ValueError, match=message):
            f(table(5, 2, 0), sample_weight=w)


def test_bad_number_of_candidates():
    with pytest.raises(ValueError, match="n_local_trials=0"):
        kmeans_plusplus(table(5, 2, 0), 2, n_local_trials=0)


def test_rows_of_another_length():
    model = KMeans(2, random_state=0).fit(table(5, 2, 0))
    for use in (model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match="3 features.*2 features"):
            use(table(5, 3, 0))


def test_has_to_be_fitted_first():
    for use in ("predict", "transform", "score"):
        with pytest.raises(ValueError, match="not fitted"):
            getattr(KMeans(2), use)(table(5, 2, 0))
