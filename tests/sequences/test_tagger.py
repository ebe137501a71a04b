"""The tagger: what it learns, answers, shows and keeps."""
import itertools
import os
import pickle
import warnings

import numpy as np
import pytest

from scratchml.core.estimator import ConvergenceWarning, NotFittedError
from scratchml.core.sparse import dense, sparse_rows
from scratchml.optim.lbfgs import Minimum
from scratchml.sequences import CRF, trainers
from scratchml.sequences.corpus import read_tokens
from scratchml.sequences.crf import log_partition, path_score
from scratchml.sequences.crf_training import offset, weight_units
from scratchml.sequences.tagger import weight_names
from tests.reference import crf as reference
from tests.strategies.tagger import TAGS, sentences

X, Y = sentences(40, seed=1)
EXACT = dict(epsilon=1e-9, delta=0.0)
each_algorithm = pytest.mark.parametrize("algorithm", ["lbfgs", "l2sgd", "ap", "pa", "arow"])


def fitted(X=X, y=Y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CRF(**options).fit(X, y)


def field(model, x):
    """E and A of a sequence, from the weights that the model shows."""
    _, rows = read_tokens([x], model._numbers, grow=False)
    G, K = dense(rows), len(model.classes_)
    number = {label: k for k, label in enumerate(model.classes_)}
    W, A = np.zeros((G.shape[1], K)), np.zeros((len(x) - 1, K, K))
    for (attribute, label), weight in model.state_features_.items():
        W[model.attributes_.index(attribute), number[label]] = weight
    for (a, b), weight in model.transition_features_.items():
        A[:, number[a], number[b]] += weight
    for (attribute, a, b), weight in model.edge_features_.items():
        A[:, number[a], number[b]] += weight * G[1:, model.attributes_.index(attribute)]
    return G @ W, A


def probability(model, x, y):
    E, A = field(model, x)
    path = np.array([model.classes_.index(label) for label in y])
    return path_score(E, A, path) - log_partition(E, A)


# --- what it learns

@pytest.mark.parametrize("period", [1, 3])
def test_descent_stops_at_the_first_loss_that_is_little_below_that_of_a_period_before(period):
    options = dict(algorithm="l2sgd", c2=1.0, random_state=0, period=period)
    losses = np.array(fitted(**options, delta=0.0, max_iterations=12).loss_history_)
    gains = (losses[:-period] - losses[period:]) / losses[period:]
    for after in (1, 5):
        least = gains[:after].min()
        model = fitted(**options, delta=least * (1 + 1e-9))
        assert model.n_iter_ == period + 1 + np.argmin(gains[:after]) and model.stop_reason_ == "delta"


@pytest.mark.parametrize("options", [{}, dict(edge_attributes=["word"]), dict(all_possible_states=True),
                                     dict(all_possible_transitions=True, min_freq=3)])
def test_the_loss_is_that_of_the_weights_that_it_shows(options):
    model = fitted(c2=0.5, max_iterations=8, **options)
    weights = [*model.state_features_.values(), *model.transition_features_.values(), *model.edge_features_.values()]
    assert sorted(weights) == sorted(model.weights_)
    loss = -sum(probability(model, x, y) for x, y in zip(X, Y)) + 0.5 * sum(w * w for w in weights)
    assert model.loss_ == pytest.approx(loss, rel=1e-11)
    assert model.loss_history_[-1] == model.loss_ and len(model.loss_history_) == model.n_iter_


def test_which_weights_there_are():
    seen = {(f"word:{t['word']}", label) for x, y in zip(X, Y) for t, label in zip(x, y)}
    model = fitted(max_iterations=1)
    assert {key for key in model.state_features_ if key[0].startswith("word:")} == seen
    assert set(model.transition_features_) == {pair for y in Y for pair in zip(y, y[1:])}
    everything = fitted(max_iterations=1, all_possible_states=True, all_possible_transitions=True)
    assert len(everything.state_features_) == len(model.attributes_) * len(model.classes_)
    assert len(everything.transition_features_) == len(model.classes_) ** 2
    triples = {(f"word:{x[t]['word']}", y[t - 1], y[t]) for x, y in zip(X, Y) for t in range(1, len(x))}
    assert set(fitted(max_iterations=1, edge_attributes=["word"]).edge_features_) == triples
    one = fitted(max_iterations=1, edge_attributes=["word:O1"])
    assert set(one.edge_features_) == {triple for triple in triples if triple[0] == "word:O1"}


@pytest.mark.parametrize("algorithm", ["ap", "pa", "arow"])
def test_a_corpus_that_cannot_be_learned_is_passed_over_a_hundred_times(algorithm):
    X, y = [[{"a": 1.0}, {"b": 1.0}]] * 2, [["u", "v"], ["v", "u"]]
    with pytest.warns(ConvergenceWarning, match="max_iterations=100"):
        assert CRF(algorithm=algorithm, epsilon=0, delta=0, random_state=0).fit(X, y).n_iter_ == 100


def test_the_minimum_does_not_depend_on_the_algorithm():
    exact = fitted(c2=1.0, **EXACT)
    descent = fitted(algorithm="l2sgd", c2=1.0, max_iterations=150, delta=0.0, random_state=0)
    np.testing.assert_allclose(descent.weights_, exact.weights_, atol=0.1)
    assert np.abs(exact.weights_).max() > 1


@each_algorithm
def test_it_labels_what_features_give_away(algorithm):
    X, y = sentences(60, noise=0.0)
    assert fitted(X, y, algorithm=algorithm, c2=0.01, max_iterations=40, random_state=0).score(X, y) > 0.97


def test_l1_solutions_meet_the_subgradient_conditions():
    """With OWL-QN F stops falling where slopes are about √(2 curvature eps F): here 1e-5 leaves room."""
    c1 = 0.8
    model = fitted(c1=c1, c2=0.1, epsilon=1e-7, delta=0.0)
    assert 0 < (model.weights_ == 0).sum() < model.weights_.size
    smooth = slope_of(model, 0.1)
    zero = model.weights_ == 0
    assert (np.abs(smooth[zero]) <= c1 + 1e-4).all()
    np.testing.assert_allclose(smooth[~zero], -c1 * np.sign(model.weights_[~zero]), atol=1e-4)


def slope_of(model, c2, h=6e-6):
    """∂/∂θ of the loss without L1, by central differences."""
    slope = np.zeros(model.weights_.size)
    weights = model.weights_

    def loss():
        return -sum(probability(model, x, y) for x, y in zip(X[:40], Y[:40]))
    for k in range(weights.size):
        for sign in (1, -1):
            model.weights_ = weights.copy()
            model.weights_[k] += sign * h
            slope[k] += sign * loss() / (2 * h)
    model.weights_ = weights
    return slope + 2 * c2 * weights


def test_without_transitions_it_is_a_logistic_regression():
    """Sequences of one token: the softmax of the attributes, whose optimum has expected = observed + penalty."""
    rng = np.random.default_rng(0)
    table, labels = rng.normal(size=(60, 3)), rng.integers(3, size=60)
    model = fitted([row[None] for row in table], [[int(k)] for k in labels], c2=0.3, **EXACT)
    W = np.array([[model.state_features_[str(d), k] for k in range(3)] for d in range(3)])
    p = np.exp(table @ W)
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table.T @ (p - np.eye(3)[labels]) + 0.6 * W, 0, atol=1e-6)
    np.testing.assert_allclose([list(m[0].values()) for m in model.predict_marginals([row[None] for row in table])], p,
                               atol=1e-12)


