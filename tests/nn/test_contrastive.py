"""Losses of pairs against double loops and differences, in batches full of duplicates; laws; bad input."""
from functools import partial

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import (both_directions, cosines_of_all, draw_wrong, hardest_hinge, in_batch_hinge, in_batch_softmax,
                          semi_hard_hinge, single_hinge, wrong_pairs)
from scratchml.nn.contrastive import hinge
from tests.nn.test_layers import leaf
from tests.reference import contrastive as reference
from tests.strategies.autograd import seeds
from tests.strategies.contrastive import batches

CLOSE = dict(rel=1e-12, abs=1e-13)
OF_BATCHES = [in_batch_hinge, hardest_hinge, semi_hard_hinge, in_batch_softmax]
each_loss = pytest.mark.parametrize("loss", OF_BATCHES, ids=lambda loss: loss.__name__)
margins = st.sampled_from([0.0, 0.1, 0.25, 0.5, 2.0])


def drawn_wrong(Ω, seed=0):
    return draw_wrong(Ω, seed)


# --- against the definitions

@given(st.integers(1, 5), st.integers(1, 4), st.sampled_from([1e-150, 1e-3, 1.0, 1e150]), seeds)
def test_cosines_of_all(N, D, scale, seed):
    rng = np.random.default_rng(seed)
    u, v = rng.integers(-2, 3, (N, D)) * 1.0, rng.normal(size=(N + 1, D)) * (rng.random((N + 1, 1)) > 0.2)
    expected = reference.cosines_of_all(u, v)
    np.testing.assert_allclose(cosines_of_all(u * scale, v).data, expected, rtol=0, atol=1e-15 * (D + 4))


@given(batches())
def test_what_is_wrong(drawn):
    c, a, _ = drawn
    assert wrong_pairs(c, a).tolist() == reference.wrong_pairs(c.tolist(), a.tolist())


@given(batches(), margins, seeds)
def test_hinges(drawn, margin, seed):
    c, a, S = drawn
    Ω = wrong_pairs(c, a)
    np.testing.assert_array_equal(hinge(S[0], S[1], margin).data, reference.hinge(S[0], S[1], margin))
    w = drawn_wrong(Ω, seed)
    assert single_hinge(S, w, margin).item() == pytest.approx(reference.single_hinge(S, w, margin), **CLOSE)
    assert in_batch_hinge(S, Ω, margin).item() == pytest.approx(reference.in_batch_hinge(S, Ω, margin), **CLOSE)
    assert hardest_hinge(S, Ω, margin).item() == pytest.approx(reference.hardest_hinge(S, Ω, margin), **CLOSE)
    assert semi_hard_hinge(S, Ω, margin).item() == pytest.approx(reference.semi_hard_hinge(S, Ω, margin), **CLOSE)


@given(batches(), st.sampled_from([1e-3, 1.0, 20.0, 1e6]))
def test_softmax(drawn, scale):
    c, a, S = drawn
    Ω = wrong_pairs(c, a)
    assert in_batch_softmax(S, Ω, scale).item() == pytest.approx(reference.in_batch_softmax(S, Ω, scale), **CLOSE)


@given(batches())
def test_both_directions(drawn):
    c, a, S = drawn
    Ω = wrong_pairs(c, a)
    for loss in OF_BATCHES:
        parameter = "scale" if loss is in_batch_softmax else "margin"
        theirs = partial(getattr(reference, loss.__name__), **{parameter: 0.3})
        ours = partial(loss, **theirs.keywords)
        expected = reference.both_directions(theirs, S.tolist(), Ω.tolist())
        assert both_directions(ours, S, Ω).item() == pytest.approx(expected, **CLOSE)


# --- gradients

@each_loss
def test_gradients(loss):
    Ω = wrong_pairs([0, 1, 2, 3, 0], [0, 1, 1, 2, 3])
    for seed in range(3):
        S = leaf(5, 5, seed=seed)
        assert gradcheck(lambda S: loss(S, Ω), S)
        assert gradcheck(lambda S: both_directions(loss, S, Ω), S)
        assert gradcheck(lambda u, v: loss(cosines_of_all(u, v), Ω), (leaf(5, 3, seed=seed), leaf(5, 3, seed=9)))
    w = drawn_wrong(Ω)
    assert gradcheck(lambda S: single_hinge(S, w), leaf(5, 5))


