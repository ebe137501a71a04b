"""Scores of clusterings against their definitions over pairs and permutations, and against what must hold for any."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.metrics import (
    adjusted_mutual_info_score, adjusted_rand_score, calinski_harabasz_score, completeness_score, contingency,
    davies_bouldin_score, entropy, expected_mutual_info, fowlkes_mallows_score, homogeneity_score, mutual_info_score,
    normalized_mutual_info_score, silhouette_samples, silhouette_score, v_measure_score)
from scratchml.metrics.clustering import distances_to_clusters
from tests.reference import clustering as reference
from tests.strategies.clustering import clustered_points, labelings, labels, seeds
from tests.strategies.distances import BAD_TABLES, layouts, table

EPS = np.finfo(float).eps
BETWEEN = [adjusted_rand_score, mutual_info_score, expected_mutual_info, normalized_mutual_info_score,
           adjusted_mutual_info_score, v_measure_score, fowlkes_mallows_score]
AT_MOST_ONE = [adjusted_rand_score, normalized_mutual_info_score, adjusted_mutual_info_score, homogeneity_score,
               completeness_score, v_measure_score]
OF_POINTS = [silhouette_samples, silhouette_score, calinski_harabasz_score, davies_bouldin_score]
each_between = pytest.mark.parametrize("f", BETWEEN)
each_of_points = pytest.mark.parametrize("f", OF_POINTS)

# Information of N points is a sum of at most N terms, each below 4 log N in magnitude where N is at least 2, rounded
# a few times; scores divide two of them.
INFORMATION = dict(rtol=0, atol=1e-13)


def of_distances(X):
    """Differences of X round by eps max|x|, and a distance is a norm of D of them; N of them add up."""
    return (len(X) + X.shape[1] + 4) * EPS


# --- labels against labels

@given(labelings(30))
def test_contingency_counts_points_with_both_labels(drawn):
    np.testing.assert_array_equal(contingency(*drawn), reference.contingency(*drawn))


@given(labelings(30))
def test_entropy_is_that_of_the_shares(drawn):
    np.testing.assert_allclose(entropy(drawn[0]), reference.entropy(drawn[0]), **INFORMATION)
    assert entropy(drawn[0]) >= 0


@given(labelings(20))
def test_scores_of_pairs_count_all_pairs(drawn):
    ari = reference.adjusted_rand_score(*drawn)
    np.testing.assert_allclose(adjusted_rand_score(*drawn), ari, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(fowlkes_mallows_score(*drawn), reference.fowlkes_mallows_score(*drawn), rtol=8 * EPS)


@given(labelings(30), st.sampled_from([0, 0.3, 1, 2.5]))
def test_information_is_what_the_definition_says(drawn, beta):
    np.testing.assert_allclose(mutual_info_score(*drawn), reference.mutual_info_score(*drawn), **INFORMATION)
    v = reference.v_measure_score(*drawn, beta)
    np.testing.assert_allclose(v_measure_score(*drawn, beta=beta), v, rtol=0, atol=1e-6)
    np.testing.assert_allclose(homogeneity_score(*drawn) * entropy(drawn[0]), mutual_info_score(*drawn), **INFORMATION)
    np.testing.assert_allclose(completeness_score(*drawn) * entropy(drawn[1]), mutual_info_score(*drawn), **INFORMATION)
    np.testing.assert_allclose(normalized_mutual_info_score(*drawn), reference.normalized_mutual_info_score(*drawn),
                               **INFORMATION)


@given(labelings(6))
def test_chance_is_the_mean_over_every_permutation(drawn):
    np.testing.assert_allclose(expected_mutual_info(*drawn), reference.expected_mutual_info(*drawn), **INFORMATION)
    np.testing.assert_allclose(adjusted_mutual_info_score(*drawn), reference.adjusted_mutual_info_score(*drawn),
                               rtol=0, atol=1e-11)       # the denominator is at least 0.02


@pytest.mark.parametrize("f", AT_MOST_ONE)
@given(labelings(30))
def test_the_same_clustering_under_other_names_scores_one(f, drawn):
    a, _ = drawn
    assert f(a, [f"{label}!" for label in a]) == pytest.approx(1, abs=1e-12)


@each_between
@given(labelings(30), seeds)
def test_names_and_order_do_not_matter(f, drawn, seed):
    a, b = drawn
    order = np.random.default_rng(seed).permutation(len(a))
    renamed = 100 - np.unique(b, return_inverse=True)[1]
    np.testing.assert_allclose(f(a[order], renamed[order]), f(a, b), **INFORMATION)


@pytest.mark.parametrize("f", BETWEEN)
@given(labelings(30))
def test_truth_and_clustering_can_change_places(f, drawn):
    np.testing.assert_allclose(f(*drawn), f(*drawn[::-1]), **INFORMATION)


@given(labelings(30))
def test_no_score_leaves_its_range(drawn):
    for f in AT_MOST_ONE:
        assert f(*drawn) <= 1 + 1e-12
    for f in (mutual_info_score, homogeneity_score, v_measure_score, fowlkes_mallows_score):
        assert f(*drawn) >= 0
    assert adjusted_rand_score(*drawn) >= -0.5 - 1e-12
    assert mutual_info_score(*drawn) <= min(entropy(drawn[0]), entropy(drawn[1])) + 1e-13


@given(labelings(30))
def test_v_measure_is_normalised_mutual_information(drawn):
    np.testing.assert_allclose(v_measure_score(*drawn), normalized_mutual_info_score(*drawn), rtol=0, atol=1e-6)


def test_beta_moves_the_v_measure_from_homogeneity_to_completeness():
    a, b = [0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 3, 3]
    h, c = homogeneity_score(a, b), completeness_score(a, b)
    assert v_measure_score(a, b, beta=0) == pytest.approx(h) and v_measure_score(a, b, beta=1e9) == pytest.approx(c)
    assert c < v_measure_score(a, b, beta=2) < v_measure_score(a, b) < v_measure_score(a, b, beta=0.5) < h


@pytest.mark.parametrize("f, scale", [(adjusted_rand_score, 0.02), (adjusted_mutual_info_score, 0.02)])
def test_labels_at_random_score_nothing_after_adjustment(f, scale):
    scores = [f(labels(200, 8, seed), labels(200, 5, seed + 50)) for seed in range(40)]
    assert abs(np.mean(scores)) < scale / 6 and np.abs(scores).max() < 5 * scale
    assert np.mean([normalized_mutual_info_score(labels(200, 8, seed), labels(200, 5, seed + 50))
                    for seed in range(40)]) > 0.02


@pytest.mark.parametrize("sizes_a, sizes_b", [((900, 80, 20), (500, 500)), ((1,) * 100 + (900,), (999, 1)),
                                              ((1,) * 1000, (400, 600)), ((2,) * 500, (2,) * 500)])
def test_chance_among_many_points_follows_the_hypergeometric_distribution(sizes_a, sizes_b):
    a, b = (np.repeat(np.arange(len(sizes)), sizes) for sizes in (sizes_a, sizes_b))
    log_factorial = np.concatenate([[0], np.cumsum(np.log(np.arange(1, 1001)))])
    expected, cells = 0.0, {}
    for n_i in sizes_a:
        for n_j in sizes_b:
            if (n_i, n_j) not in cells:
                n = np.arange(max(1, n_i + n_j - 1000), min(n_i, n_j) + 1)
                log_p = sum(log_factorial[m] for m in (n_i, n_j, 1000 - n_i, 1000 - n_j)) - log_factorial[1000] - sum(
                    log_factorial[m] for m in (n, n_i - n, n_j - n, 1000 - n_i - n_j + n))
                cells[n_i, n_j] = (np.exp(log_p) * n / 1000 * np.log(1000 * n / n_i / n_j)).sum()
            expected += cells[n_i, n_j]
    np.testing.assert_allclose(expected_mutual_info(a, b), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("a, b, values", [                # ari, ami, nmi, homogeneity, completeness, v, fm
    ([0, 0, 0], [5, 5, 5], (1, 1, 1, 1, 1, 1, 1)),
    ([0, 1, 2], [2, 0, 1], (1, 1, 1, 1, 1, 1, 0)),
    ([7], [3], (1, 1, 1, 1, 1, 1, 0)),
    ([0, 0, 0], [0, 1, 2], (0, 0, 0, 1, 0, 0, 0)),
    ([0, 0, 1, 1], [0, 0, 0, 0], (0, 0, 0, 0, 1, 0, 1 / 3**0.5)),
    ([0, 0, 1, 1], [0, 1, 0, 1], (-0.5, -0.5, 0, 0, 0, 0, 0)),
])
def test_labelings_that_say_nothing_or_all(a, b, values):
    scores = (adjusted_rand_score, adjusted_mutual_info_score, normalized_mutual_info_score, homogeneity_score,
              completeness_score, v_measure_score, fowlkes_mallows_score)
    np.testing.assert_allclose([f(a, b) for f in scores], values, rtol=1e-14, atol=1e-14)


def test_many_labels_take_little_memory():
    a = np.arange(200_000)
    assert adjusted_rand_score(a, a[::-1]) == 1 and normalized_mutual_info_score(a, a // 2) > 0.9
    assert mutual_info_score(a, a) == pytest.approx(np.log(200_000), rel=1e-12)


# --- points

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
    assume(within > 1e-6 * scale ** 2 or scale == 0)     # else both are rounding of the means
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

@each_between
@pytest.mark.parametrize("a, b, message", [
    ([0, 1], [0, 1, 2], "labels_true and labels_pred.*2 and 3"),
    ([], [], r"labels_true.*\(0,\)"),
    ([[0, 1]], [0, 1], r"labels_true.*\(1, 2\)"),
    ([0, 1], 3, r"labels_pred.*\(\)"),
    ([0, 1], [0, np.nan], "labels_pred.*NaN"),
    ([0, 1], [0, np.inf], "labels_pred.*infinity"),
    ([0, 1], np.array([0, "a"], dtype=object), "labels_pred.*sortable"),
    ([0, 1], [[0], [1, 2]], "labels_pred.*lengths"),
])
def test_bad_labels(f, a, b, message):
    with pytest.raises(ValueError, match=message):
        f(a, b)


def test_bad_beta():
    with pytest.raises(ValueError, match="beta=-1"):
        v_measure_score([0, 1], [0, 1], beta=-1)


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
