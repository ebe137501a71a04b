"""The field against all K^T paths, and against what must hold whatever the scores."""
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.sequences import crf
from scratchml.sequences.crf import (backward, edge_marginals, entropy, forward, k_best, log_likelihood,
                                     log_likelihood_gradient, log_partition, node_marginals, path_score,
                                     posterior_decode, sample, viterbi)
from tests.reference import crf as reference
from tests.strategies.crf import KINDS, field, fields, layouts, seeds

EPS = np.finfo(float).eps
UNEQUAL = ("normal", "forbidden", "wide")                # no two paths have the same score


def size(E, A):
    """What the absolute scores of a path can add up to."""
    largest = [np.abs(S[np.isfinite(S)]).max(initial=0) for S in (E, A)]
    return 1 + len(E) * sum(largest)


def rounding(E, A):
    """Each of T steps adds two scores and K exponentials: T + K + 4 roundings of a number up to `size`, in both routes.

    An absolute error in the exponent is a relative one of the probability, which is at most 1.
    """
    return dict(rtol=0, atol=4 * (len(E) + E.shape[1] + 4) * EPS * size(E, A))


def steps_of(A, T):
    return np.broadcast_to(A, (T - 1, *A.shape[-2:]))


# --- equal to the definition

@given(fields(), seeds)
def test_the_score_of_a_path_adds_up(drawn, seed):
    E, A = drawn
    y = np.random.default_rng(seed).integers(E.shape[1], size=len(E))
    np.testing.assert_allclose(path_score(E, A, y), reference.path_score(E, A, y), **rounding(E, A))


@given(fields())
def test_the_messages_are_sums_over_beginnings_and_ends(drawn):
    E, A = drawn
    np.testing.assert_allclose(forward(E, A), reference.forward(E, A), **rounding(E, A))
    np.testing.assert_allclose(backward(E, A), reference.backward(E, A), **rounding(E, A))


@given(fields())
def test_the_partition_function_is_the_sum_over_all_paths(drawn):
    E, A = drawn
    np.testing.assert_allclose(log_partition(E, A), reference.log_partition(E, A), **rounding(E, A))


@given(fields())
def test_the_marginals_are_shares_of_the_paths(drawn):
    E, A = drawn
    np.testing.assert_allclose(node_marginals(E, A), reference.node_marginals(E, A), **rounding(E, A))
    np.testing.assert_allclose(edge_marginals(E, A), reference.edge_marginals(E, A), **rounding(E, A))


@given(fields(), seeds)
def test_the_likelihood_of_a_path_and_its_gradient(drawn, seed):
    E, A = drawn
    y = np.random.default_rng(seed).integers(E.shape[1], size=len(E))
    np.testing.assert_allclose(log_likelihood(E, A, y), reference.log_likelihood(E, A, y), **rounding(E, A))
    for got, expected in zip(log_likelihood_gradient(E, A, y), reference.log_likelihood_gradient(E, A, y)):
        np.testing.assert_allclose(got, expected, rtol=0, atol=len(E) * rounding(E, A)["atol"])


@given(fields(kinds=UNEQUAL))
def test_the_best_path(drawn):
    E, A = drawn
    y, score = viterbi(E, A)
    path, best = reference.viterbi(E, A)
    assert tuple(y) == path
    np.testing.assert_allclose(score, best, **rounding(E, A))


@given(fields(kinds=("integers", "equal")))
def test_with_whole_scores_the_best_path_is_exact_and_the_lowest_of_equals(drawn):
    E, A = drawn
    y, score = viterbi(E, A)
    assert (tuple(y), score) == reference.viterbi(E, A)


@given(fields(kinds=UNEQUAL), st.integers(1, 30))
def test_the_best_paths(drawn, R):
    E, A = drawn
    paths, scores = k_best(E, A, R)
    expected, best = reference.k_best(E, A, R)
    assert [tuple(y) for y in paths] == expected
    np.testing.assert_allclose(scores, best, **rounding(E, A))


@given(fields(kinds=("integers", "equal", "forbidden")), st.integers(1, 30))
def test_with_whole_scores_the_best_paths_are_exact_and_equals_in_order(drawn, R):
    E, A = np.rint(drawn[0]), np.rint(drawn[1])
    paths, scores = k_best(E, A, R)
    expected, best = reference.k_best(E, A, R)
    assert [tuple(y) for y in paths] == expected and scores.tolist() == best


