"""Scores of clusterings against their definitions over pairs and permutations, and against what must hold for any."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import (
    adjusted_mutual_info_score, adjusted_rand_score, completeness_score, contingency, entropy, expected_mutual_info,
    fowlkes_mallows_score, homogeneity_score, mutual_info_score, normalized_mutual_info_score, v_measure_score)
from tests.reference import clustering as reference
from tests.strategies.clustering import labelings, labels, seeds

EPS = np.finfo(float).eps
BETWEEN = [adjusted_rand_score, mutual_info_score, expected_mutual_info, normalized_mutual_info_score,
           adjusted_mutual_info_score, v_measure_score, fowlkes_mallows_score]
AT_MOST_ONE = [adjusted_rand_score, normalized_mutual_info_score, adjusted_mutual_info_score, homogeneity_score,
               completeness_score, v_measure_score]
each_between = pytest.mark.parametrize("f", BETWEEN)

# Information of N points is a sum of at most N terms, each below 4 log N in magnitude where N is at least 2, rounded
# a few times; scores divide two of them.
INFORMATION = dict(rtol=0, atol=1e-13)

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


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32, np.uint64, np.int64])
def test_labels_that_span_all_of_a_narrow_type(kind):
    """100 - -100 is -56 in int8."""
    limits = np.iinfo(kind)
    a = np.array([max(limits.min, -100), min(limits.max, 255), 0, 0, min(limits.max, 255), max(limits.min, -100)], kind)
    assert contingency(a, list("xyzzyx")).tolist() == contingency(a.tolist(), list("xyzzyx")).tolist()
    assert entropy(a) == entropy(a.astype(np.int64)) > 0
    top = np.array([limits.max, limits.max - 1, limits.max], kind)
    assert contingency(top, [0, 1, 0]).tolist() == [[0, 1], [2, 0]]


def test_labels_come_in_any_container():
    expected = contingency([0, 1, 1], ["b", "a", "a"])
    for a in (iter([0, 1, 1]), (0, 1, 1), np.array([0, 1, 1], object), (k for k in (0, 1, 1)), [5, 9, 9]):
        assert contingency(a, map(str, "baa")).tolist() == expected.tolist()


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
    ([0, 1], np.array([0.5, np.nan], object), "labels_pred.*NaN"),
    (np.array(["a", None], object), [0, 1], "labels_true.*NaN"),
    ([0, 1], np.array(["2024-01-01", "NaT"], "M8[D]"), "labels_pred.*NaN"),
])
def test_bad_labels(f, a, b, message):
    with pytest.raises(ValueError, match=message):
        f(a, b)


def test_bad_beta():
    with pytest.raises(ValueError, match="beta=-1"):
        v_measure_score([0, 1], [0, 1], beta=-1)


def test_labels_in_views_of_dictionaries():
    a, b = [0, 0, 1, 1, 2], [1, 1, 0, 2, 2]
    points = dict(enumerate(a))
    assert adjusted_rand_score(points.values(), b) == adjusted_rand_score(a, b)
    assert adjusted_rand_score({f"{k}": k for k in range(5)}.keys(), b) == adjusted_rand_score(range(5), b)
    with pytest.raises(ValueError, match="labels_pred: contains masked values"):
        adjusted_rand_score(a, np.ma.masked_array(b, mask=[0, 0, 1, 0, 0]))