@each_loss
def test_only_the_right_answers_are_pulled_and_only_wrong_ones_pushed(loss):
    Ω = wrong_pairs([0, 1, 2, 3], [7, 8, 7, 9])
    S = Tensor(np.random.default_rng(0).normal(size=(4, 4)), requires_grad=True)
    loss(S, Ω).backward()
    slopes = S.grad.data
    assert (slopes.diagonal() <= 0).all() and slopes.diagonal().any() and slopes[0, 2] == slopes[2, 0] == 0
    assert (slopes[Ω] >= 0).all() and abs(slopes.sum()) < 1e-12


@pytest.mark.parametrize("dtype, scale", [("float32", 1e-30), ("float32", 1e30), ("float64", 1e-300),
                                          ("float64", 1e300)])
def test_cosines_of_every_length_have_a_slope(dtype, scale):
    """That of u is the one of u / scale, divided by scale; a vector of zeros has a finite one."""
    u, v = np.array([[3.0, 4.0], [0.0, 0.0]], dtype), np.array([[1.0, 0.0]], dtype)
    long = Tensor(u * np.asarray(scale, dtype), requires_grad=True)
    S = cosines_of_all(long, v)
    S.sum().backward()
    assert S.dtype == dtype
    np.testing.assert_allclose(S.data, [[0.6], [0.0]], rtol=1e-6)
    np.testing.assert_allclose(np.float64(long.grad.data[0]) * scale, [0.128, -0.096], rtol=1e-5)
    assert np.isfinite(long.grad.data).all()
    least = cosines_of_all(np.array([[3, 4]]) * np.full((1, 2), np.finfo(dtype).smallest_subnormal, dtype) * 100, v)
    np.testing.assert_allclose(least.data, [[0.6]], rtol=1e-6)


# --- laws

@given(batches(), seeds)
def test_what_is_not_wrong_changes_no_bit(drawn, seed):
    c, a, S = drawn
    Ω = wrong_pairs(c, a)
    free, S = ~Ω & ~np.eye(len(S), dtype=bool), np.ascontiguousarray(S)
    other = np.where(free, np.random.default_rng(seed).normal(size=S.shape) * 9, S)
    for loss in OF_BATCHES:
        assert loss(other, Ω).item() == loss(S, Ω).item()
        assert both_directions(loss, other, Ω).item() == both_directions(loss, S, Ω).item()


@given(batches(least=3), margins)
def test_the_hardest_hinge_is_at_least_the_mean_one(drawn, margin):
    """With as many wrong answers for each; with any number if each question counts as often as it has wrong ones."""
    c, a, S = drawn
    N, all_differ = len(S), wrong_pairs(range(len(S)), range(len(S)))
    assert hardest_hinge(S, all_differ, margin).item() >= in_batch_hinge(S, all_differ, margin).item() - 1e-14
    Ω = wrong_pairs(c, a)
    n = Ω.sum(axis=1)
    hardest = [N * reference.hardest_hinge(S, Ω & (np.arange(N) == i)[:, None], margin) for i in range(N)]
    assert np.dot(n, hardest) / n.sum() >= in_batch_hinge(S, Ω, margin).item() - 1e-14


@given(batches(tied=False), margins)
def test_of_two_pairs_with_one_wrong_answer_each_all_hinges_are_one(drawn, margin):
    S, Ω = drawn[2][:2, :2], wrong_pairs([0, 1], [0, 1])
    values = [loss(S, Ω, margin).item() for loss in OF_BATCHES[:3]] + [single_hinge(S, [1, 0], margin).item()]
    assert values == pytest.approx([values[0]] * 4, **CLOSE)


