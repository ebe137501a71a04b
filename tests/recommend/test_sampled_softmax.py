"""Softmax over a sample against its definition, by enumeration on four items, and as the pass that makes gradients."""
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.recommend.sampled_softmax import (batch_softmax, bpr_loss, log_q_corrected, loss_into_gradient,
                                                 mixed_frequency, softmax_gradient, unit_gradient,
                                                 without_accidental_hits)
from tests.reference import sampled_softmax as reference
from tests.strategies.sampled_softmax import batches, seeds

CLOSE = dict(rtol=1e-12, atol=1e-14)


@given(batches(), seeds)
def test_each_equation_is_its_definition(drawn, seed):
    s, t, c, q = drawn
    r = np.random.default_rng(seed).random(len(s)) + 0.1
    np.testing.assert_allclose(log_q_corrected(s, q), reference.log_q_corrected(s, q), **CLOSE)
    np.testing.assert_array_equal(without_accidental_hits(s, t, c), reference.without_accidental_hits(s, t, c))
    some = without_accidental_hits(log_q_corrected(s, q), t, c)
    np.testing.assert_allclose(batch_softmax(some, r), reference.batch_softmax(some.tolist(), r), **CLOSE)
    np.testing.assert_allclose(softmax_gradient(some, r), reference.softmax_gradient(some.tolist(), r), **CLOSE)
    np.testing.assert_allclose(mixed_frequency(q, 3, 2), reference.mixed_frequency(q, 3, 2), **CLOSE)
    np.testing.assert_allclose(bpr_loss(s[0]), reference.bpr_loss(s[0]), **CLOSE)
    g, u = np.random.default_rng(seed).normal(size=(2, 4, 3)) * [[[1], [1], [0], [3]]]
    np.testing.assert_allclose(unit_gradient(g, u), reference.unit_gradient(g, u), **CLOSE)


@given(batches(), seeds)
def test_gradients_are_slopes(drawn, seed):
    s, _, _, _ = drawn
    rng = np.random.default_rng(seed)
    r, way, h = rng.random(len(s)) + 0.1, rng.normal(size=s.shape), 1e-6
    slope = (batch_softmax(s + h * way, r) - batch_softmax(s - h * way, r)) / (2 * h)
    np.testing.assert_allclose((softmax_gradient(s, r) * way).sum(), slope, rtol=1e-6, atol=1e-8)
    u, g, way = rng.normal(size=(3, 2, 5))
    unit = lambda u: u / np.linalg.norm(u, axis=1, keepdims=True)           # noqa: E731
    slope = ((g * (unit(u + h * way) - unit(u - h * way))) / (2 * h)).sum()
    np.testing.assert_allclose((unit_gradient(g, u) * way).sum(), slope, rtol=1e-6, atol=1e-8)


@given(batches(), st.booleans(), st.sampled_from([1, 10]))
def test_the_pass_says_the_same(drawn, corrected, sharpness):
    s, t, c, q = drawn
    q = q if corrected else np.ones_like(q)
    S = np.float32(s) / np.float32(sharpness)
    expected = without_accidental_hits(log_q_corrected(sharpness * S.astype(float), q), t, c)
    r = np.ones(len(s))
    wanted = sharpness * softmax_gradient(expected, r)
    loss = loss_into_gradient(S, sharpness, np.log(q), t, c)
    np.testing.assert_allclose(loss, batch_softmax(expected, r), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(S, wanted, rtol=1e-4, atol=2e-6 * sharpness)


@given(batches(), st.floats(0.1, 9))
def test_what_changes_nothing(drawn, factor):
    s, t, c, q = drawn
    r = np.ones(len(s))
    corrected = log_q_corrected(s, q)
    np.testing.assert_allclose(softmax_gradient(log_q_corrected(s, factor * q), r), softmax_gradient(corrected, r),
                               atol=1e-12)
    np.testing.assert_allclose(softmax_gradient(log_q_corrected(s, np.full_like(q, 0.2)), r), softmax_gradient(s, r),
                               atol=1e-12)
    # one more candidate: the first pair's own item
    more = np.concatenate([corrected, corrected[:, :1] + 3], axis=1)
    first = without_accidental_hits(more, t, np.append(c, t[0]))[0]
    assert first[-1] == -np.inf
    alone = without_accidental_hits(corrected, t, c)[0]
    np.testing.assert_allclose(np.exp(first - first[0]).sum(), np.exp(alone - alone[0]).sum(), rtol=1e-12)


def test_all_items_once_are_the_softmax_itself():
    y = np.random.default_rng(0).normal(size=6)
    for item in range(6):
        c = np.array([item, *[m for m in range(6) if m != item]])
        full = np.log(np.exp(y).sum()) - y[item]
        assert batch_softmax(y[c][None], np.ones(1)) == pytest.approx(full, rel=1e-13)
        assert batch_softmax(log_q_corrected(y[c][None], np.full(6, 1 / 6)),
                             np.ones(1)) == pytest.approx(full, rel=1e-13)


def bias(n, corrected):
    """How far the mean gradient over all samples of n wrong answers is from that of the softmax over four items."""
    y, q, item = np.array([0.3, -0.4, 1.0, 0.2]), np.array([0.5, 0.3, 0.15, 0.05]), 3
    expected = np.zeros(4)
    for bars in itertools.combinations(range(n + 3), 3):                 # all ways to draw each item so and so often
        counts = np.diff([-1, *bars, n + 3]) - 1
        ways = math.factorial(n) / math.prod(map(math.factorial, counts.tolist()))
        c = np.array([item, *np.repeat(np.arange(4), counts)])
        s = log_q_corrected(y[c][None], n * q[c]) if corrected else y[c][None].copy()
        s[0, 0] = y[item]                                # it is there for sure, the others n q times on average
        s = without_accidental_hits(s, c[:1], c)
        np.add.at(expected, c, ways * np.prod(q ** counts) * softmax_gradient(s, np.ones(1))[0])
    full = np.exp(y) / np.exp(y).sum() - (np.arange(4) == item)
    return np.abs(expected - full).max()


def test_the_gradient_tends_to_that_of_all_items_with_log_q_and_not_without():
    with_q, without = [bias(n, True) for n in (1, 4, 16)], [bias(n, False) for n in (1, 4, 16)]
    assert with_q[0] > 1.5 * with_q[1] > 3 * with_q[2] and with_q[2] < 0.05, with_q
    assert min(without) > 0.2, without


def test_a_lone_pair_teaches_nothing_and_threads_change_nothing(monkeypatch):
    S = np.ones((1, 1), np.float32)
    assert loss_into_gradient(S, 10, np.zeros(1), np.array([3]), np.array([3])) == 0 and S[0, 0] == 0
    rng, found = np.random.default_rng(0), []
    s, t = rng.normal(size=(40, 900)).astype(np.float32), rng.integers(50, size=900)
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        S = s.copy()
        found.append((loss_into_gradient(S, 5, np.zeros(900), t[:40], t), S))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
