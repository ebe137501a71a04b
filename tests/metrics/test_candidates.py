"""The right one among candidates, against all draws and all orders of ties, and by laws; ties, masks, bad input."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import mean_reciprocal_rank, ranks, recall_at_k_of_n, rivals
from scratchml.metrics.candidates import share_in_first
from tests.reference import candidates as reference
from tests.strategies.candidates import judged, pools, seeds

EXACT = dict(rel=1e-12, abs=0)                           # the probabilities are good to 4e-13


# --- against the definitions

@given(judged())
def test_better_equal_and_all_are_counted(drawn):
    S, y, wrong, k, _ = drawn
    expected = reference.rivals(S, y, wrong)
    g, e, m = rivals(S, y, wrong)
    assert (g.tolist(), e.tolist(), m.tolist()) == expected
    shares = list(map(float, reference.share_in_first(*expected[:2], k)))
    assert share_in_first(g, e, k) == pytest.approx(shares, abs=1e-15)


@given(judged())
def test_ranks_are_means_over_the_orders_of_ties(drawn):
    S, y, wrong, _, _ = drawn
    assert ranks(S, y, wrong).tolist() == list(map(float, reference.ranks(S, y, wrong)))
    expected = float(reference.mean_reciprocal_rank(S, y, wrong))
    assert mean_reciprocal_rank(S, y, wrong) == pytest.approx(expected, **EXACT)


@given(judged())
def test_recall_is_the_mean_over_all_draws(drawn):
    S, y, wrong, k, n = drawn
    expected = float(reference.recall_at_k_of_n(S, y, wrong, k, n))
    assert recall_at_k_of_n(S, y, wrong, k=k, n=n) == pytest.approx(expected, **EXACT)


# --- laws

@given(seeds, st.integers(1, 6), st.integers(1, 40), st.data())
def test_who_scores_all_alike_is_right_as_often_as_chance(seed, N, M, data):
    n = data.draw(st.integers(1, M))
    k = data.draw(st.integers(1, n))
    S, y = np.full((N, M), np.random.default_rng(seed).normal()), np.random.default_rng(seed).integers(M, size=N)
    assert recall_at_k_of_n(S, y, k=k, n=n) == pytest.approx(k / n, **EXACT)
    assert recall_at_k_of_n(S, y, k=n, n=None) == pytest.approx(n / M, **EXACT)
    assert ranks(S, y).tolist() == [(M + 1) / 2] * N
    assert mean_reciprocal_rank(S, y) == pytest.approx((1 / np.arange(1, M + 1)).mean(), **EXACT)


@given(judged())
def test_recall_grows_with_k_to_one_and_falls_with_n(drawn):
    S, y, wrong, _, n = drawn
    by_k = [recall_at_k_of_n(S, y, wrong, k=k, n=n) for k in range(1, n + 1)]
    assert (np.diff(by_k) >= -1e-12).all() and by_k[-1] == pytest.approx(1, **EXACT)
    by_n = [recall_at_k_of_n(S, y, wrong, n=n) for n in range(1, n + 1)]
    assert (np.diff(by_n) <= 1e-12).all() and by_n[0] == pytest.approx(1, **EXACT)


@given(seeds, st.integers(1, 5), st.integers(1, 6))
def test_all_candidates_are_the_greatest_draw(seed, N, M):
    S, y, _ = pools(N, M, seed)
    for k in range(1, M + 1):
        assert recall_at_k_of_n(S, y, k=k) == pytest.approx(recall_at_k_of_n(S, y, k=k, n=M), **EXACT)


@given(judged(), seeds)
def test_neither_the_order_of_candidates_counts_nor_what_is_not_wrong(drawn, seed):
    S, y, wrong, k, n = drawn
    rng = np.random.default_rng(seed)
    order = rng.permutation(S.shape[1])
    expected = recall_at_k_of_n(S, y, wrong, k=k, n=n)
    assert recall_at_k_of_n(S[:, order], np.argsort(order)[y], wrong[:, order], k=k, n=n) == expected
    free = ~wrong
    free[np.arange(len(S)), y] = False
    assert recall_at_k_of_n(np.where(free, rng.normal(size=S.shape), S), y, wrong, k=k, n=n) == expected


def test_what_is_drawn_agrees_on_average():
    """8,000 draws: the standard error of their mean is at most .5 / √8,000, .0056."""
    rng = np.random.default_rng(0)
    S = rng.integers(6, size=(4, 12)).astype(float)
    y, k, n = rng.integers(12, size=4), 2, 5
    found = 0.0
    for _ in range(2000):
        for i, right in enumerate(y):
            shown = rng.permutation(np.append(rng.choice(np.delete(np.arange(12), right), n - 1, replace=False), right))
            found += right in shown[np.argsort(-S[i, shown], kind="stable")[:k]]
    assert recall_at_k_of_n(S, y, k=k, n=n) == pytest.approx(found / 8000, abs=0.017)


# --- by hand

def test_by_hand():
    S = [[3, 1, 2, 3, 3], [0, 0, 1, 2, 3]]
    g, e, m = rivals(S, [0, 1])
    assert (g.tolist(), e.tolist(), m.tolist()) == ([0, 3], [2, 1], [4, 4])
    assert ranks(S, [0, 1]).tolist() == [2.0, 4.5]
    assert recall_at_k_of_n(S, [0, 1]) == pytest.approx((1 / 3 + 0) / 2)
    assert recall_at_k_of_n(S, [0, 1], k=4) == pytest.approx((1 + 1 / 2) / 2)
    assert recall_at_k_of_n(S, [0, 1], n=2) == pytest.approx(((1 + 3 / 4 + 2 / 4) / 3 + (1 / 4 + 0) / 2) / 2)
    assert mean_reciprocal_rank(S, [0, 1]) == pytest.approx(((1 + 1 / 2 + 1 / 3) / 3 + (1 / 4 + 1 / 5) / 2) / 2)


def test_each_question_draws_from_its_own_pool():
    S, wrong = np.array([[1.0, 2, 2, 0, 0], [1, 2, 2, 0, 0]]), np.ones((2, 5), bool)
    wrong[:, 0] = wrong[1, 2] = False
    assert recall_at_k_of_n(S, [0, 0], wrong, n=2) == pytest.approx((2 / 4 + 2 / 3) / 2)


def test_many_candidates_are_exact_too():
    """Of 2,999 wrong ones 30 are better: none of 99 drawn ones with the probability of a product of quotients."""
    S = np.zeros((1, 3000))
    S[0, 1:31], S[0, 31:] = 1, -1
    expected = np.prod([(2969 - i) / (2999 - i) for i in range(99)])
    assert recall_at_k_of_n(S, [0], n=100) == pytest.approx(expected, rel=1e-11)


def test_kinds_of_input():
    S = np.random.default_rng(0).normal(size=(4, 6))
    y = np.array([1, 0, 5, 3])
    expected = recall_at_k_of_n(S, y, n=3)
    assert recall_at_k_of_n(np.asfortranarray(S), iter(y.tolist()), n=np.int64(3)) == expected
    assert recall_at_k_of_n(S.tolist(), y.astype(np.uint8), n=3) == expected
    assert recall_at_k_of_n(S.astype(np.float32), y.astype(object), n=3) == expected
    assert recall_at_k_of_n(S * 1e150, y, n=3) == expected
    assert recall_at_k_of_n([[1e9, 1e9 + 1e-6]], [0]) == 0
    assert ranks([[np.inf, np.inf, -np.inf]], [1]).tolist() == [1.5]
    assert ranks([[5.0]]).tolist() == [1.0] and recall_at_k_of_n([[5.0]], n=1) == mean_reciprocal_rank([[5.0]]) == 1


@pytest.mark.parametrize("call, message", [
    (lambda: ranks([1.0, 2.0]), r"S: expected scores \(N, M\).*shape \(2,\)"),
    (lambda: ranks(np.ones((0, 0))), "shape .0, 0."),
    (lambda: ranks([[1.0, np.nan], [0, 0]]), "NaN, first for question 0"),
    (lambda: ranks([["a"]]), "S: expected numbers"),
    (lambda: ranks(np.ones((2, 3))), "right: expected the number of the right candidate"),
    (lambda: ranks(np.ones((2, 3)), [0, 3]), "whole numbers from 0 to 2"),
    (lambda: ranks(np.ones((2, 3)), [0, -1]), "0 to 2"),
    (lambda: ranks(np.ones((2, 3)), [0]), "expected 2 whole"), (lambda: ranks(np.ones((2, 3)), [0.0, 1.0]), "float64"),
    (lambda: ranks(np.ones((2, 3)), [True, False]), "right: expected whole numbers"),
    (lambda: ranks(np.ones((2, 2)), wrong=[[0, 1], [1, 0]]), "wrong: expected True or False.*int64"),
    (lambda: ranks(np.ones((2, 2)), wrong=np.ones((2, 3), bool)), r"shape \(2, 2\), got bool \(2, 3\)"),
    (lambda: ranks(np.ones((2, 2)), wrong=np.ones((2, 2), bool)), "candidate 0 is the right one of question 0"),
    (lambda: ranks(np.ma.masked_less([[1.0, 2.0]], 2), [0]), "masked"),
    (lambda: recall_at_k_of_n(np.eye(3), k=0), "k=0"),
    (lambda: recall_at_k_of_n(np.eye(3), k=4), "k=4: question 0 has only 3"),
    (lambda: recall_at_k_of_n(np.eye(3), k=3, n=2), "k=3: expected at most n=2"),
    (lambda: recall_at_k_of_n(np.eye(3), k=True), "k=T"),
    (lambda: recall_at_k_of_n(np.eye(3), n=4), "n=4: question 0 has only 3 candidates"),
    (lambda: recall_at_k_of_n(np.eye(3), n=2.0), "n=2.0"), (lambda: recall_at_k_of_n(np.eye(3), n=0), "n=0"),
    (lambda: recall_at_k_of_n(np.eye(2), wrong=[[False, True], [False, False]], n=2), "question 1 has only 1"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
