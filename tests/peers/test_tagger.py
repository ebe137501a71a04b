"""Beside CRFsuite: the same features, the same loss, the same weights, the same labels."""
import numpy as np
import pytest

from scratchml.datasets import load_addresses
from scratchml.sequences import CRF
from scratchml.sequences.features import sentence_features

pycrfsuite = pytest.importorskip("pycrfsuite")


@pytest.fixture(scope="module")
def addresses():
    data = load_addresses()
    return [sentence_features(words) for words in data.tokens[:200]], data.labels[:200]


def crfsuite(X, y, path, **parameters):
    """(loss, state weights, transition weights, tagger) of CRFsuite's L-BFGS."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for x, labels in zip(X, y):
        trainer.append(x, labels)
    trainer.set_params(parameters)
    trainer.train(str(path))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    info = tagger.info()
    return trainer.logparser.last_iteration["loss"], info.state_features, info.transitions, tagger


def close_weights(ours, theirs):
    """Within 1e-2; CRFsuite does not write weights of 0."""
    assert set(theirs) <= set(ours)
    for feature, weight in ours.items():
        assert abs(weight - theirs.get(feature, 0.0)) < 1e-2, feature


def test_the_same_minimum(addresses, tmp_path):
    X, y = addresses
    tight = dict(c1=0.0, c2=1.0, delta=1e-12, epsilon=1e-8)
    loss, states, transitions, tagger = crfsuite(X, y, tmp_path / "m", max_iterations=2000, **tight)
    model = CRF(**tight, max_iterations=2000).fit(X, y)
    assert model.loss_ == pytest.approx(loss, rel=1e-5)
    close_weights(model.state_features_, states)
    close_weights(model.transition_features_, transitions)
    assert model.predict(X) == [tagger.tag(x) for x in X]
    for x, tokens in zip(X[:20], model.predict_marginals(X[:20])):
        tagger.set(x)
        for t, token in enumerate(tokens):
            np.testing.assert_allclose([tagger.marginal(label, t) for label in token], list(token.values()), atol=1e-3)


def test_the_same_features_with_every_transition_and_a_least_frequency(addresses, tmp_path):
    X, y = addresses
    parameters = {"c1": 0.0, "c2": 0.5, "max_iterations": 30, "feature.minfreq": 3,
                  "feature.possible_transitions": True}
    _, states, transitions, _ = crfsuite(X, y, tmp_path / "m", **parameters)
    with pytest.warns(UserWarning, match="max_iterations"):
        model = CRF(c2=0.5, max_iterations=30, min_freq=3, all_possible_transitions=True).fit(X, y)
    assert set(model.state_features_) == set(states) and set(model.transition_features_) >= set(transitions)


def test_with_l1_no_worse_a_minimum(addresses, tmp_path):
    X, y = addresses
    parameters = dict(c1=0.3, c2=0.1, delta=1e-7, epsilon=1e-6, max_iterations=1000)
    _, states, transitions, _ = crfsuite(X, y, tmp_path / "m", **parameters)
    model = CRF(**parameters).fit(X, y)
    weights = model.weights_
    theirs = [*(states.get(f, 0.0) for f in model.state_features_),
              *(transitions.get(f, 0.0) for f in model.transition_features_)]
    assert (weights == 0).sum() > 0.5 * weights.size and abs(len(states) - (weights != 0).sum()) < 0.1 * len(states)
    assert np.abs(np.array(theirs) - weights).max() < 0.05


def test_the_same_attributes_from_every_kind_of_value(tmp_path):
    X = [[{"a": "x:y", "b": True, "c": False, "d": 2.5, "e": 3}, ["p", "q"]]] * 3
    y = [["1", "2"]] * 3
    _, states, _, _ = crfsuite(X, y, tmp_path / "m", c1=0.0, c2=0.1)
    ours = CRF(c1=0.0, c2=0.1).fit(X, y).state_features_
    assert {f for f, w in ours.items() if w} == {f for f, w in states.items() if w}


def test_folds_of_any_lengths_and_any_index():
    selection, pandas = pytest.importorskip("sklearn.model_selection"), pytest.importorskip("pandas")
    X = [[["a"], ["b"]], [["a"]], [["b"], ["b"], ["a"]]] * 4
    y = [["A", "B"], ["A"], ["B", "B", "A"]] * 4
    series = pandas.Series(X, range(5, 17)), pandas.Series(y, range(5, 17))
    for held in ((X, y), series):
        for folds in (2, 5, selection.LeaveOneOut()):
            found = selection.cross_val_predict(CRF(), *held, cv=folds)
            assert found.shape == (12,) and found.tolist() == y
        assert (selection.cross_val_score(CRF(edge_attributes={"a"}), *held, cv=3) == 1).all()
    X_train, X_test, y_train, y_test = selection.train_test_split(*series, random_state=0)
    assert CRF().fit(X_train, y_train).score(X_test, y_test) == 1
    even = selection.cross_val_predict(CRF(), [x[:1] for x in X], [labels[:1] for labels in y], cv=2)
    assert even.tolist() == [labels[:1] for labels in y]


@pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
@pytest.mark.parametrize("algorithm, theirs, ours", [
    ("ap", {}, {}), ("pa", {"type": 1, "c": 0.05}, {"c": 0.05}), ("pa", {"type": 0}, {"pa_type": 0}),
    ("pa", {"type": 2, "c": 0.1}, {"pa_type": 2, "c": 0.1}),
    ("arow", {"variance": 0.5, "gamma": 3.0}, {"variance": 0.5, "gamma": 3.0}),
])
def test_the_same_corrections_of_a_single_sequence(addresses, algorithm, theirs, ours, tmp_path):
    """One sequence has one order.  CRFsuite's mean takes in θ_0 = 0 as well, so it is n / (n + 1) of ours."""
    X, y = ([sum(part[:40], [])] for part in addresses)
    numbers = {label: f"{k:02}" for k, label in enumerate(dict.fromkeys(y[0]))}  # equals are told apart by order there
    y = [[numbers[label] for label in y[0]]]
    trainer = pycrfsuite.Trainer(algorithm=algorithm, verbose=False)
    trainer.append(X[0], y[0])
    trainer.set_params({"max_iterations": 7, "feature.possible_transitions": True, **theirs})
    trainer.train(str(tmp_path / "m"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "m"))
    info, share = tagger.info(), 1.0 if algorithm == "arow" else 7 / 8
    model = CRF(algorithm, max_iterations=7, all_possible_transitions=True, random_state=0, **ours).fit(X, y)
    for found, known in ((model.state_features_, info.state_features), (model.transition_features_, info.transitions)):
        assert set(known) <= set(found) and any(known.values())
        for feature, weight in found.items():
            # six decimals are written
            assert share * weight == pytest.approx(known.get(feature, 0.0), abs=2e-6), feature