@given(batches())
def test_a_great_scale_makes_the_softmax_the_hardest_hinge_without_margin(drawn):
    """L / τ lies between that and ln N / τ above it."""
    c, a, S = drawn
    Ω = wrong_pairs(c, a)
    hardest = hardest_hinge(S, Ω, 0.0).item()
    for scale in (1e2, 1e4, 1e8):
        assert -1e-12 <= in_batch_softmax(S, Ω, scale).item() / scale - hardest <= np.log(len(S)) / scale + 1e-12


@given(batches(), seeds)
def test_cosines_and_so_losses_ignore_lengths(drawn, seed):
    c, a, _ = drawn
    rng, Ω = np.random.default_rng(seed), wrong_pairs(c, a)
    u, v, lengths = *rng.normal(size=(2, len(c), 3)), 10.0 ** rng.integers(-9, 10, (2, len(c), 1))
    for loss in OF_BATCHES:
        expected = loss(cosines_of_all(u, v), Ω).item()
        found = loss(cosines_of_all(u * lengths[0], v * lengths[1]), Ω).item()
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-12)


@given(batches(), st.floats(-1e3, 1e3), seeds)
def test_neither_the_order_of_pairs_counts_nor_a_constant_added(drawn, constant, seed):
    c, a, S = drawn
    Ω, order = wrong_pairs(c, a), np.random.default_rng(seed).permutation(len(c))
    assert (wrong_pairs(c[order], a[order]) == Ω[np.ix_(order, order)]).all()
    for loss in (in_batch_hinge, hardest_hinge, in_batch_softmax):
        expected = loss(S, Ω).item()
        found = loss(S[np.ix_(order, order)], Ω[np.ix_(order, order)]).item()
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-12)
        assert loss(S + constant, Ω).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_each_wrong_answer_is_drawn_as_often():
    Ω = wrong_pairs([0, 1, 2, 3], [5, 6, 5, 7])
    rng = np.random.default_rng(0)
    drawn = np.array([draw_wrong(Ω, rng) for _ in range(3000)])
    counts = np.array([np.bincount(column, minlength=4) for column in drawn.T])
    assert not counts[~Ω].any()
    assert (abs(counts - 3000 * Ω / Ω.sum(axis=1, keepdims=True)) < 130).all()           # five standard errors
    assert draw_wrong(np.array([[False, True], [False, False]]), rng).tolist() == [1, -1]


# --- by hand

def test_by_hand():
    S, Ω = np.array([[0.5, 0.4, 0.9], [0.1, 0.8, 0.9], [0.7, 0.0, 0.2]]), ~np.eye(3, dtype=bool)
    assert single_hinge(S, [1, 2, -1], 0.2).item() == pytest.approx((0.1 + 0.3) / 3)
    assert in_batch_hinge(S, Ω, 0.2).item() == pytest.approx((0.1 + 0.6 + 0 + 0.3 + 0.7 + 0) / 6)
    assert hardest_hinge(S, Ω, 0.2).item() == pytest.approx((0.6 + 0.3 + 0.7) / 3)
    assert semi_hard_hinge(S, Ω, 0.2).item() == pytest.approx((0.1 + 0 + 0) / 3)
    assert semi_hard_hinge(S + np.diag([0, 0, -9.0]), Ω, 0.2).item() == pytest.approx((0.1 + 0 + 9.7) / 3)
    none = np.zeros((3, 3), bool)
    none[0, 1] = True
    assert hardest_hinge(S, none, 0.2).item() == semi_hard_hinge(S, none, 0.2).item() == pytest.approx(0.1 / 3)
    assert in_batch_softmax(S, none, 2.0).item() == pytest.approx(np.log(1 + np.exp(-0.2)) / 3)


def test_a_question_with_several_answers_and_an_answer_of_several_questions():
    assert wrong_pairs([0, 0, 1], [1, 2, 3]).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    assert wrong_pairs([0, 1, 2, 1], [1, 1, 1, 2]).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_float32_stays_and_what_only_may_be_infinite_is_no_matter():
    S = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    for loss in OF_BATCHES:
        assert loss(S, ~np.eye(4, dtype=bool)).dtype == np.float32
    assert in_batch_softmax(S, ~np.eye(4, dtype=bool), 1e30).item() > 1e29


# --- bad arguments

MASK = ~np.eye(2, dtype=bool)