# --- features of any size

def numeric(scale, offset=0.0, N=50):
    """Sequences with a number, from 0 to 1.1 times `scale`, that tells labels apart, and a word that mostly does."""
    rng = np.random.default_rng(0)
    X, y = [], []
    for _ in range(N):
        k = rng.integers(0, 2, size=6)
        x = offset + scale * (k * 0.5 + rng.random(6) * 0.6)
        X.append([{"x": float(a), "w": "ab"[b] if rng.random() < 0.9 else "c"} for a, b in zip(x, k)])
        y.append(["AB"[b] for b in k])
    return X, y


def slope(model, X, y):
    """∂loss/∂W (D, K) without L1, by the definition, and W."""
    K, names = len(model.classes_), model.attributes_
    total, W = np.zeros((len(names), K)), np.zeros((len(names), K))
    for (attribute, label), weight in model.state_features_.items():
        W[names.index(attribute), model.classes_.index(label)] = weight
    for x, labels in zip(X, y):
        E, A = field(model, x)
        G = dense(read_tokens([x], model._numbers, grow=False)[1])
        observed = np.eye(K)[[model.classes_.index(label) for label in labels]]
        total += G.T @ (reference.node_marginals(E, A) - observed)
    return total + 2 * model.c2 * W, W


@pytest.mark.parametrize("scale, offset", [(1, 0), (30, 0), (1e3, 0), (1e5, 0), (-1e7, 0), (1e12, 0), (1e6, 1.6e9),
                                           (1e-3, 0)])