@given(fields(kinds=UNEQUAL))
def test_each_place_for_itself(drawn):
    E, A = drawn
    gamma = np.sort(reference.node_marginals(E, A), axis=1)
    assume(E.shape[1] == 1 or (gamma[:, -1] - gamma[:, -2]).min() > 1e-9)
    assert posterior_decode(E, A).tolist() == reference.posterior_decode(E, A)


@given(fields())
def test_entropy(drawn):
    E, A = drawn
    np.testing.assert_allclose(entropy(E, A), reference.entropy(E, A), rtol=0, atol=size(E, A) * rounding(E, A)["atol"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [False, True])
def test_samples_come_as_often_as_they_should(kind, steps):
    """Each of the counts is binomial: 5 standard deviations are passed once in two million."""
    E, A = field(3, 3, kind, seed=2, steps=steps)
    drawn = sample(E, A, 20_000, random_state=0)
    found = Counter(map(tuple, drawn.tolist()))
    probability = reference.sample(E, A)
    assert set(found) <= {y for y, p in probability.items() if p > 0}
    for y, p in probability.items():
        assert abs(found[y] - 20_000 * p) <= 5 * np.sqrt(20_000 * p * (1 - p)) + 1e-6


def test_the_same_seed_draws_the_same():
    E, A = field(4, 3)
    np.testing.assert_array_equal(sample(E, A, 5, random_state=3), sample(E, A, 5, random_state=3))
    assert sample(E, A, 50, random_state=3).tolist() != sample(E, A, 50, random_state=4).tolist()


# --- laws

@given(fields(max_T=20, max_K=6))
def test_marginals_add_up(drawn):
    E, A = drawn
    gamma, xi = node_marginals(E, A), edge_marginals(E, A)
    close = rounding(E, A)
    np.testing.assert_allclose(gamma.sum(axis=1), 1, rtol=0, atol=E.shape[1] * close["atol"])
    np.testing.assert_allclose(xi.sum(axis=2), gamma[:-1], rtol=0, atol=E.shape[1] * close["atol"])
    np.testing.assert_allclose(xi.sum(axis=1), gamma[1:], rtol=0, atol=E.shape[1] * close["atol"])


@given(fields(max_T=12, max_K=5), st.integers(0, 11), st.floats(-50, 50))
def test_a_constant_at_one_place_moves_log_Z_and_nothing_else(drawn, place, c):
    E, A = drawn
    moved = E.copy()
    moved[place % len(E)] += c
    close = rounding(np.abs(E) + abs(c), A)
    np.testing.assert_allclose(log_partition(moved, A), log_partition(E, A) + c, **close)
    np.testing.assert_allclose(node_marginals(moved, A), node_marginals(E, A), **close)


@given(fields(max_T=12, max_K=5))
def test_read_backwards_it_is_the_field_with_transposed_transitions(drawn):
    E, A = drawn
    turned = (E[::-1], A.T) if A.ndim == 2 else (E[::-1], A[::-1].transpose(0, 2, 1))
    np.testing.assert_allclose(node_marginals(*turned), node_marginals(E, A)[::-1], **rounding(E, A))
    np.testing.assert_allclose(turned[0] + backward(*turned), forward(E, A)[::-1], **rounding(E, A))


@given(fields(max_T=8, max_K=5, kinds=UNEQUAL), seeds)
def test_renaming_the_labels_renames_the_answers(drawn, seed):
    E, A = drawn
    order = np.random.default_rng(seed).permutation(E.shape[1])
    renamed = E[:, order], A[..., order[:, None], order]
    np.testing.assert_allclose(node_marginals(*renamed), node_marginals(E, A)[:, order], **rounding(E, A))
    np.testing.assert_array_equal(order[viterbi(*renamed)[0]], viterbi(E, A)[0])
    np.testing.assert_array_equal(order[k_best(*renamed, 4)[0]], k_best(E, A, 4)[0])


@given(fields(max_T=8, max_K=4, kinds=("normal", "integers", "equal")), seeds)
def test_marginals_are_the_slope_of_log_Z(drawn, seed):
    """Central differences with h = 6e-6: h² / 6 of the third derivative and eps / h of log Z leave 1e-9 each."""
    E, A = drawn
    rng, h = np.random.default_rng(seed), 6e-6
    for dE, dA in [(rng.normal(size=E.shape), np.zeros(A.shape)), (np.zeros(E.shape), rng.normal(size=A.shape))]:
        slope = (log_partition(E + h * dE, A + h * dA) - log_partition(E - h * dE, A - h * dA)) / (2 * h)
        xi = edge_marginals(E, A)
        expected = (node_marginals(E, A) * dE).sum() + (xi * dA).sum()
        np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-7)