@each_loss
@pytest.mark.parametrize("S, wrong, message", [
    (np.ones((2, 3)), MASK, r"S: expected similarities \(N, N\)"), (np.ones(2), MASK, r"shape \(2,\)"),
    (np.ones((0, 0)), MASK, r"shape \(0, 0\)"), ([[1.0, np.nan], [0, 1]], MASK, "S: Input contains NaN"),
    ([[1.0, np.inf], [0, 1]], MASK, "infinity"), (np.eye(2), 1 - np.eye(2, dtype=int), "expected True or False.*int64"),
    (np.eye(3), MASK, r"shape \(3, 3\), got bool \(2, 2\)"), (np.eye(2), ~MASK, "pair 0 is marked as wrong"),
    (np.eye(2), MASK & False, "no answer is wrong for any question"), ([[1.0]], [[False]], "no answer is wrong"),
])
def test_bad_batches(loss, S, wrong, message):
    with pytest.raises(ValueError, match=message):
        loss(S, wrong)
    if "S:" not in message and "shape (0" not in message:
        with pytest.raises(ValueError):
            both_directions(loss, S, wrong)


@pytest.mark.parametrize("call, message", [
    (lambda: in_batch_hinge(np.eye(2), MASK, -0.1), "margin=-0.1"),
    (lambda: hardest_hinge(np.eye(2), MASK, np.nan), "margin=nan"),
    (lambda: semi_hard_hinge(np.eye(2), MASK, "1"), "margin='1'"),
    (lambda: in_batch_softmax(np.eye(2), MASK, 0), "scale=0"),
    (lambda: in_batch_softmax(np.eye(2), MASK, np.inf), "scale=inf"),
    (lambda: single_hinge(np.eye(2), [1, 0], -1), "margin=-1"),
    (lambda: single_hinge(np.eye(2), [1, 1]), "chosen: expected 2 numbers"),
    (lambda: single_hinge(np.eye(2), [2, 0]), "chosen"),
    (lambda: single_hinge(np.eye(2), [-2, 0]), "from -1 to 1"), (lambda: single_hinge(np.eye(2), [1]), "chosen"),
    (lambda: single_hinge(np.eye(2), [-1, -1]), "no answer is wrong"),
    (lambda: single_hinge(np.eye(2), [1.0, 0.0]), "chosen"),
    (lambda: draw_wrong(MASK, -1), "random_state=-1"), (lambda: both_directions("x", np.eye(2), MASK), "loss='x'"),
    (lambda: hardest_hinge(np.where(MASK, 1.7e308, -1.7e308), MASK), "largest magnitude is 1.7e.308"),
    (lambda: in_batch_softmax(np.float32([[1e38, 0], [0, 1]]), MASK), "held in float32"),
    (lambda: in_batch_softmax(np.eye(2), MASK, 1e308), "scale=1e.308"),
    (lambda: in_batch_softmax(np.eye(2) * 1e9, MASK, 1e305), "scale=1e.305"),
    (lambda: in_batch_softmax(np.zeros((2, 2), np.float32), MASK, 1e300), "scale=1e.300"),
    (lambda: semi_hard_hinge(np.eye(2, dtype=np.float32), MASK, 1e300), "margin=1e.300"),
    (lambda: draw_wrong(np.ones((2, 3), bool), None), "wrong: expected True or False"),
    (lambda: wrong_pairs([0], [0, 1]), "as many of one as of the other"), (lambda: wrong_pairs([], []), "at least one"),
    (lambda: wrong_pairs(["a"], [0]), "questions: expected whole numbers"),
    (lambda: wrong_pairs([0], [0.5]), "answers"),
    (lambda: cosines_of_all(np.ones((2, 3)), np.ones((2, 2))), r"u, v: expected vectors \(N, D\) and \(M, D\)"),
    (lambda: cosines_of_all(np.ones(3), np.ones((2, 3))), "u, v"),
    (lambda: cosines_of_all([[np.nan]], [[1.0]]), "u: Input"),
    (lambda: cosines_of_all([[1.0]], [[np.inf]]), "v: Input contains infinity"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