def test_the_minimum_is_found_whatever_the_unit_of_a_feature(scale, offset):
    """Slopes are within 1e-4 of what the values of their attribute add up to; where L-BFGS gives up, they are 0.1."""
    X, y = numeric(scale, offset, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = CRF(epsilon=1e-7, delta=1e-10, all_possible_states=True).fit(X, y)
    size = sum(dense(read_tokens([x], model._numbers, grow=False)[1]) for x in X)
    assert (np.abs(slope(model, X, y)[0]) <= 1e-4 * np.abs(size).sum(axis=0)[:, None] + 1e-4).all()
    without = CRF(all_possible_states=True).fit([[{"w": token["w"]} for token in x] for x in X], y)
    assert model.loss_ < without.loss_ + 1e-6
    if 1 < abs(scale) and not offset:                    # the larger the unit, the less its weight costs
        assert model.loss_ < CRF(all_possible_states=True).fit(*numeric(1, 0, 20)).loss_


@pytest.mark.parametrize("options", [dict(c1=0.5, c2=0.0), dict(c1=0.1, c2=0.1)])
def test_l1_solutions_do_not_depend_on_units_either(options):
    X, y = numeric(1e5, 0, 20)
    model = fitted(X, y, epsilon=1e-7, delta=1e-10, all_possible_states=True, **options)
    smooth, W = slope(model, X, y)
    unit = np.array([1e5 if name == "x" else 1.0 for name in model.attributes_])[:, None]
    c1 = options["c1"]
    assert (np.abs(smooth / unit) <= c1 / unit + 1e-3)[W == 0].all()
    assert (np.abs((smooth + c1 * np.sign(W)) / unit) < 1e-3)[W != 0].all() and (W != 0).sum() > 2


def test_edge_weights_have_units_too():
    X, y = numeric(1e6, 0, 20)
    model = CRF(edge_attributes=["x"]).fit(X, y)
    assert model.loss_ < CRF().fit(X, y).loss_ and model.score(X, y) > 0.95 and len(model.edge_features_) == 4


def test_units_are_powers_of_two_below_the_largest_value():
    X = [[{"a": 3.0, "b": 1.99}, {"a": -64.0, "c": 0.001}], [{"b": 1.0, "d": 2.0}]]
    model = CRF(edge_attributes=["a"], max_iterations=50).fit(X, [["x", "y"], ["x"]])
    _, rows = read_tokens(X, model._numbers, grow=False)
    units = weight_units(rows, model._features)
    of = {"a": 1 / 64, "b": 1.0, "c": 1.0, "d": 0.5}
    assert units[:len(model.state_features_)].tolist() == [of[name] for name, _ in model.state_features_]
    assert units[len(model.state_features_):].tolist() == [1.0, 1 / 64]


@pytest.mark.parametrize("scale", [1e3, 1e7])
def test_a_fit_that_stops_far_from_the_minimum_says_what_to_do(scale):
    with pytest.warns(ConvergenceWarning, match="far from the minimum: .* subtract the mean .* divide them"):
        CRF("l2sgd", random_state=0).fit(*numeric(scale))


def far_from_zero(away, T=8):
    """Forty sequences of numbers, three a token, about `away`; the label is the sign of the first, roughly."""
    rng, X, y = np.random.default_rng(0), [], []
    for _ in range(40):
        z = rng.normal(size=(T, 3))
        y.append(["A" if a + 0.3 * rng.normal() > 0 else "B" for a in z[:, 0]])
        X.append(z + away)
    return X, y


def test_numbers_far_from_zero_are_asked_about():
    for away in (0, 3, 100, 1000):
        CRF(c2=1e-3).fit(*far_from_zero(away))
    for away in (1e6, [1.7e9, 0, 0]):
        X, y = far_from_zero(away)
        with pytest.warns(ConvergenceWarning, match="a numeric feature is .* deviations from 0; subtract the mean"):
            CRF(c2=1e-3).fit(X, y)
        CRF(c2=1e-3).fit([x - np.mean(np.concatenate(X), axis=0) for x in X], y)
    X, y = far_from_zero(0)
    CRF(c2=1e-3).fit([np.column_stack([x, np.full(len(x), 1e6)]) for x in X], y)        # a constant is a bias


def test_how_far_numbers_are_from_zero():
    rows = sparse_rows([[1.0, 4, 1e200], [1, 0, 3e200], [1.5, 6, 2e200], [0, 5, 2e200]])
    assert offset(rows) == pytest.approx(max(5 / np.sqrt(2 / 3), 2 / np.sqrt(1 / 2)))
    assert offset(sparse_rows([[1.0, 1e6], [1, 1e6]])) == 0 == offset(sparse_rows([[1.0, 0.5]]))


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")),
                    reason="plain Python's exp raises where a kernel has inf")
def test_steps_that_lead_beyond_all_numbers_are_an_error():
    X, y = far_from_zero(0)
    for scale in ([1e150, 1, 1], [1e100, 1e100, 1]):
        with pytest.raises(ValueError, match="^X: the loss has left the range of float64 in pass .* algorithm='lbfgs'"):
            CRF("l2sgd", random_state=0).fit([x * scale for x in X], y)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.str_])
def test_labels_come_back_as_pythons(kind):
    model = CRF().fit(X, [[kind(number) for number in range(len(x))] for x in X])
    plain = str if kind is np.str_ else int
    assert all(type(label) is plain for label in [*model.classes_, *model.predict(X)[0]])


def test_a_search_that_gives_up_early_says_so(monkeypatch):
    def give_up(fun, x0, **options):
        return Minimum(x0, *fun(x0), 3, 9, "precision")
    monkeypatch.setattr(trainers, "lbfgs", give_up)
    with pytest.warns(ConvergenceWarning, match="the slope is still 1 of that at the start"):
        CRF().fit(X, Y)


# --- labels that are not known

def test_all_known_is_the_same_as_known():
    assert fitted(y=[list(y) for y in Y]).weights_.tolist() == fitted().weights_.tolist()


def test_partial_labels_teach_less_but_the_right_thing():
    hidden = [[label if (s + t) % 3 else None for t, label in enumerate(y)] for s, y in enumerate(Y)]
    model = fitted(y=hidden, c2=0.1)
    assert 0.55 < model.score(X, Y) <= fitted(c2=0.1).score(X, Y) + 0.02
    nothing = fitted(y=[Y[0], *([None] * len(y) for y in Y[1:])])
    alone = fitted(X[:1], Y[:1])
    assert nothing.loss_ == pytest.approx(alone.loss_, rel=1e-9)


def test_known_labels_are_kept_in_decoding():
    model = fitted()
    known = [[TAGS[(s + t) % 5] if t % 2 else None for t in range(len(x))] for s, x in enumerate(X)]
    found = model.predict(X, known)
    for x, fixed, y in zip(X, known, found):
        assert all(b in (None, a) for a, b in zip(y, fixed))
        E, A = field(model, x)
        allowed = [path for path in itertools.product(range(5), repeat=len(x))
                   if all(k is None or model.classes_[j] == k for j, k in zip(path, fixed))] if len(x) < 4 else []
        if allowed:
            best = max(allowed, key=lambda path: reference.path_score(E, A, path))
            assert [model.classes_[j] for j in best] == y
    assert model.predict(X, [[None] * len(x) for x in X]) == model.predict(X)


# --- what is forbidden

def legal(y):
    return all(b[0] != "I" or a[0] in "BI" and a[1:] == b[1:] for a, b in zip(["O", *y], y))


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")           # of kernels as plain Python
@pytest.mark.parametrize("algorithm", ["ap", "pa"])
def test_scores_that_no_correction_can_hold_are_an_error(algorithm):
    X = [[{"x": 1e200}, {"x": -1e200}]] * 4
    with pytest.raises(ValueError, match="X: the loss has left the range of float64 in pass"):
        CRF(algorithm, random_state=0, max_iterations=5).fit(X, [["A", "B"]] * 4)


