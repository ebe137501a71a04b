"""The loss of a corpus against its definition, sequence by sequence, and against finite differences."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense
from scratchml.sequences.crf import sample
from scratchml.sequences.crf_training import (_keys, CorpusLoss, Legal, emissions, loss, loss_slopes, pattern, penalty,
                                              seen_features, transitions, weight_slopes, widened)
from tests.reference import crf_training as reference
from tests.sequences.test_crf import rounding
from tests.strategies.crf import fields, seeds
from tests.strategies.crf_training import corpus_of, everything_legal

EPS = np.finfo(float).eps


@st.composite
def labelled(draw, kinds=("normal", "integers", "forbidden", "equal")):
    """E, A and the labels of a possible path, some of them unknown."""
    E, A = draw(fields(kinds=kinds))
    rng = np.random.default_rng(draw(seeds))
    y = sample(E, A, 1, rng)[0].astype(int)
    y[rng.random(y.size) < draw(st.sampled_from([0.0, 0.4, 1.0]))] = -1
    return E, A, y


# --- equal to the definition

@given(labelled())
def test_loss_and_slopes_of_one_sequence(drawn):
    """A logarithm of a probability p is off by what p is off, over p, which a loss up to `size` bounds in log space."""
    E, A, y = drawn
    known = np.exp(-reference.loss(E, A, y))
    close = dict(rtol=0, atol=rounding(E, A)["atol"] * (1 + 1 / known) * 10)
    np.testing.assert_allclose(loss(E, A, y), reference.loss(E, A, y), **close)
    for got, expected in zip(loss_slopes(E, A, y), reference.loss_slopes(E, A, y)):
        np.testing.assert_allclose(got, expected, **close)


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), seeds)
def test_scores_and_slopes_of_weights(T, K, D, seed):
    """Sums of at most max(D, T) products."""
    rng = np.random.default_rng(seed)
    G, W, U, V = (rng.normal(size=shape) for shape in [(T, D), (D, K), (K, K), (D, K, K)])
    dE, dA, close = rng.normal(size=(T, K)), rng.normal(size=(T - 1, K, K)), dict(rtol=0, atol=300 * EPS)
    np.testing.assert_allclose(emissions(G, W), reference.emissions(G, W), **close)
    np.testing.assert_allclose(transitions(G, U, V), reference.transitions(G, U, V), **close)
    for got, expected in zip(weight_slopes(G, dE, dA), reference.weight_slopes(G, dE, dA)):
        np.testing.assert_allclose(got, expected, **close)
    theta = rng.normal(size=7)
    np.testing.assert_allclose(penalty(theta, 0.3, 2.0), reference.penalty(theta, 0.3, 2.0), rtol=20 * EPS)


# --- the whole corpus

def weights_by_feature(features, theta, D):
    """θ as W, U, V."""
    K = len(features.legal.first)
    states, pairs, edges = features.split(theta)
    W, U, V = np.zeros(D * K), np.zeros(K * K), np.zeros(D * K * K)
    for part, weights, width, into in ((features.states, states, K, W), (features.edges, edges, K * K, V)):
        of = np.repeat(np.arange(D), np.diff(part.indptr))
        into[of * width + part.columns] = weights
    U[features.pairs] = pairs
    U = np.where(features.legal.pairs, U.reshape(K, K), -np.inf)
    return W.reshape(D, K), U, V.reshape(D, K, K)


def expected_loss(sequences, features, theta, c2, D):
    """Σ ℓ + c2 Σ θ² and its slope, by the equations, with the dense weights."""
    W, U, V = weights_by_feature(features, theta, D)
    total, slopes = reference.penalty(theta, 0, c2), [0, 0, 0]
    first, last = (np.where(may, 0, -np.inf) for may in features.legal[1:])
    for G, y in sequences:
        E = emissions(G, W)
        E[0] += first
        E[-1] += last
        A = transitions(G, U, V) if len(features.edges.columns) else U
        total += loss(E, A, y)
        slopes = [a + b for a, b in zip(slopes, weight_slopes(G, *loss_slopes(E, A, y)))]
    K = len(U)
    of, of_edges = (np.repeat(np.arange(D), np.diff(part.indptr)) for part in (features.states, features.edges))
    slope = [slopes[0][of, features.states.columns], slopes[1].reshape(-1)[features.pairs],
             slopes[2].reshape(D, K * K)[of_edges, features.edges.columns]]
    return total, np.concatenate(slope) + 2 * c2 * theta


def some_corpus(S, K, D, seed, unknown=0.0, with_edges=False, legal=None, **options):
    corpus, sequences = corpus_of(S, K, D, seed, unknown)
    rows = corpus.rows
    edges = rows if with_edges else rows._replace(indptr=rows.indptr * 0, indices=rows.indices[:0], data=rows.data[:0])
    features = seen_features(corpus, edges, legal or everything_legal(K), **options)
    return corpus, edges, features, sequences


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 9), seeds, st.sampled_from([0.0, 0.3, 1.0]), st.booleans(),
       st.booleans())
def test_the_loss_of_a_corpus_is_the_sum_over_sequences(S, K, D, seed, unknown, with_edges, everything):
    corpus, edges, features, sequences = some_corpus(S, K, D, seed, unknown, with_edges, all_states=everything,
                                                     all_pairs=everything)
    theta = np.random.default_rng(seed).normal(size=sum(features.sizes))
    value, slope = CorpusLoss(corpus, edges, features, 0.7)(theta)
    total, expected = expected_loss(sequences, features, theta, 0.7, D)
    tokens = len(corpus.y)
    np.testing.assert_allclose(value, total, rtol=1e-12 * tokens)
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-12 * tokens)


def test_weights_that_are_large_are_no_trouble():
    corpus, edges, features, sequences = some_corpus(8, 3, 5, 3)
    theta = np.random.default_rng(0).normal(size=sum(features.sizes)) * 1e3
    value, slope = CorpusLoss(corpus, edges, features, 0.0)(theta)
    total, expected = expected_loss(sequences, features, theta, 0.0, 5)
    np.testing.assert_allclose(value, total, rtol=1e-11)
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("unknown, with_edges", [(0.0, False), (0.4, False), (0.4, True)])
def test_the_slope_by_finite_differences(unknown, with_edges):
    """Central differences with h = 6e-6 are good to 1e-9 of the third derivatives, of the order of the tokens."""
    corpus, edges, features, _ = some_corpus(10, 3, 6, 1, unknown, with_edges)
    objective, rng, h = CorpusLoss(corpus, edges, features, 0.3), np.random.default_rng(2), 6e-6
    theta = rng.normal(size=sum(features.sizes))
    slope = objective(theta)[1]
    directions = [rng.normal(size=theta.size), *np.eye(theta.size)[::5]]
    for d in directions:
        difference = (objective(theta + h * d)[0] - objective(theta - h * d)[0]) / (2 * h)
        np.testing.assert_allclose(slope @ d, difference, rtol=1e-6, atol=1e-6)


def test_with_nothing_known_there_is_nothing_to_learn():
    corpus, edges, features, _ = some_corpus(6, 3, 5, 0, 1.0, all_states=True, all_pairs=True)
    value, slope = CorpusLoss(corpus, edges, features, 0.0)(np.random.default_rng(0).normal(size=sum(features.sizes)))
    np.testing.assert_allclose(value, 0, atol=1e-11)
    np.testing.assert_allclose(slope, 0, atol=1e-11)


def test_with_an_unknown_label_the_loss_is_not_convex():
    """The chapter's counterexample: above its chord at one place, below at another."""
    def at(u):
        return loss(np.zeros((2, 2)), np.array([[u, 0.0], [0, 0]]), np.array([-1, 0]))
    for u in (-8.0, 0.0, 8.0):
        assert at(u) == pytest.approx(np.log(np.exp(u) + 3) - np.log(np.exp(u) + 1), rel=1e-12, abs=1e-12)
    assert at(0.0) > (at(-8.0) + at(8.0)) / 2 + 0.1 and at(2.0) < (at(0.0) + at(4.0)) / 2 - 0.01