@given(fields(max_T=8, max_K=4, kinds=("normal", "wide", "forbidden")))
def test_entropy_is_log_Z_less_the_expected_score(drawn):
    """Two routes: the equation, and the chain H = Σ_t H(y_t+1 | y_t) + H(y_0) that the pairs give."""
    E, A = drawn
    gamma, xi = node_marginals(E, A), edge_marginals(E, A)

    def minus_p_log_p(p):
        return -(p * np.log(np.where(p > 0, p, 1))).sum()
    chain = minus_p_log_p(gamma[0]) + sum(minus_p_log_p(xi[t]) - minus_p_log_p(gamma[t]) for t in range(len(E) - 1))
    np.testing.assert_allclose(entropy(E, A), chain, rtol=0, atol=size(E, A) * rounding(E, A)["atol"])


@given(fields(max_T=9, max_K=4), st.integers(2, 12))
def test_best_paths_come_in_order_and_each_once(drawn, R):
    E, A = drawn
    paths, scores = k_best(E, A, R)
    assert len({tuple(y) for y in paths}) == len(paths) <= R
    assert (np.diff(scores) <= 0).all() and np.isfinite(scores).all()
    np.testing.assert_array_equal(paths[0], viterbi(E, A)[0])
    assert scores[0] == viterbi(E, A)[1]
    for y, score in zip(paths, scores):
        np.testing.assert_allclose(path_score(E, A, y), score, **rounding(E, A))


@pytest.mark.parametrize("T, K", [(1, 1), (1, 4), (4, 1), (3, 3), (4, 2)])
def test_without_scores_everything_is_counting(T, K):
    E, A = np.zeros((T, K)), np.zeros((K, K))
    assert log_partition(E, A) == pytest.approx(T * np.log(K), rel=8 * T * EPS, abs=0)
    assert entropy(E, A) == pytest.approx(T * np.log(K), rel=8 * T * EPS, abs=0)
    np.testing.assert_allclose(node_marginals(E, A), 1 / K, rtol=16 * T * EPS)
    paths, scores = k_best(E, A, K ** T)
    assert len({tuple(y) for y in paths}) == K ** T and not scores.any()
    assert [tuple(y) for y in paths] == reference.every_path(E)
    assert len(k_best(E, A, K ** T + 5)[0]) == K ** T


@given(fields(max_T=1, max_K=5))
def test_one_place_is_a_softmax(drawn):
    E, A = drawn
    p = np.exp(E[0] - E.max())
    np.testing.assert_allclose(node_marginals(E, A), [p / p.sum()], rtol=0, atol=40 * EPS * size(E, A))
    assert edge_marginals(E, A).shape == (0, *A.shape[-2:])
    assert viterbi(E, A)[1] == E.max()


@given(fields(max_T=9, max_K=4))
def test_shared_transitions_are_the_same_transitions_at_each_step(drawn):
    E, A = drawn
    each = steps_of(A, len(E))
    assert log_partition(E, A) == log_partition(E, each)
    np.testing.assert_array_equal(edge_marginals(E, A), edge_marginals(E, each))
    np.testing.assert_array_equal(viterbi(E, A)[0], viterbi(E, each)[0])
    np.testing.assert_array_equal(sample(E, A, 3, 0), sample(E, each, 3, 0))
    y = posterior_decode(E, A)
    shared, separate = log_likelihood_gradient(E, A, y)[1], log_likelihood_gradient(E, each, y)[1]
    np.testing.assert_array_equal(shared if A.ndim == 2 else shared.sum(axis=0), separate.sum(axis=0))


@pytest.mark.parametrize("T", [1000])
def test_long_and_extreme_sequences_stay_right(T):
    rng = np.random.default_rng(0)
    E, A = rng.choice([-1e4, 1e4], size=(T, 3)), rng.choice([-1e4, 1e4], size=(3, 3))
    gamma = node_marginals(E, A)
    np.testing.assert_allclose(gamma.sum(axis=1), 1, rtol=0, atol=8 * T * EPS * T * 2e4)
    assert np.isfinite(log_partition(E, A)) and log_partition(E, A) >= viterbi(E, A)[1] - 8 * T * EPS * T * 2e4


# --- impossible

def impossible(T=3):
    return np.zeros((T, 2)), np.full((2, 2), -np.inf)