@each_algorithm
def test_forbidden_transitions_are_never_chosen(algorithm):
    clean, misleading = sentences(30, seed=3, noise=0.0), sentences(40, seed=4, noise=1.0)[0]
    free = fitted(*clean, algorithm=algorithm, c2=0.001, max_iterations=5, random_state=0)
    bound = fitted(*clean, algorithm=algorithm, c2=0.001, max_iterations=5, random_state=0, forbidden="BIO")
    assert all(map(legal, bound.predict(misleading))) and not all(map(legal, free.predict(misleading)))
    for paths, _ in bound.predict_n_best(misleading[:9], 4):
        assert all(map(legal, paths))


def test_forbidden_labels_have_no_probability_and_no_part_in_training():
    model = fitted(forbidden="BIO", all_possible_transitions=True, c2=0.2)
    assert ("O", "I-X") not in model.transition_features_ and ("B-X", "I-X") in model.transition_features_
    for tokens in model.predict_marginals(X):
        assert tokens[0]["I-X"] == tokens[0]["I-Y"] == 0
    total = 0.0
    for x, y in zip(X, Y):
        E, A = field(model, x)
        E[0, [k for k, label in enumerate(model.classes_) if label[0] == "I"]] = -np.inf
        for i, j in itertools.product(range(5), repeat=2):
            if not legal(["B" + model.classes_[i][1:], model.classes_[j]]) or \
                    model.classes_[i] == "O" and model.classes_[j][0] == "I":
                A[:, i, j] = -np.inf
        total -= path_score(E, A, np.array([model.classes_.index(k) for k in y])) - log_partition(E, A)
    assert model.loss_ == pytest.approx(total + 0.2 * (model.weights_ ** 2).sum(), rel=1e-10)


def test_pairs_that_are_forbidden():
    model = fitted(forbidden=[("O", "O")], X=[x[:1] for x in X], y=[y[:1] for y in Y])
    assert all(("O", "O") not in zip(y, y[1:]) for y in model.predict(X))


def test_labels_that_break_the_rules_are_named():
    with pytest.raises(ValueError, match=r"y\[1\]: \['O', 'I-X'\] breaks what `forbidden` allows"):
        CRF(forbidden="BIO").fit([[["a"]], [["a"], ["b"]]], [["B-X"], ["O", "I-X"]])
    model = fitted(forbidden="BIO")
    with pytest.raises(ValueError, match=r"X\[1\]: no path is left"):
        model.predict([[["a"]], [["a"], ["b"]]], [["O"], ["O", "I-X"]])


# --- answers

@pytest.mark.parametrize("options", [{}, dict(edge_attributes=["word"])])
def test_answers_are_those_of_the_field(options):
    model = fitted(max_iterations=15, **options)
    for x, path, tokens, (paths, scores) in zip(X, model.predict(X), model.predict_marginals(X),
                                                model.predict_n_best(X, 3)):
        if len(x) > 4:
            continue
        E, A = field(model, x)
        best, totals = reference.k_best(E, A, 3)
        names = [[model.classes_[k] for k in y] for y in best]
        assert path == names[0] == model.predict_single(x) and paths == names
        np.testing.assert_allclose(scores, np.array(totals) - reference.log_partition(E, A), atol=1e-10)
        np.testing.assert_allclose([list(token.values()) for token in tokens], reference.node_marginals(E, A),
                                   atol=1e-10)
        assert all(list(token) == model.classes_ for token in tokens)


def test_what_was_never_seen_is_ignored():
    model = fitted()
    more = [[{**token, "new": "feature", "other": 3.0} for token in x] for x in X]
    assert model.predict(more) == model.predict(X)
    assert len(model.predict([[{}], [["never"]]])) == 2


def test_score_counts_tokens():
    model = fitted()
    right = sum(a == b for x, y in zip(model.predict(X), Y) for a, b in zip(x, y))
    assert model.score(X, Y) == right / sum(map(len, Y))


def test_an_empty_sequence_has_the_empty_path():
    model = fitted(edge_attributes=["word"], forbidden="BIO")
    some = [[], X[0], (), X[1], []]
    paths = model.predict(X[:2])
    assert model.predict(some) == [[], paths[0], [], paths[1], []] and model.predict([[], []]) == [[], []]
    assert model.predict_single([]) == [] and model.predict([[]], [[]]) == [[]]
    assert model.predict(some, [[], [None] * len(X[0]), [], ["O"] * len(X[1]), []])[3] == ["O"] * len(X[1])
    a, b = model.predict_marginals(X[:2])
    assert model.predict_marginals(some) == [[], a, [], b, []]
    (none, certain), (first, _), *_ = model.predict_n_best(some, 3)
    assert none == [[]] and certain.tolist() == [0.0] and first == model.predict_n_best(X[:1], 3)[0][0]
    assert model.score(some, [[], Y[0], [], Y[1], []]) == model.score(X[:2], Y[:2])
    with pytest.raises(ValueError, match=r"X\[3\]: no path is left"):
        model.predict([[], X[0], [], X[1]], [[], [None] * len(X[0]), [], ["I-X"] * len(X[1])])


def test_columns_are_those_of_the_fit(tmp_path):
    rng = np.random.default_rng(0)
    A = [rng.normal(size=(6, 3)) for _ in range(10)]
    model = fitted(A, [(a[:, 0] > 0).astype(int) for a in A])
    model.save(tmp_path / "model")
    for m in (model, CRF.load(tmp_path / "model")):
        for D in (0, 1, 2, 4, 5):
            for ask in (m.predict, m.predict_marginals, lambda X: m.predict_n_best(X, 1),
                        lambda X: m.predict_single(X[0])):
                with pytest.raises(ValueError,
                                   match=f"X: arrays of {D} columns, but the model was fitted on arrays of 3"):
                    ask([np.ones((2, D))])
        assert len(m.predict([A[0], [], A[1]])) == 3
    with pytest.raises(ValueError, match=r"fitted on attributes such as \['word:"):
        fitted().predict(A)