@given(st.integers(0, 2**32 - 1))
def test_with_all_labels_known_the_loss_is_convex(seed):
    rng = np.random.default_rng(seed)
    (E, F), (A, B), y = rng.normal(size=(2, 4, 3)) * 3, rng.normal(size=(2, 3, 3)) * 3, rng.integers(3, size=4)
    assert loss((E + F) / 2, (A + B) / 2, y) <= (loss(E, A, y) + loss(F, B, y)) / 2 + 1e-12


def test_labels_that_are_forbidden_have_no_part():
    K = 3
    pairs = np.ones((K, K), bool)
    pairs[0, 1] = pairs[2, 2] = False
    legal = Legal(pairs, np.array([True, False, True]), np.array([True, True, False]))
    corpus, edges, features, sequences = some_corpus(30, K, 5, 4, 0.6, True, legal, all_pairs=True, all_states=True)
    corpus.y[corpus.y >= 0] = 0                          # legal everywhere; the sequences are views of it
    assert not set(features.pairs) & {1, 8} and len(features.pairs) == 7
    theta = np.random.default_rng(0).normal(size=sum(features.sizes))
    for with_edges in (False, True):
        some = edges if with_edges else edges._replace(indptr=edges.indptr * 0, indices=edges.indices[:0])
        kept = features if with_edges else features._replace(edges=pattern(np.zeros(0, int), 5, K * K))
        own = theta[:sum(kept.sizes)]
        value, slope = CorpusLoss(corpus, some, kept, 0.1)(own)
        total, expected = expected_loss(sequences, kept, own, 0.1, 5)
        np.testing.assert_allclose(value, total, rtol=1e-11)
        np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("with_edges", [False, True])