@pytest.mark.parametrize("S", [1.0, 1e3])
def test_rounding_of_log_Z_stays_below_what_is_said(S):
    """Without transitions log Z is a sum over places, which is summed exactly."""
    T, K = 20_000, 3
    E = np.random.default_rng(0).uniform(0.5, 1, size=(T, K)) * S
    exact = math.fsum(E.max(axis=1)) + math.fsum(np.log(np.exp(E - E.max(axis=1, keepdims=True)).sum(axis=1)))
    assert abs(log_partition(E, np.zeros((K, K))) - exact) <= T**2 * (2 * S + np.log(K)) * np.finfo(float).eps


def test_where_no_path_is_possible():
    E, A = impossible()
    assert log_partition(E, A) == -np.inf
    paths, scores = k_best(E, A, 4)
    assert paths.shape == (0, 3) and scores.shape == (0,)
    for refuse in (node_marginals, edge_marginals, viterbi, posterior_decode, sample, entropy):
        with pytest.raises(ValueError, match="every path is forbidden"):
            refuse(E, A)
    with pytest.raises(ValueError, match="every path is forbidden"):
        log_likelihood(E, A, [0, 0, 0])


@given(fields(kinds=("forbidden",)), seeds)
def test_what_is_forbidden_is_never_chosen(drawn, seed):
    E, A = drawn
    possible = {y for y in reference.every_path(E) if reference.path_score(E, A, y) > -np.inf}
    chosen = [viterbi(E, A)[0], *k_best(E, A, 5)[0], *sample(E, A, 20, seed)]
    assert {tuple(y) for y in chosen} <= possible
    for y in set(reference.every_path(E)) - possible:
        assert log_likelihood(E, A, np.array(y)) == -np.inf


# --- input

@pytest.mark.parametrize("f", [log_partition, node_marginals, edge_marginals, entropy])
def test_the_layout_in_memory_does_not_matter(f):
    E, A = field(4, 3)
    for e in layouts(E):
        for a in layouts(A):
            np.testing.assert_array_equal(f(e, a), f(E, A))


@pytest.mark.parametrize("E, A, message", [
    (np.zeros((0, 2)), np.zeros((2, 2)), r"E: .*\(T, K\) with at least one place"),
    (np.zeros((2, 0)), np.zeros((0, 0)), "at least one place and one label"),
    (np.zeros(3), np.zeros((3, 3)), r"got \(3,\)"),
    (np.zeros((3, 2)), np.zeros((3, 3)), r"A: expected shape \(K, K\) = \(2, 2\) or .* = \(2, 2, 2\)"),
    (np.zeros((3, 2)), np.zeros((3, 2, 2)), "A: expected shape"),
    ([[0.0, np.nan]], np.zeros((2, 2)), r"E: a score is nan at \[0, 1\]"),
    ([[0.0, 1.0]], [[0, np.inf], [0, 0]], r"A: a score is inf at \[0, 1\]"),
    ([["a", "b"]], np.zeros((2, 2)), "E: expected numbers"),
])
def test_bad_scores(E, A, message):
    for refuse in (log_partition, viterbi, node_marginals):
        with pytest.raises(ValueError, match=message):
            refuse(E, A)


@pytest.mark.parametrize("y, message", [
    ([0, 1], "y: expected 3 whole numbers"), ([0, 1, 2], r"labels 0 \.\.\. 1, got 0 \.\.\. 2"),
    ([0, -1, 0], r"got -1"), ([0.0, 1.0, 0.0], "float64"),
])
def test_bad_paths(y, message):
    for refuse in (path_score, log_likelihood, log_likelihood_gradient):
        with pytest.raises(ValueError, match=message):
            refuse(np.zeros((3, 2)), np.zeros((2, 2)), y)


@pytest.mark.parametrize("R", [0, -1, 1.5, "2"])
def test_bad_counts(R):
    for refuse in (k_best, sample):
        with pytest.raises(ValueError, match="R="):
            refuse(*field(3, 2), R)


def test_arguments_are_left_alone():
    E, A = field(4, 3)
    before = E.copy(), A.copy()
    for name in ("forward", "backward", "node_marginals", "edge_marginals", "viterbi", "entropy"):
        getattr(crf, name)(E, A)
    k_best(E, A, 3), sample(E, A, 3, 0), log_likelihood_gradient(E, A, [0, 1, 2, 0])
    np.testing.assert_array_equal(E, before[0])
    np.testing.assert_array_equal(A, before[1])