def test_answers_are_arrays_of_lists_where_lengths_differ():
    model = fitted(max_iterations=3)
    found = model.predict([X[0], X[0] + X[1], X[1]])
    assert type(np.asarray(found)[1]) is list and np.asarray(found).shape == (3,) and np.array(found).dtype == object
    assert np.asarray(found).tolist() == found == list(found) and isinstance(found, list)
    even = model.predict([x[:1] for x in X[:3]])
    assert np.array(even).shape == (3, 1) and (np.array(even) == np.array([y[:1] for y in even])).all()
    assert np.concatenate([even, found]).tolist() == even + found
    assert np.concatenate([even, even]).tolist() == even + even and np.shape(even) == (3, 1)
    marginals = model.predict_marginals([X[0], X[0] + X[1]])
    assert np.asarray(marginals).shape == (2,) and np.asarray(marginals).tolist() == marginals
    assert np.concatenate((model.predict([[]]), found), axis=0).tolist() == [[], *found]


def test_a_score_counts_the_labels_that_are_known():
    model = fitted()
    hidden = [[label if t % 2 else None for t, label in enumerate(y)] for y in Y]
    pairs = [(a, b) for x, y in zip(model.predict(X), hidden) for a, b in zip(x, y) if b is not None]
    assert model.score(X, iter(hidden)) == sum(a == b for a, b in pairs) / len(pairs)
    with pytest.raises(ValueError, match="no token has a label"):
        model.score(X[:1], [[None] * len(X[0])])
    with pytest.raises(ValueError, match=r"y\[0\]: expected the labels of a sequence"):
        model.score(X[:1], ["O"])


@pytest.mark.parametrize("label", [3, np.nan, True])
def test_labels_of_another_kind_are_no_mistakes_of_the_model(label):
    """Numbers of classes in place of their names would score 0 whatever the model says."""
    with pytest.raises(ValueError, match="y: expected labels like"):
        fitted().score(X[:1], [[label] + [None] * (len(X[0]) - 1)])


# --- progress

@each_algorithm
def test_progress_is_reported_and_can_end_the_fit(algorithm, capsys):
    seen = []

    def stop(progress):
        seen.append(progress[1:])
        assert progress.estimator.loss_history_[-1] == progress.loss and progress.estimator.predict(X[:1])
        return progress.iteration == 3
    noisy = sentences(30, noise=0.9)
    model = CRF(algorithm, verbose=1, callback=stop, random_state=0).fit(*noisy)
    assert [iteration for iteration, _ in seen] == [1, 2, 3] and model.n_iter_ == 3
    assert model.stop_reason_ == "callback" and capsys.readouterr().err.count("CRF: iteration") == 3


@each_algorithm
def test_an_interrupt_leaves_the_last_finished_iteration(algorithm):
    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    noisy = sentences(30, noise=0.9)
    model = CRF(algorithm, callback=interrupt, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*noisy)
    assert model.n_iter_ == 2 and model.predict(X) == fitted(*noisy, algorithm=algorithm, random_state=0,
                                                             max_iterations=2).predict(X)


@each_algorithm
def test_a_limit_that_ends_the_fit_is_a_warning(algorithm):
    with pytest.warns(ConvergenceWarning, match="max_iterations=2"):
        CRF(algorithm, max_iterations=2).fit(*sentences(30, noise=0.9))


@each_algorithm
@pytest.mark.parametrize("edges", [(), ("word",)])
def test_same_seed_same_bits_on_any_number_of_threads(algorithm, edges, monkeypatch):
    found = set()
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        model = fitted(algorithm=algorithm, max_iterations=5, edge_attributes=edges, random_state=4)
        found.add((model.weights_.tobytes(), str(model.predict(X)), str(model.predict_marginals(X[:5]))))
    assert len(found) == 1


# --- sequences to judge by, warm starts, a file of one's own

@each_algorithm
def test_what_was_not_learned_from_is_judged_after_each_iteration(algorithm, capsys):
    """By the model that there is after as many iterations; labels that nobody learned are wrong, None says nothing."""
    train, (X_dev, y_dev) = sentences(30, noise=0.6), sentences(9, noise=0.4, seed=7)
    y_dev = [[None, *y[1:]] for y in y_dev]
    y_dev[3][-1] = "never seen"
    plain = fitted(*train, algorithm=algorithm, max_iterations=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = CRF(algorithm, max_iterations=3, random_state=0, verbose=1).fit(*train, X_dev=(x for x in X_dev),
                                                                              y_dev=map(iter, y_dev))
    assert model.weights_.tolist() == plain.weights_.tolist() and plain.dev_scores_ == []
    assert model.dev_scores_ == [fitted(*train, algorithm=algorithm, max_iterations=n,
                                        random_state=0).score(X_dev, y_dev)
                                 for n in (1, 2, 3)]
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"right in X_dev {model.dev_scores_[-1]:.6f}")


def test_a_callback_can_stop_where_what_is_held_out_gets_worse():
    def worse(progress):
        return len(progress.estimator.dev_scores_) == 2
    model = CRF("ap", random_state=0, callback=worse).fit(X[:20], Y[:20], X[20:], Y[20:])
    assert model.n_iter_ == 2 and model.dev_scores_[-1] == model.score(X[20:], Y[20:])


