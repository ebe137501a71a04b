"""In the place of sklearn-crfsuite: what its own tests ask of a tagger that a user sees, and its figures beside ours.

Not asked: attributes that are None before a fit, where scikit-learn has none, and `size_`, the bytes of CRFsuite's
file.
"""
import pickle

import numpy as np
import pytest

from scratchml.metrics.tagging import label_scores, sequence_accuracy, token_accuracy
from scratchml.sequences import CRF

theirs = pytest.importorskip("sklearn_crfsuite")
pytestmark = pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
each_algorithm = pytest.mark.parametrize("algorithm", ["lbfgs", "l2sgd", "ap", "pa", "arow"])

# A week of rivers: numbers of any size, a token without a feature, a text in bytes.
LEVELS = [0.2, 0.9, None, 1.4, 0.1, 0.0, 1.2]
DAYS = [{} if level is None else {"level": level, ("low" if level < 1 else "high"): True} for level in LEVELS]
DAYS[5] = {"Fluß".encode(): "trüb".encode(), "low": 1}
WATER = ["calm", "calm", "calm", "flood", "calm", "calm", "flood"]


@each_algorithm
@pytest.mark.parametrize("judged", [False, True])
def test_it_finds_the_labels_that_it_has_learned(algorithm, judged):
    held_out = ([DAYS], [WATER]) if judged else (None, None)
    model = CRF(algorithm, verbose=True, random_state=0).fit(X=[DAYS, DAYS], y=[WATER, WATER], X_dev=held_out[0],
                                                             y_dev=held_out[1])
    peer = theirs.CRF(algorithm).fit([DAYS, DAYS], [WATER, WATER])
    assert len(model.dev_scores_) == (model.n_iter_ if judged else 0)
    assert model.score([DAYS], [WATER]) >= peer.score([DAYS], [WATER])
    if algorithm != "ap":
        assert (model.predict([DAYS]) == [WATER]).all() and model.predict_single(DAYS) == WATER
        for tagger in (model, peer):
            assert (tagger.predict([DAYS]) == WATER).all()
            assert (tagger.predict([DAYS]) == WATER).shape == (1, len(WATER))


@each_algorithm
def test_each_token_has_a_probability_for_each_label(algorithm):
    model = CRF(algorithm, random_state=0).fit([DAYS], [WATER])
    (tokens,) = model.predict_marginals([DAYS])
    assert len(tokens) == len(DAYS) and all(set(token) == {"calm", "flood"} for token in tokens)
    np.testing.assert_allclose([sum(token.values()) for token in tokens], 1, atol=1e-12)
    assert set(model.tagger_.labels()) == set(tokens[0])


def test_questions_about_one_sequence_have_the_same_answers():
    options = dict(c2=0.3, epsilon=1e-9, delta=0.0, max_iterations=300)
    ours, peer = (made(**options).fit([DAYS, DAYS[2:]], [WATER, WATER[2:]]) for made in (CRF, theirs.CRF))
    found = [[tagger.tag(DAYS), tagger.probability(WATER), *(tagger.marginal("flood", t) for t in range(len(DAYS)))]
             for tagger in (ours.tagger_, peer.tagger_)]
    assert found[0][0] == found[1][0] == WATER
    np.testing.assert_allclose(found[0][1:], found[1][1:], atol=1e-4)
    mine, other = ours.tagger_.info(), peer.tagger_.info()
    assert set(mine.labels) == set(other.labels) and set(mine.attributes) == set(other.attributes)
    for name in ("transitions", "state_features"):
        weights = getattr(other, name)
        np.testing.assert_allclose([getattr(mine, name)[key] for key in weights], list(weights.values()), atol=1e-3)
    assert ours.predict_marginals_single(DAYS)[3] == pytest.approx(peer.predict_marginals_single(DAYS)[3], abs=1e-4)


@each_algorithm
def test_it_can_be_pickled_and_not_be_asked_before_it_has_learned(algorithm):
    model = CRF(algorithm=algorithm, random_state=0)
    with pytest.raises(ValueError, match="not fitted"):
        model.predict([DAYS])
    copy = pickle.loads(pickle.dumps(model.fit([DAYS], [WATER]), protocol=pickle.HIGHEST_PROTOCOL))
    assert copy.algorithm == algorithm and copy.score([DAYS], [WATER]) == model.score([DAYS], [WATER]) > 0.8


def test_a_file_holds_the_model(tmp_path):
    path = str(tmp_path / "river")
    model = CRF(model_filename=path).fit([DAYS], [WATER])
    for same in (CRF(model_filename=path), pickle.loads(pickle.dumps(model))):
        assert same.score([DAYS], [WATER]) == 1


def test_scikit_learn_can_validate_it():
    selection = pytest.importorskip("sklearn.model_selection")
    assert selection.cross_val_score(CRF(), [DAYS] * 8, [WATER] * 8, cv=4).tolist() == [1] * 4


def test_both_kinds_of_what_is_held_out():
    for model in (CRF(), theirs.CRF()):
        with pytest.raises(ValueError):
            model.fit([DAYS], [WATER], [DAYS])


def test_what_it_says_of_itself():
    model, peer = CRF().fit([DAYS] * 9, [WATER] * 9), theirs.CRF().fit([DAYS] * 9, [WATER] * 9)
    assert set(model.attributes_) == set(peer.attributes_) and len(model.attributes_) == peer.num_attributes_
    assert model.classes_ == sorted(peer.classes_)
    assert set(model.transition_features_) >= set(peer.transition_features_)
    assert {key for key, w in model.state_features_.items() if w} >= set(peer.state_features_)
    for weights in (model.state_features_, model.transition_features_):
        assert weights and all(isinstance(weight, float) for weight in weights.values())


# --- figures

TRUE = [["a", "c", "b", "a"], ["b"], ["c", "a"]]
FOUND = [["a", "b", "b", "a"], ["b"], ["a", "a"]]


def test_its_figures():
    metrics = pytest.importorskip("sklearn_crfsuite.metrics")
    assert token_accuracy(TRUE, FOUND) == metrics.flat_accuracy_score(TRUE, FOUND) == 5 / 7
    scores = label_scores(TRUE, FOUND)
    options = dict(average=None, labels=list(scores), zero_division=0)
    for name in ("precision", "recall", "f1"):
        peer = getattr(metrics, f"flat_{name}_score")(TRUE, FOUND, **options)
        np.testing.assert_allclose([getattr(one, name) for one in scores.values()], peer, rtol=1e-15)
    for found in (FOUND, TRUE, [["a", "c", "b", "b"], ["c"], ["a", "c"]]):
        assert sequence_accuracy(TRUE, found) == metrics.sequence_accuracy_score(TRUE, found)
