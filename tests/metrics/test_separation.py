"""Scores of clusters by their points against the definitions, and against what must hold for any."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_samples, silhouette_score
from scratchml.metrics.separation import distances_to_clusters
from tests.reference import separation as reference
from tests.strategies.clustering import labels, seeds
from tests.strategies.distances import BAD_TABLES, layouts, table
from tests.strategies.separation import clustered_points

EPS = np.finfo(float).eps
OF_POINTS = [silhouette_samples, silhouette_score, calinski_harabasz_score, davies_bouldin_score]
each_of_points = pytest.mark.parametrize("f", OF_POINTS)


def of_distances(X):
    """Differences of X round by eps max|x|, and a distance is a norm of D of them; N of them add up."""
    return (len(X) + X.shape[1] + 4) * EPS


# --- equal to the definition

@given(clustered_points(14, 5))
def test_distances_to_clusters_are_sums_over_points(drawn):
    X, y = drawn
    np.testing.assert_allclose(distances_to_clusters(X, y), reference.distances_to_clusters(X, y), rtol=of_distances(X))


@given(clustered_points(14, 5))
def test_silhouettes_compare_the_own_cluster_with_the_nearest_other(drawn):
    X, y = drawn
    s = reference.silhouette_samples(X, y)
    np.testing.assert_allclose(silhouette_samples(X, y), s, rtol=0, atol=6 * of_distances(X))
    np.testing.assert_allclose(silhouette_score(X, y), s.mean(), rtol=0, atol=7 * of_distances(X))
    np.testing.assert_allclose(reference.silhouette_score(X, y), s.mean(), rtol=1e-12, atol=1e-15)


@given(clustered_points(14, 4))
def test_calinski_harabasz_is_a_ratio_of_variances(drawn):
    X, y = drawn
    within = sum(((c - c.mean(axis=0)) ** 2).sum() for c in reference.members(X, y))
    scale = np.abs(X).max()
    assume(within > 1e-14 * scale ** 2 or scale == 0)    # else both are rounding of the means
    expected = reference.calinski_harabasz_score(X, y)
    rtol = 100 * of_distances(X) * (1 + (scale ** 2 / within) ** 0.5)
    np.testing.assert_allclose(calinski_harabasz_score(X, y), expected, rtol=rtol, atol=rtol * len(X))


@given(clustered_points(14, 4))
def test_davies_bouldin_is_the_mean_of_the_worst_overlaps(drawn):
    X, y = drawn
    means, scale = np.array([c.mean(axis=0) for c in reference.members(X, y)]), np.abs(X).max()
    apart = min(np.linalg.norm(c - d) for k, c in enumerate(means) for d in means[:k])
    assume(apart > 1e-7 * scale)                         # else the distance of the means is rounding
    rtol = 100 * of_distances(X) * (1 + scale / apart)
    expected = reference.davies_bouldin_score(X, y)
    np.testing.assert_allclose(davies_bouldin_score(X, y), expected, rtol=rtol, atol=rtol * scale / apart)


# --- laws

@each_of_points
@given(clustered_points(14, 4, kinds=("normal",)), st.integers(-30, 30))
def test_scale_and_offset_do_not_matter(f, drawn, exponent):
    X, y = drawn
    np.testing.assert_allclose(f(2.0 ** exponent * X, y), f(X, y), rtol=1e-13, atol=1e-15)
    X = np.round(X * 2**20) / 2**20                      # so that adding the offset does not round
    far = f(X + 2.0**20, y)
    np.testing.assert_allclose(far, f(X, y), rtol=1e-6, atol=1e-9)


@each_of_points
@given(clustered_points(14, 4, kinds=("normal",)), seeds)
def test_rotation_and_names_do_not_matter(f, drawn, seed):
    X, y = drawn
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(X.shape[1],) * 2))
    np.testing.assert_allclose(f(X @ Q, [f"cluster {9 - k}" for k in y]), f(X, y), rtol=1e-9, atol=1e-12)


@given(clustered_points(14, 4, kinds=("normal",)))
def test_silhouettes_lie_between_minus_one_and_one(drawn):
    s = silhouette_samples(*drawn)
    assert (np.abs(s) <= 1).all()


@pytest.mark.parametrize("N, D", [(1100, 3), (700, 2), (600, 1)])        # more than a tile in a cluster, odd rests
def test_many_points_are_treated_as_few_are(N, D):
    X = table(N, D, 0)
    y = np.repeat([0, 1, 2], [N // 2 + 1, N // 3 - 1, N - N // 2 - N // 3])
    expected = np.stack([np.sqrt(((X[:, None] - X[y == k]) ** 2).sum(axis=2)).sum(axis=1) for k in range(3)], axis=1)
    np.testing.assert_allclose(distances_to_clusters(X, y), expected, rtol=N * EPS)


def test_by_hand():
    X, y = [[0.0], [1], [5], [9]], [0, 0, 1, 1]
    np.testing.assert_allclose(silhouette_samples(X, y), [6 / 7, 5 / 6, (4.5 - 4) / 4.5, (8.5 - 4) / 8.5], rtol=1e-15)
    np.testing.assert_allclose(calinski_harabasz_score(X, y), 6.5 ** 2 / 1 / ((0.5 + 8) / 2), rtol=1e-14)
    np.testing.assert_allclose(davies_bouldin_score(X, y), 2.5 / 6.5, rtol=1e-14)


def test_a_lone_point_has_no_silhouette():
    assert silhouette_samples([[0.0], [1], [9]], [0, 0, 1])[2] == 0


@pytest.mark.filterwarnings("error")
def test_points_that_coincide():
    X = np.zeros((4, 2))
    assert silhouette_samples(X, [0, 0, 1, 1]).tolist() == [0, 0, 0, 0]
    assert calinski_harabasz_score(X, [0, 0, 1, 1]) == np.inf and davies_bouldin_score(X, [0, 0, 1, 1]) == 0
    two = [[0.0], [0], [3], [3]]
    assert silhouette_samples(two, [0, 0, 1, 1]).tolist() == [1, 1, 1, 1]
    assert calinski_harabasz_score(two, [0, 0, 1, 1]) == np.inf and davies_bouldin_score(two, [0, 0, 1, 1]) == 0
    assert davies_bouldin_score([[0.0], [2], [1], [1]], [0, 0, 1, 1]) == np.inf


@each_of_points
def test_single_precision_and_every_layout_give_the_same(f):
    X, y = np.round(table(30, 3, 0), 2), labels(30, 3, 1)
    for name, same in layouts(X).items():
        np.testing.assert_array_equal(f(same, y), f(X, y), err_msg=name)
    single = X.astype(np.float32)
    np.testing.assert_allclose(f(single, y), f(single.astype(float), y), rtol=1e-4, atol=40 * np.finfo(np.float32).eps)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X, y = table(700, 3, 0), labels(700, 4, 0)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "1")
    alone = silhouette_samples(X, y)
    monkeypatch.setenv("SCRATCHML_NUM_THREADS", "2")
    np.testing.assert_array_equal(silhouette_samples(X, y), alone)


# --- bad input

@each_of_points
@pytest.mark.parametrize("y, message", [
    ([0, 0, 0, 0], "Number of labels is 1"),
    ([0, 1, 2, 3], "Number of labels is 4"),
    ([0, 0, 1], "4 rows.*3"),
    ([0, 0, 1, np.nan], "labels.*NaN"),
])
def test_bad_numbers_of_clusters(f, y, message):
    with pytest.raises(ValueError, match=message):
        f(table(4, 2, 0), y)


@each_of_points
@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(f, bad, message):
    with pytest.raises(ValueError, match=message):
        f(bad, [0, 0, 1])


@each_of_points
def test_squares_that_overflow(f):
    with pytest.raises(ValueError, match="X.*scale"):
        f(1e200 * table(4, 2, 0), [0, 0, 1, 1])


@pytest.mark.parametrize("f", [calinski_harabasz_score, davies_bouldin_score])
def test_an_offset_costs_no_digits_of_many_points(f):
    N, rng = 300_000, np.random.default_rng(0)
    y = rng.integers(2, size=N)
    near = np.round(2.0**20 * (rng.normal(size=(N, 2)) + 0.1 * y[:, None])) / 2.0**33      # of sd 1e-4, and on a grid
    np.testing.assert_allclose(f(near + 2.0**19, y), f(near, y), rtol=1e-6)


@each_of_points
@pytest.mark.parametrize("unit", [2.0**-120, 2.0**-60, 2.0**70, 2.0**110])
def test_float32_beyond_its_squares(f, unit):
    X, y = table(12, 3, 0).astype(np.float32), np.arange(12) % 3
    np.testing.assert_allclose(f(X * np.float32(unit), y), f(X, y), rtol=1e-5)