@pytest.mark.parametrize("X_dev, y_dev, message", [
    (X[:2], None, "X_dev: expected both X_dev and y_dev"), (None, Y[:2], "y_dev: expected both"),
    (X[:2], Y[:1], "X_dev, y_dev: y: expected 2 sequences"), ([], [], "X_dev, y_dev: X: the corpus is empty"),
    ([[{"a": np.nan}]], [["O"]], r"X_dev, y_dev: X\[0\]\[0\]: feature 'a' is nan"),
    ([[["a"]]], [[None]], "no token has"), ([[["a"]]], ["O"], r"y\[0\]: expected the labels of a sequence"),
    ([[["a"]]], [[3]], "X_dev, y_dev: y: expected labels like .* got .'3'"), ([[["a"]]], [[np.nan]], "got .'nan'"),
])
def test_what_cannot_be_judged_by(X_dev, y_dev, message):
    model = CRF("ap", max_iterations=1)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, X_dev, y_dev)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_what_is_judged_by_may_break_no_rule():
    model = CRF("ap", forbidden="IOBES", random_state=0)
    with pytest.raises(ValueError, match=r"X_dev, y_dev: X\[0\]: no path is left"):
        model.fit([[["a"], ["b"]]], [["B-X", "E-X"]], [[["a"]]], [["B-X"]])


@pytest.mark.parametrize("options", [{}, dict(edge_attributes=["word"]), dict(c1=0.3)])
def test_a_warm_start_at_the_minimum_is_done(options):
    model = fitted(X[:8], Y[:8], warm_start=True, epsilon=1e-4, delta=0.0, **options)
    before, cold = model.weights_, model.n_iter_
    model.fit(X[:8], Y[:8])
    assert model.n_iter_ <= 1 < cold
    np.testing.assert_allclose(model.weights_, before, atol=1e-3)
    model.warm_start = False
    assert model.fit(X[:8], Y[:8]).n_iter_ == cold


def test_how_far_a_warm_start_is_from_the_minimum_is_told_by_the_slope_at_zero(monkeypatch):
    def give_up(fun, x0, **options):
        return Minimum(x0, *fun(x0), 3, 9, "precision")
    model = fitted(X[:8], Y[:8], warm_start=True)
    monkeypatch.setattr(trainers, "lbfgs", give_up)
    assert model.fit(X[:8], Y[:8]).stop_reason_ == "precision"                   # without a warning, which is an error
    with pytest.warns(ConvergenceWarning, match="the slope is still 1 of that at the start"):
        CRF(warm_start=True).fit(X, Y)


@each_algorithm
def test_a_warm_start_takes_weights_by_their_names(algorithm):
    """The other corpus has the words in another order, new ones, a label more; what is not met again is forgotten."""
    model = fitted(algorithm=algorithm, max_iterations=3, random_state=0, warm_start=True)
    more = [[{"word": "new"}], *X[::-1]], [["Z-NEW"], *Y[::-1]]
    begun = {}

    def look(progress):
        begun.update(progress.estimator.state_features_)
        return True
    before, pairs = model.state_features_, model.transition_features_
    start = model._start(*parts(more, algorithm))
    names = weight_names(*parts(more, algorithm))
    assert dict(zip(names[0], start)) == {**dict.fromkeys(names[0], 0.0), **before}
    assert ("word:new", "Z-NEW") in names[0]
    assert dict(zip(names[1], start[len(names[0]):])) == {**dict.fromkeys(names[1], 0.0), **pairs}
    warm = model.set_params(callback=look).fit(*more).score(X, Y)
    assert warm > fitted(*more, algorithm=algorithm, callback=lambda p: True, random_state=0).score(X, Y) or warm == 1


def parts(corpus, algorithm):
    """Features, attributes and classes as a cold fit finds them."""
    cold = fitted(*corpus, algorithm=algorithm, max_iterations=1)
    return cold._features, cold.attributes_, cold.classes_


def test_a_warm_start_of_the_perceptron_goes_on_from_there():
    """One pass over one sequence is a single step: θ_0 + Φ(y) - Φ(ŷ), whose mean is itself."""
    model = fitted(X[:1], Y[:1], algorithm="ap", max_iterations=1, random_state=0, warm_start=True)
    first, path = model.weights_, model.predict(X[:1])
    model.set_params(max_iterations=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[:1], Y[:1])
    assert (model.weights_.tolist() == first.tolist()) == (path == Y[:1])
    other = fitted(X[:1], Y[:1], algorithm="ap", max_iterations=2, random_state=0)
    np.testing.assert_allclose(2 * other.weights_ - first, model.weights_, atol=1e-12)       # the mean of both steps


def test_a_file_of_its_own(tmp_path):
    path = tmp_path / "model"
    model = fitted(max_iterations=3, model_filename=path)
    there = CRF(model_filename=str(path), verbose=0)
    assert there.predict(X) == model.predict(X) and there.n_iter_ == 3 and there.model_filename == str(path)
    assert CRF(model_filename=path).transition_features_ == model.transition_features_
    assert pickle.loads(pickle.dumps(there)).predict(X) == model.predict(X)
    with pytest.raises(NotFittedError):
        CRF(model_filename=tmp_path / "none").predict(X)
    for wrong, message in ((tmp_path / "no" / "model", "there is no folder"), (tmp_path, "this is a folder"),
                           (3, "model_filename=3: expected the path")):
        with pytest.raises(ValueError, match=message):
            CRF(model_filename=wrong).fit(X, Y)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="model"):
        CRF(model_filename=path).predict(X)


def test_answers_are_compared_as_a_whole():
    found = fitted(max_iterations=3).predict(X[:3])
    copy = [list(labels) for labels in found]
    assert found == copy and (found == copy).all() and not found != copy and not (found != copy).any()
    copy[1][0] = "?"
    assert found != copy and not (found == copy).all() and found != 3 and not found == "abc"
    assert (found == found.of_lists()).tolist() == [True] * 3