def test_same_bits_on_any_number_of_threads(monkeypatch, with_edges):
    corpus, edges, features, _ = some_corpus(60, 4, 20, 0, 0.2, with_edges)
    theta, results = np.random.default_rng(0).normal(size=sum(features.sizes)), []
    for threads in "123":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        value, slope = CorpusLoss(corpus, edges, features, 0.5)(theta)
        results.append((value.hex(), slope.tobytes()))
    assert len(set(results)) == 1


def test_it_can_be_asked_again():
    corpus, edges, features, _ = some_corpus(9, 3, 5, 0)
    objective, theta = CorpusLoss(corpus, edges, features, 0.5), np.ones(1)
    theta = np.linspace(-1, 1, sum(features.sizes))
    first, slope = objective(theta)
    kept = slope.copy()
    objective(theta * 2)
    np.testing.assert_array_equal(slope, kept)
    assert objective(theta)[0] == first


# --- which weights there are

@given(st.integers(1, 10), st.integers(1, 4), st.integers(1, 8), seeds, st.sampled_from([0, 0.5, 2, 5]))
def test_the_features_that_were_seen(S, K, D, seed, min_freq):
    corpus, edges, features, sequences = some_corpus(S, K, D, seed, 0.2, True, min_freq=min_freq)
    states, pairs, of_pairs = {}, {}, {}
    for G, y in sequences:
        for t in range(len(y)):
            for d in np.flatnonzero(G[t]):
                if y[t] >= 0:
                    states[d, y[t]] = states.get((d, y[t]), 0) + abs(G[t, d])
                if t and y[t] >= 0 and y[t - 1] >= 0:
                    key = d, y[t - 1] * K + y[t]
                    of_pairs[key] = of_pairs.get(key, 0) + abs(G[t, d])
            if t and y[t] >= 0 and y[t - 1] >= 0:
                pairs[y[t - 1] * K + y[t]] = pairs.get(y[t - 1] * K + y[t], 0) + 1

    def listed(part):
        return list(zip(np.repeat(np.arange(D), np.diff(part.indptr)).tolist(), part.columns.tolist()))
    frequent = [sorted(key for key, f in found.items() if f >= min_freq - 1e-9) for found in (states, pairs, of_pairs)]
    assert [listed(features.states), features.pairs.tolist(), listed(features.edges)] == frequent


@given(st.integers(1, 20), st.integers(1, 9), seeds)
def test_a_wider_pattern_holds_the_same(D, K, seed):
    rng = np.random.default_rng(seed)
    narrow = pattern(np.flatnonzero(rng.random(D * K) < rng.random()), D, K)
    wide, place = widened(narrow)
    np.testing.assert_array_equal(wide.columns[place], narrow.columns)
    of_narrow, of_wide = (np.repeat(np.arange(D), np.diff(p.indptr)) for p in (narrow, wide))
    np.testing.assert_array_equal(of_wide[place], of_narrow)
    assert len(set(place.tolist())) == place.size and wide.columns.size <= 3 * narrow.columns.size
    for d in range(D):
        count, columns = np.diff(narrow.indptr)[d], wide.columns[wide.indptr[d]:wide.indptr[d + 1]]
        np.testing.assert_array_equal(columns, np.arange(K) if 3 * count > K else narrow.columns[of_narrow == d])


def test_the_rows_of_a_corpus_are_the_dense_ones():
    corpus, sequences = corpus_of(5, 3, 4)
    np.testing.assert_array_equal(dense(corpus.rows), np.concatenate([G for G, _ in sequences]))


def test_keys_are_counted_beyond_int32():
    """Attribute 60,000 with the pair 7 of 40,000 is number 2,400,000,007; in NumPy 1.26 int32 times int64 was int32."""
    rows = Rows(np.array([0, 1, 2]), np.array([5, 60_000], np.int32), np.ones(2), (2, 60_001))
    for column in (np.array([3, 7], np.int32), np.array([3, 7])):
        assert _keys(rows, column, 40_000, 0.0).tolist() == [200_003, 2_400_000_007]
    found = pattern(_keys(rows, np.array([3, 7], np.int32), 40_000, 0.0), 60_001, 40_000)
    assert found.columns.tolist() == [3, 7] and np.flatnonzero(np.diff(found.indptr)).tolist() == [5, 60_000]
