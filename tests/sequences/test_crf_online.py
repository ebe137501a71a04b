"""Whole passes against the equations, step by step on dense weights."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.optim import lbfgs
from scratchml.sequences.crf import viterbi
from scratchml.sequences.crf_online import (AdaptiveRegularization, GradientDescent, PassiveAggressive, Perceptron,
                                            adapted_variances, adapted_weights, correct, descend, mean_weights, missing,
                                            passive_aggressive, step_size)
from scratchml.sequences.crf_training import CorpusLoss, agreeing, emissions, transitions
from tests.reference import crf_online as reference
from tests.sequences.test_crf_training import expected_loss, some_corpus, weights_by_feature
from tests.strategies.crf import seeds

EPS = np.finfo(float).eps


# --- equal to the definition

@given(seeds, st.floats(1e-3, 2), st.floats(1e-3, 0.4), st.integers(0, 50))
def test_the_steps(seed, eta, lam, k):
    theta, g, other = np.random.default_rng(seed).normal(size=(3, 5))
    close = dict(rtol=0, atol=40 * EPS)
    np.testing.assert_allclose(descend(theta, g, eta, lam), reference.descend(theta, g, eta, lam), **close)
    np.testing.assert_allclose(step_size(eta, lam, k), reference.step_size(eta, lam, k), rtol=100 * EPS)
    np.testing.assert_allclose(correct(theta, g, other), reference.correct(theta, g, other), rtol=0, atol=20 * EPS)
    np.testing.assert_allclose(mean_weights(theta, g, k + 1), reference.mean_weights(theta, g, k + 1), **close)


@given(seeds, st.floats(0.1, 9), st.floats(0.01, 3), st.floats(0.1, 5))
def test_the_steps_that_keep_a_margin(seed, l, c, gamma):
    theta, delta, v = np.random.default_rng(seed).normal(size=(3, 5))
    v = np.exp(v)
    close = dict(rtol=1e-12, atol=1e-12)
    assert missing(c, l, 2.0) == pytest.approx(reference.missing(c, l, 2.0), abs=1e-14)
    after = passive_aggressive(theta, delta, l, c)
    np.testing.assert_allclose(after, reference.passive_aggressive(theta, delta, l, c), **close)
    assert l / (delta @ delta) > c or delta @ after - delta @ theta == pytest.approx(l)       # then nothing is missing
    np.testing.assert_allclose(adapted_weights(theta, delta, l, v, gamma),
                               reference.adapted_weights(theta, delta, l, v, gamma), **close)
    np.testing.assert_allclose(adapted_variances(v, delta, gamma), reference.adapted_variances(v, delta, gamma),
                               **close)


@pytest.mark.parametrize("with_edges", [False, True])
@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_a_pass_of_descent_is_one_step_after_the_other(with_edges, unknown):
    D, S, c2 = 5, 12, 2.0
    corpus, edges, features, sequences = some_corpus(S, 3, D, 1, unknown, with_edges)
    learn = GradientDescent(corpus, edges, features, c2, eta=0.4)
    rng, theta, k, lam = np.random.default_rng(0), np.zeros(sum(features.sizes)), 0, 2 * c2 / S
    for _ in range(3):
        order, total = rng.permutation(S), 0.0
        for s in order:
            value, slope = expected_loss([sequences[s]], features, theta, 0.0, D)
            total += value
            theta = descend(theta, slope, step_size(0.4, lam, k), lam)
            k += 1
        np.testing.assert_allclose(learn(order), total + c2 * theta @ theta, rtol=1e-10)
        np.testing.assert_allclose(learn.weights(), theta, rtol=0, atol=1e-10)


def features_of(G, y, features, D):
    """Φ(y), laid out as θ."""
    K = len(features.legal.first)
    W, U, V = np.zeros((D, K)), np.zeros(K * K), np.zeros((D, K * K))
    for t in range(len(y)):
        W[:, y[t]] += G[t]
        if t:
            U[y[t - 1] * K + y[t]] += 1
            V[:, y[t - 1] * K + y[t]] += G[t]
    of, of_edges = (np.repeat(np.arange(D), np.diff(p.indptr)) for p in (features.states, features.edges))
    return np.concatenate([W[of, features.states.columns], U[features.pairs], V[of_edges, features.edges.columns]])


@pytest.mark.parametrize("with_edges", [False, True])
@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_a_pass_of_the_perceptron_is_one_correction_after_the_other(with_edges, unknown):
    D, S = 5, 12
    corpus, edges, features, sequences = some_corpus(S, 3, D, 2, unknown, with_edges)
    learn = Perceptron(corpus, edges, features)
    rng, theta, after = np.random.default_rng(0), np.zeros(sum(features.sizes)), []
    for _ in range(3):
        order, wrong = rng.permutation(S), 0.0
        for s in order:
            G, y = sequences[s]
            W, U, V = weights_by_feature(features, theta, D)
            E, A = emissions(G, W), transitions(G, U, V)
            best, right = viterbi(E, A)[0], viterbi(agreeing(E, y), A)[0]
            theta = correct(theta, *(features_of(G, path, features, D) for path in (right, best)))
            wrong += (best != right).mean()
            after.append(theta)
        np.testing.assert_allclose(learn(order), wrong / S, rtol=1e-12)
        np.testing.assert_allclose(learn.learner.theta, theta, rtol=0, atol=1e-11)
        np.testing.assert_allclose(learn.weights(), np.mean(after, axis=0), rtol=0, atol=1e-10)


@pytest.mark.parametrize("with_edges", [False, True])
@pytest.mark.parametrize("unknown", [0.0, 0.3])
@pytest.mark.parametrize("kind", [0, 1, 2, "arow"])
def test_a_pass_that_keeps_a_margin_is_one_step_after_the_other(kind, unknown, with_edges):
    D, S, c, gamma = 5, 12, 0.2, 1.5
    corpus, edges, features, sequences = some_corpus(S, 3, D, 3, unknown, with_edges)
    learn = AdaptiveRegularization(corpus, edges, features, 0.8, gamma) if kind == "arow" else \
        PassiveAggressive(corpus, edges, features, c, kind)
    rng, theta, after = np.random.default_rng(0), np.zeros(sum(features.sizes)), []
    v, steps = np.full(len(theta), 0.8), []
    for _ in range(3):
        order, total = rng.permutation(S), 0.0
        for s in order:
            G, y = sequences[s]
            W, U, V = weights_by_feature(features, theta, D)
            E, A = emissions(G, W), transitions(G, U, V)
            (best, s_best), (right, s_y) = viterbi(E, A), viterbi(agreeing(E, y), A)
            d = (best != right).sum()
            if d:
                delta = features_of(G, right, features, D) - features_of(G, best, features, D)
                l = reference.missing(s_y, s_best, d if kind == "arow" else d**0.5)
                total += l
                if kind == "arow":
                    theta, v = (reference.adapted_weights(theta, delta, l, v, gamma),
                                reference.adapted_variances(v, delta, gamma))
                elif delta.any():                        # else no weight could tell the two paths apart
                    steps.append(l / (delta @ delta))
                    theta = reference.passive_aggressive(theta, delta, l, c, kind)
            after.append(theta)
        np.testing.assert_allclose(learn(order), total / S, rtol=1e-10)
        np.testing.assert_allclose(learn.learner.theta, theta, rtol=0, atol=1e-10)
        expected = theta if kind == "arow" else np.mean(after, axis=0)
        np.testing.assert_allclose(learn.weights(), expected, rtol=0, atol=1e-10)
    assert kind == "arow" or min(steps) < c < max(steps)                         # both sides of the limit are seen
    assert not learn.learner.room.any()


# --- where they lead

def test_descent_settles_at_the_minimum():
    corpus, edges, features, _ = some_corpus(40, 3, 6, 0)
    objective = CorpusLoss(corpus, edges, features, 1.0)
    least = lbfgs(objective, np.zeros(sum(features.sizes)), epsilon=1e-8, delta=0).value
    learn, rng = GradientDescent(corpus, edges, features, 1.0), np.random.default_rng(0)
    learn.calibrate(rng.permutation(40))
    for _ in range(60):
        learn(rng.permutation(40))
    assert objective(learn.weights())[0] <= least * 1.002
    assert objective(np.zeros(sum(features.sizes)))[0] > least * 1.05


def test_a_factor_that_gets_small_is_taken_into_the_weights():
    corpus, edges, features, _ = some_corpus(3, 2, 3, 0)
    learn, other = (GradientDescent(corpus, edges, features, 0.5, eta=0.5) for _ in range(2))
    for one in (learn, other):
        one(np.arange(3))
    learn.learner.theta[:] *= learn.learner.clock[0] / 1e-7
    learn.learner.clock[0] = 1e-7
    for one in (learn, other):
        one(np.arange(3))
    assert learn.learner.clock[0] > 0.1
    np.testing.assert_allclose(learn.weights(), other.weights(), rtol=0, atol=1e-12)


def test_the_first_step_size_is_the_best_of_those_tried():
    corpus, edges, features, _ = some_corpus(40, 3, 6, 0)
    learn, order = GradientDescent(corpus, edges, features, 1.0), np.arange(40)
    learn.calibrate(order)
    chosen = learn.learner.clock[2]
    assert np.log2(chosen / 0.1) == pytest.approx(round(np.log2(chosen / 0.1)), abs=1e-9)
    assert learn.learner.clock[1] == 0 and not learn.weights().any() and learn.learner.clock[3] == 2 / 40

    def loss_after_a_pass(eta):
        learn.begin(eta)
        learn(order)
        return CorpusLoss(corpus, edges, features, 1.0)(learn.weights())[0]
    assert loss_after_a_pass(chosen) <= min(loss_after_a_pass(chosen * 2), loss_after_a_pass(chosen / 2)) * (1 + 1e-9)