def test_beside_the_labels_of_one_sequence_answers_are_compared_place_by_place():
    model = fitted(max_iterations=3)
    found = model.predict(X[:1])
    own = list(found[0])
    assert (found == own).tolist() == [[True] * len(own)] and not (found != own).any()
    own[0] = "?"
    assert (found == own).tolist() == [[False] + [True] * (len(own) - 1)] and (found != own).sum() == 1
    numbers = fitted(y=[[TAGS.index(label) for label in y] for y in Y], max_iterations=3).predict([X[0], X[0]])
    assert (numbers == numbers[0]).all() and np.shape(numbers == numbers[0]) == (2, len(X[0]))
    assert not found == [] and model.predict([[]]) == [[]]


@pytest.mark.parametrize("options", [{}, dict(edge_attributes=["word"])])
def test_one_sequence_at_a_time(options):
    model = fitted(max_iterations=15, **options)
    tagger, labels = model.tagger_, model.classes_
    assert tagger is model.tagger_ and tagger.labels() == labels
    some = [x for x in X if 1 < len(x) < 5][:3]
    for x in some:
        E, A = field(model, x)
        gamma = reference.node_marginals(E, A)
        paths = list(itertools.product(range(len(labels)), repeat=len(x)))
        p = np.exp([reference.path_score(E, A, path) - reference.log_partition(E, A) for path in paths])
        for k in (0, len(paths) // 3, len(paths) - 1):
            tagger.set(x)
            assert tagger.probability([labels[j] for j in paths[k]]) == pytest.approx(p[k], rel=1e-10)
        assert tagger.probability([None] * (len(x) - 1) + [labels[1]]) == pytest.approx(gamma[-1, 1], rel=1e-10)
        assert tagger.tag(iter(x)) == tagger.tag() == [labels[j] for j in paths[p.argmax()]] == model.predict_single(x)
        np.testing.assert_allclose([[tagger.marginal(y, t) for y in labels] for t in range(len(x))], gamma, atol=1e-12)
        assert model.predict_marginals_single(x) == model.predict_marginals([x])[0]
    told = tagger.info()
    assert told.transitions == {name: w for name, w in model.transition_features_.items() if w}
    assert told.state_features == {name: w for name, w in model.state_features_.items() if w}
    assert list(told.labels) == labels and list(told.attributes.values()) == list(range(len(model.attributes_)))


def test_questions_about_one_sequence_that_have_no_answer():
    model = fitted(max_iterations=2, forbidden="BIO")
    tagger, x = model.tagger_, X[0]
    for ask in (tagger.tag, lambda: tagger.probability(Y[0]), lambda: tagger.marginal("O", 0)):
        with pytest.raises(ValueError, match="no sequence is set"):
            ask()
    assert tagger.tag([]) == [] and tagger.probability([]) == 1 and len(tagger.tag(x)) == len(x)
    assert tagger.probability(["I-X"] + [None] * (len(x) - 1)) == 0
    for ask, message in ((lambda: tagger.marginal("?", 0), "label '[?]' was not seen"),
                         (lambda: tagger.marginal("O", len(x)), f"below {len(x)}"),
                         (lambda: tagger.marginal("O", -1), "pos=-1"), (lambda: tagger.marginal("O", 0.0), "pos=0.0"),
                         (lambda: tagger.probability(Y[0][1:]), "labels for the"),
                         (lambda: tagger.probability(["?"] * len(x)), "was not seen"),
                         (lambda: tagger.tag("abc"), "X")):
        with pytest.raises(ValueError, match=message):
            ask()
    assert pickle.loads(pickle.dumps(model)).predict(X) == model.predict(X)
    assert len(pickle.dumps(model)) == len(pickle.dumps(fitted(max_iterations=2, forbidden="BIO")))
    with pytest.raises(NotFittedError):
        CRF().tagger_
    with pytest.warns(ConvergenceWarning):
        model.fit(X[:9], Y[:9])
    with pytest.raises(ValueError, match="no sequence is set"):
        model.tagger_.tag()
    assert len(model.tagger_.tag(x)) == len(x)


@pytest.mark.parametrize("options", [{}, dict(edge_attributes=["word"])])
def test_weights_may_be_changed_between_questions(options):
    model = fitted(max_iterations=3, **options)
    before, weights = model.predict_marginals(X), model.weights_
    for part in range(3 if options else 2):
        begin = sum(model._features.sizes[:part])
        weights[begin] += 1.5                            # in place
        changed = model.predict_marginals(X)
        assert changed == pickle.loads(pickle.dumps(model)).predict_marginals(X) != before
        before = changed
    model.weights_ = weights.copy()                      # another array, with the same weights of pairs
    model.weights_[0] -= 3
    assert model.predict_marginals(X) != before
    model.weights_ = weights * 0
    assert model.predict_marginals(X[:3])[0][0] == pytest.approx({label: 1 / len(TAGS) for label in model.classes_})


def test_a_sequence_to_judge_by_is_named_where_another_is_empty():
    with pytest.raises(ValueError, match=r"X_dev, y_dev: X\[2\]: no path is left"):
        CRF(forbidden=list(itertools.product("AB", repeat=2))).fit(
            [[["a"]], [["b"]]], [["A"], ["B"]], X_dev=[[], [["a"]], [["a"], ["b"]]], y_dev=[[], ["A"], ["A", "B"]])


# --- keeping

@pytest.mark.parametrize("options", [{}, dict(edge_attributes=("word",), forbidden="BIO"), dict(algorithm="ap")])
def test_saved_and_loaded_it_is_the_same(tmp_path, options):
    model = fitted(max_iterations=4, **options)
    model.save(tmp_path / "model")
    again = CRF.load(tmp_path / "model")
    assert again.predict_n_best(X[:5], 2)[0][0] == model.predict_n_best(X[:5], 2)[0][0]
    assert again.predict(X) == model.predict(X) and again.state_features_ == model.state_features_
    assert (again.loss_history_, again.n_iter_, again.stop_reason_) == (model.loss_history_, 4, model.stop_reason_)
    assert again.get_params()["algorithm"] == model.algorithm
    again.set_params(max_iterations=3)
    with pytest.warns(ConvergenceWarning):
        again.fit(X, Y)


@pytest.mark.parametrize("given, kept", [
    (dict(edge_attributes={"word"}), ["word"]), (dict(edge_attributes=np.array(["word"])), ["word"]),
    (dict(edge_attributes=frozenset(["word", "size"])), ["size", "word"]),
    (dict(edge_attributes={"word": 1}.keys()), ["word"]),
    (dict(forbidden={("O", "O"), ("I-Z", "O")}), [["I-Z", "O"], ["O", "O"]]),
    (dict(forbidden=np.array([["O", "O"]])), [["O", "O"]]), (dict(forbidden=[np.array(["O", "O"])]), [["O", "O"]]),
])
def test_collections_are_kept(tmp_path, given, kept):
    (name, collection), = given.items()
    short = [x[:1] for x in X], [y[:1] for y in Y]
    model = fitted(*short, max_iterations=3, **given)
    assert getattr(model, name) is collection
    model.save(tmp_path / "model")
    again = CRF.load(tmp_path / "model")
    assert getattr(again, name) == kept and again.predict(X) == model.predict(X)
    assert again.set_params(max_iterations=3) and fitted(*short, max_iterations=3, **{name: kept}).loss_ == model.loss_


def test_a_pair_of_a_label_that_a_fold_lacks_forbids_nothing():
    assert fitted(forbidden=[("O", "I-MISC"), ("Q", "Q")]).predict(X) == fitted().predict(X)


def test_a_damaged_file_is_refused_and_nothing_lost(tmp_path):
    path, model = tmp_path / "model", fitted(max_iterations=3)
    model.save(path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="model"):
            CRF.load(path)
    assert model.predict(X) == fitted(max_iterations=3).predict(X)


# --- bad input

@pytest.mark.parametrize("options, message", [
    (dict(algorithm="newton"), "algorithm='newton': expected one of 'lbfgs', 'l2sgd', 'ap', 'pa', 'arow'"),
    (dict(c=0), "c=0"), (dict(variance=-1), "variance=-1"), (dict(gamma=0.0), "gamma=0.0"),
    (dict(pa_type=3), "pa_type=3"), (dict(pa_type="1"), "pa_type='1'"), (dict(c1=-1), "c1=-1"),
    (dict(c2=np.nan), "c2=nan"), (dict(max_iterations=0), "max_iterations=0"), (dict(epsilon="a"), "epsilon='a'"),
    (dict(min_freq=-1), "min_freq=-1"), (dict(period=0), "period=0"), (dict(delta=-1), "delta=-1"),
    (dict(algorithm="ap", c1=0.1), "c1=0.1: algorithm='ap' knows no c1"),
    (dict(edge_attributes="word"), "expected a list"),
    (dict(forbidden="XYZ"), "forbidden='XYZ'"), (dict(forbidden=iter([("O", "O")])), "forbidden: .* got list_iterator"),
    (dict(edge_attributes=iter(["word"])), "edge_attributes=<list_iterator .* expected a list of names"),
    (dict(edge_attributes=None), "edge_attributes=None"),
    (dict(edge_attributes=["word", 3]), "edge_attributes: .* got 3"),
])
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        CRF(**options).fit(X, Y)


@pytest.mark.parametrize("X, y, message", [
    ([], [], "X: the corpus is empty"), ([[]], [[]], r"X\[0\]: the sequence is empty"),
    ([[["a"]], [["a"], ["b"]]], [["x"], ["x"]], r"y\[1\]: 1 labels for the 2 tokens"),
    ([[["a"]]], [["x"], ["x"]], "y: expected 1 sequences"), ([[{"a": np.nan}]], [["x"]], "feature 'a' is nan"),
    ([[["a"]]], ["x"], r"y\[0\]: expected the labels of a sequence, got 'x'"),
    ([[["a"]], [["b"]]], [0, 1], r"y\[0\]: expected the labels of a sequence, got 0"),
])
def test_bad_corpora(X, y, message):
    model = fitted(max_iterations=2)
    before = model.predict(*[sentences(5)[0]])
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert model.predict(sentences(5)[0]) == before


def test_bad_questions():
    model = fitted(max_iterations=2)
    with pytest.raises(ValueError, match=r"y\[0\]\[0\]: the label 'Q' was not seen"):
        model.predict(X[:1], [["Q"] * len(X[0])])
    with pytest.raises(ValueError, match="as many labels as tokens"):
        model.score(X[:2], [Y[0], Y[0] + Y[1]])
    with pytest.raises(ValueError, match="R=0"):
        model.predict_n_best(X, 0)
    with pytest.raises(ValueError, match="the corpus is empty"):
        model.predict([])


def test_before_it_is_fitted():
    for ask in (lambda m: m.predict(X), lambda m: m.state_features_, lambda m: m.save("x"), lambda m: m.score(X, Y)):
        with pytest.raises(NotFittedError):
            ask(CRF())


def test_one_label_is_learnt_at_once():
    model = CRF().fit([[["a"], ["b"]]], [["x", "x"]])
    assert model.predict([[["b"]]]) == [["x"]] and model.loss_ == 0
