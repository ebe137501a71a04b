"""The tagger that reads both ways: its equations, and what it does with X and y of the CRF."""
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given

from scratchml.core.estimator import ConvergenceWarning, NotFittedError
from scratchml.core.sparse import Rows, dense
from scratchml.nn import Module, cross_entropy
from scratchml.sequences import CRF, BiLSTMTagger, neural_tagger
from scratchml.sequences.bilstm_tagger import BothWays, both_ways, emissions, token_loss, token_marginals, token_vectors
from scratchml.sequences.corpus import read_tokens
from scratchml.sequences.neural_tagger import TokenNetwork, batch
from scratchml.sequences.schemes import legal_transitions
from tests.reference import bilstm_tagger as reference
from tests.strategies import bilstm_tagger as strategies
from tests.strategies.tagger import TAGS, sentences

X, Y = sentences(40, seed=1)
SMALL = dict(hidden_size=6, embedding_dim=5, random_state=0)


def fitted(X=X, y=Y, **options):
    return BiLSTMTagger(**{**SMALL, "epochs": 2, **options}).fit(X, y)


# --- the equations

@given(strategies.networks())
def test_the_equations_are_those_of_the_definition(drawn):
    G, P, x, R, S, u, v, W, b, E, y = drawn.values()
    np.testing.assert_allclose(token_vectors(G, P), reference.token_vectors(dense(G), P), atol=1e-12)
    for ours, theirs in zip(both_ways(x, R, S), reference.both_ways(x, R, S)):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(emissions(u, v, W, b), reference.emissions(u, v, W, b), atol=1e-12)
    assert token_loss(E, y) == pytest.approx(reference.token_loss(E, y), rel=1e-12)
    np.testing.assert_allclose(token_marginals(E), reference.token_marginals(E), rtol=1e-12)


def weights(tagger):
    """The weights of a tagger of one layer by the symbols of the chapter, in float64."""
    state = {name: array.astype(float) for name, array in tagger.module_.state_dict().items()}
    R, S = (np.concatenate([state[f"reader.lstm.weight_ih_l0{way}"], state[f"reader.lstm.weight_hh_l0{way}"],
                            (state[f"reader.lstm.bias_ih_l0{way}"] + state[f"reader.lstm.bias_hh_l0{way}"])[:, None]],
                           axis=1)
            for way in ("", "_reverse"))
    return {"P": state["vectors.weight"], "R": R, "S": S, "W": state["scores.weight"], "b": state["scores.bias"]}


def scores_of(tagger, x):
    """The emissions of one sequence, by (1) to (3)."""
    _, rows = read_tokens([x], tagger._numbers, grow=False)
    rows = rows._replace(data=rows.data * tagger._units[rows.indices])
    P, R, S, W, b = weights(tagger).values()
    return emissions(*both_ways(token_vectors(rows, P), R, S), W, b)


def test_it_computes_the_equations_whatever_shares_the_batch():
    tagger = fitted(crf=False)
    for x, found in zip(X, tagger.predict_marginals(X)):
        np.testing.assert_allclose([list(p.values()) for p in found], token_marginals(scores_of(tagger, x)), atol=1e-6)
    for x in X[:3]:
        alone, = tagger.predict_marginals([x])
        with_others = tagger.predict_marginals([X[7], x, X[3] * 30])[1]
        np.testing.assert_allclose([list(p.values()) for p in alone], [list(p.values()) for p in with_others],
                                   atol=1e-6)


def test_a_batch_reads_each_sequence_as_if_it_were_alone():
    reader = BothWays(3, 4, 2, 0.0, np.random.default_rng(0)).eval()
    rng, lengths = np.random.default_rng(1), np.array([3, 1, 5, 3])
    x = np.rint(4 * rng.normal(size=(12, 3))).astype(np.float32)
    whole = reader(x, lengths)
    for first, n in zip(np.cumsum(lengths) - lengths, lengths):
        np.testing.assert_allclose(reader(x[first:first + n], np.array([n])).data, whole.data[first:first + n],
                                   atol=1e-6)


class AsTheyAre(Module):
    def forward(self, x, lengths):
        return x


def test_in_training_whole_attributes_are_dropped_and_the_mean_stays():
    legal = legal_transitions(["a"])
    net = TokenNetwork(AsTheyAre(), 2, 1, 1, 1, crf=False, legal=legal, dropout=0.0, attribute_dropout=0.2,
                       rng=np.random.default_rng(0))
    net.load_state_dict({"vectors.weight": [[1.0], [100.0]], "scores.weight": [[1.0]], "scores.bias": [0.0]})
    rows = Rows(np.arange(0, 8001, 2), np.tile([0, 1], 4000).astype(np.int32), np.tile([1.0, 3.0], 4000), (4000, 2))
    lengths = np.array([4000])
    seen, counts = np.unique(net(rows, lengths).data.round(3), return_counts=True)
    np.testing.assert_allclose(seen, [0, 1.25, 375, 376.25])
    np.testing.assert_allclose(counts / 4000, [0.04, 0.16, 0.16, 0.64], atol=0.03)
    assert (net.eval()(rows, lengths).data == 301).all()
    net.train().attribute_dropout, net.before.p = 0.0, 0.5
    assert set(net(rows, lengths).data.ravel()) == {0, 602}
    net.before.p, net.after.p = 0.0, 0.5
    assert set(net(rows, lengths).data.ravel()) == {0, 602}


# --- with a field and without

def possible(tagger, x, forbidden=None):
    """{path: log of its probability} of a field with the emissions of the equations."""
    E, K = scores_of(tagger, x), len(tagger.classes_)
    crf, legal = tagger.module_.crf, legal_transitions(tagger.classes_, forbidden)
    A, f, e = ((crf.transitions.data, crf.start_transitions.data, crf.end_transitions.data) if crf else
               (np.zeros((K, K)), np.zeros(K), np.zeros(K)))
    scores = {}
    for path in itertools.product(range(K), repeat=len(x)):
        if legal.first[path[0]] and legal.last[path[-1]] and all(legal.pairs[pair] for pair in zip(path, path[1:])):
            scores[path] = f[path[0]] + e[path[-1]] + E[np.arange(len(x)), path].sum() + \
                sum(A[p] for p in zip(path, path[1:]))
    total = np.logaddexp.reduce(list(scores.values()))
    return {tuple(tagger.classes_[k] for k in path): score - total for path, score in scores.items()}


@pytest.mark.parametrize("crf, forbidden", [(True, None), (True, "BIO"), (False, None), (False, "BIO")])
def test_answers_are_those_of_all_paths_enumerated(crf, forbidden):
    tagger = fitted(crf=crf, forbidden=forbidden)
    short = [x[:4] for x in X[:6]]
    marginals, best = tagger.predict_marginals(short), tagger.predict_n_best(short, 3)
    for x, labels, gamma, (paths, log_p) in zip(short, tagger.predict(short), marginals, best):
        p = possible(tagger, x, forbidden)
        assert p[tuple(labels)] == pytest.approx(max(p.values()), abs=1e-5)
        np.testing.assert_allclose(log_p, sorted(p.values(), reverse=True)[:3], atol=1e-4)
        np.testing.assert_allclose([p[tuple(path)] for path in paths], log_p, atol=1e-4)
        for t, shares in enumerate(gamma):
            for label in TAGS:
                share = sum(np.exp(q) for path, q in p.items() if path[t] == label)
                assert shares[label] == pytest.approx(share, abs=1e-5)
        if forbidden:
            assert all(shares["I-X"] == 0 == shares["I-Y"] for shares in gamma[:1])


@pytest.mark.parametrize("crf", [True, False])
def test_untrained_it_finds_nothing_forbidden(crf):
    tagger = fitted(crf=crf, forbidden="BIO", epochs=1, learning_rate=1e-12)
    legal = legal_transitions(tagger.classes_, "BIO")
    number = {label: k for k, label in enumerate(tagger.classes_)}
    for labels in tagger.predict(X):
        assert legal.first[number[labels[0]]] and legal.last[number[labels[-1]]]
        assert all(legal.pairs[number[a], number[b]] for a, b in zip(labels, labels[1:]))


@pytest.mark.parametrize("crf", [True, False])
def test_the_loss_is_the_mean_over_known_tokens_or_all(crf):
    short = [s for s in range(len(X)) if len(X[s]) < 5]                        # there are 5^T paths
    y = [[None if (s + t) % 3 == 0 else label for t, label in enumerate(Y[s])] for s in short]
    tagger = fitted([X[s] for s in short], y, crf=crf, epochs=1, learning_rate=1e-12, dropout=0.0,
                    attribute_dropout=0.0)
    total, count = 0.0, 0
    for x, labels in zip([X[s] for s in short], y):
        if crf:
            p = possible(tagger, x)
            total -= np.logaddexp.reduce([q for path, q in p.items()
                                          if all(b in (a, None) for a, b in zip(path, labels))])
            count += len(x)
        else:
            known = np.array([TAGS.index(label) if label else -1 for label in labels])
            order = [tagger.classes_.index(label) for label in TAGS]
            if (known >= 0).any():
                total += token_loss(scores_of(tagger, x)[:, order], known) * (known >= 0).sum()
            count += (known >= 0).sum()
    assert tagger.loss_history_ == [pytest.approx(total / count, rel=1e-5)]


def test_it_learns_what_the_neighbours_say():
    """The label of "it" is that of the word before or, at the start, of the word after: no attribute of it tells."""
    rng = np.random.default_rng(0)
    X, y = [], []
    for _ in range(80):
        kinds = rng.integers(2, size=rng.integers(2, 7))
        X.append([[f"w{k}"] for k in kinds])
        y.append([["A", "B"][k] for k in kinds])
        t = rng.integers(len(kinds))
        X[-1][t] = ["it"]
        y[-1][t] = y[-1][t - 1] if t else y[-1][1]
    tagger = BiLSTMTagger(8, embedding_dim=8, dropout=0.0, attribute_dropout=0.0, epochs=12, learning_rate=0.05,
                          random_state=0).fit(X[:40], y[:40])
    assert tagger.score(X[40:], y[40:]) > 0.98
    assert tagger.loss_history_[-1] < tagger.loss_history_[0] / 5


# --- exchanged for the CRF in one line

def reach(model, X, y, unseen):
    """All that both of them are asked."""
    model.fit(X, y)
    found, marginals = model.predict(unseen), model.predict_marginals(unseen)
    assert [len(labels) for labels in found] == [len(x) for x in unseen] == [len(p) for p in marginals]
    assert all(set(p) == set(model.classes_) and abs(sum(p.values()) - 1) < 1e-6 for x in marginals for p in x)
    assert model.predict_single(unseen[0]) == found[0]
    for (paths, log_p), labels in zip(model.predict_n_best(unseen, 2), found):
        assert paths[0] == labels and (np.diff(log_p) <= 0).all()
    known = [[labels[0], *[None] * (len(labels) - 1)] for labels in y[:3]]
    assert [labels[0] for labels in model.predict(X[:3], known=known)] == [labels[0] for labels in y[:3]]
    assert 0 <= model.score(X, y) <= 1
    return type(found), type(found[0]), type(found[0][0]), model.classes_, model.attributes_


NUMBERS = np.random.default_rng(0)
KINDS = {
    "dicts": X, "lists of strings": [[[f"{k}={v}" for k, v in token.items()] for token in x] for x in X],
    "arrays": [NUMBERS.normal(size=(len(x), 3)) for x in X], "float32": [np.ones((len(x), 2), np.float32) for x in X],
    "an array of objects": np.array([*X, None], object)[:-1], "tuples": tuple(tuple(x) for x in X),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [False, True])
def test_the_same_X_and_y_go_into_both(kind, numbers):
    given = KINDS[kind]
    y = [[TAGS.index(label) for label in labels] for labels in Y] if numbers else Y
    y[4] = [None] * len(y[4]) if numbers else y[4]
    answers = [reach(model, given, y, list(given[:5])) for model in
               (CRF(max_iterations=3, epsilon=1e9), BiLSTMTagger(**SMALL, epochs=1))]
    assert answers[0] == answers[1]


def test_sequences_may_be_empty_when_it_is_asked_and_attributes_unknown():
    tagger = fitted()
    assert tagger.predict([[], X[0], []])[::2] == [[], []] and tagger.predict([[]]) == [[]]
    assert tagger.predict_marginals([[], X[0]])[0] == []
    assert tagger.predict_n_best([[], X[0]], 2)[0][0] == [[]]
    nothing, something = tagger.predict_marginals([[{"never": "seen"}], [{}]])
    assert nothing == something


def test_tokens_may_have_no_attributes_at_all():
    tagger = fitted([[{}, {}]] * 9, [["O", "P"]] * 9, epochs=40, learning_rate=0.05, dropout=0.0)
    assert tagger.attributes_ == [] and tagger.predict([[{"new": True}, {}]]) == [["O", "P"]]


def test_iterators_are_read_once_and_a_series_by_its_order():
    pandas = pytest.importorskip("pandas")
    expected = fitted().predict_marginals(X[:5])
    tagger = fitted((x for x in X), (y for y in Y))
    assert tagger.predict_marginals(iter(X[:5])) == expected
    index = np.arange(40)[::-1] + 7
    assert fitted(pandas.Series(X, index),
                  pandas.Series(Y, index)).predict_marginals(pandas.Series(X, index)[:5]) == expected


# --- seeds, callbacks, files

def test_the_seed_decides_and_threads_do_not(monkeypatch):
    found = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(fitted().module_.state_dict())
    assert all((found[0][name] == found[1][name]).all() for name in found[0])
    other = fitted(random_state=1).module_.state_dict()
    assert (other["scores.weight"] != found[0]["scores.weight"]).any()


@pytest.mark.parametrize("crf", [True, False])
def test_a_file_holds_all_of_it(tmp_path, crf):
    seen = []
    tagger = fitted(crf=crf, forbidden=[("O", "I-X")] if crf else None, callback=seen.append,
                    X=[[{**token, "size": 1e6 * token["size"]} for token in x] for x in X],
                    y=[[("B-X" if label == "I-X" else label) for label in y] for y in Y], num_layers=2)
    tagger.set_params(hidden_size=99, crf=not crf)       # a wish for the next fit
    tagger.save(tmp_path / "model")
    loaded = BiLSTMTagger.load(tmp_path / "model")
    assert loaded.predict_marginals(X) == tagger.predict_marginals(X)
    assert loaded.classes_ == tagger.classes_ and loaded.attributes_ == tagger.attributes_
    assert loaded.loss_history_ == tagger.loss_history_ and loaded.n_iter_ == 2
    wished = {**tagger.get_params(), "callback": None, "random_state": None,
              "forbidden": [["O", "I-X"]] if crf else None}
    assert loaded.get_params() == wished
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()
    with pytest.raises(ValueError,
                       match="expected a file holding scratchml.sequences.CRF, got scratchml.sequences.BiLSTM"):
        CRF.load(tmp_path / "model")
    CRF(max_iterations=1, epsilon=1e9).fit(X, Y).save(tmp_path / "field")
    with pytest.raises(ValueError, match="expected a file holding scratchml.sequences.BiLSTMTagger"):
        BiLSTMTagger.load(tmp_path / "field")
    assert pickle.loads(pickle.dumps(tagger.set_params(callback=None))).predict(X) == tagger.predict(X)


def test_a_callback_sees_whole_epochs_and_can_ask_and_stop():
    seen = []

    def callback(progress):
        seen.append((progress.iteration, progress.loss, progress.estimator.score(X, Y)))
        return progress.iteration == 3

    tagger = fitted(epochs=9, callback=callback)
    assert [k for k, _, _ in seen] == [1, 2, 3] and tagger.n_iter_ == 3
    assert [loss for _, loss, _ in seen] == tagger.loss_history_
    assert fitted(epochs=3).loss_history_ == tagger.loss_history_             # asking has moved nothing


def test_an_interrupted_fit_keeps_the_last_whole_epoch():
    def callback(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt

    tagger = BiLSTMTagger(**SMALL, epochs=5, callback=callback)
    with pytest.raises(KeyboardInterrupt):
        tagger.fit(X, Y)
    assert tagger.n_iter_ == 2 and tagger.predict(X[:4]) == fitted(epochs=2).predict(X[:4])


def test_a_fit_that_fails_leaves_the_model_before():
    tagger = fitted()
    before = tagger.predict_marginals(X)
    with pytest.raises(ValueError):
        tagger.fit(X, Y[:-1])
    with pytest.raises(ValueError,
                       match="became NaN or infinite in training; lower learning_rate"), np.errstate(all="ignore"):
        tagger.set_params(learning_rate=1e38).fit(X, Y)
    assert tagger.predict_marginals(X) == before


def test_patience_brings_the_best_epoch_back():
    tagger = fitted(epochs=40, learning_rate=0.1, validation_split=0.3, patience=2)
    assert tagger.n_iter_ < 40 and len(tagger.loss_history_) == tagger.n_iter_
    best = int(np.argmin(tagger.loss_history_)) + 1
    assert tagger.n_iter_ == best + 2
    assert fitted(epochs=best, learning_rate=0.1, validation_split=0.3).predict_marginals(X[:3]) == \
        tagger.predict_marginals(X[:3])


# --- numbers of any size

@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-30, 2.0**30, 2.0**400])
def test_the_unit_of_a_number_does_not_matter(scale):
    arrays = [NUMBERS.normal(size=(len(x), 3)) for x in X]
    one, other = (fitted([array * s for array in arrays]) for s in (1.0, scale))
    assert one.predict_marginals(arrays) == other.predict_marginals([array * scale for array in arrays])


def test_numbers_far_from_zero_are_warned_of():
    arrays = [1e9 + NUMBERS.normal(size=(len(x), 2)) for x in X]
    with pytest.warns(ConvergenceWarning, match="standard deviations from 0.*subtract the mean"):
        fitted(arrays)


def test_values_beyond_float32_are_named():
    tagger = fitted([np.ones((len(x), 2)) for x in X])
    with pytest.raises(ValueError,
                       match="X: token 1 has the value 1e.60 for an attribute that was at most 2 in training"):
        tagger.predict([np.array([[1.0, 1], [1, 1e60]])])


def test_a_sequence_a_hundred_times_as_long():
    long = X[3] * 100
    tagger = fitted([*X, long], [*Y, Y[3] * 100], epochs=1)
    assert len(tagger.predict([long])[0]) == len(long)


# --- what is refused

@pytest.mark.parametrize("parameters, message", [
    (dict(crf="False"), "crf='False': expected True or False"), (dict(crf=1), "crf=1"),
    (dict(hidden_size=0), "hidden_size=0"),
    (dict(num_layers=0), "num_layers=0"), (dict(embedding_dim=0), "embedding_dim=0"),
    (dict(dropout=1.0), "dropout=1.0"),
    (dict(attribute_dropout=-0.1), "attribute_dropout=-0.1"),
    (dict(attribute_dropout=1), "attribute_dropout=1: expected"),
    (dict(epochs=0), "epochs=0"), (dict(batch_size=0), "batch_size=0"), (dict(learning_rate=0), "learning_rate=0"),
    (dict(learning_rate=np.nan), "learning_rate=nan"), (dict(validation_split=1.0), "validation_split=1.0"),
    (dict(patience=0), "patience=0"), (dict(max_norm=0), "max_norm=0"), (dict(random_state="x"), "random_state"),
    (dict(callback=5), "callback=5"), (dict(forbidden="IOB"), "forbidden='IOB'"), (dict(forbidden=5), "forbidden"),
])
def test_parameters_that_cannot_be_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        fitted(**parameters)


@pytest.mark.parametrize("given, labels, message", [
    ("abc", Y, "X: expected a list of sequences, got str"), ([], [], "the corpus is empty"),
    ([[]], [[]], "X.0.: the sequence"),
    (["abc"], [["O"] * 3], "X.0. is a str"), ([[b"a"]], [["O"]], "got bytes"), ([["a"]], [["O"]], "got str"),
    (X[:2], Y[:1], "expected 2 sequences of labels"), (X[:1], [["O"] * 99], "99 labels for the"),
    (X[:1], "O", "got str"),
    ([[{"a": np.nan}]], [["O"]], "nan; expected a finite number"), ([[{3: 1}]], [["O"]], "3 is not a string"),
    ([[{"a": [1]}]], [["O"]], "is a list"), ([np.array([[np.inf]])], [["O"]], "expected a finite number"),
    ([[["a"]]], [[None]], "no token has a label"), ([[["a"], ["b"]]], [["O", 1]], "all strings or all whole numbers"),
    ([[["a"]]], [[{}]], "strings or whole numbers"), (5, Y, "got int"), ({0: X}, Y, "got dict"),
])
@pytest.mark.parametrize("crf", [True, False])
def test_input_that_cannot_be_read_is_named(given, labels, message, crf):
    with pytest.raises(ValueError, match=message):
        BiLSTMTagger(**SMALL, crf=crf).fit(given, labels)


def test_labels_that_break_what_is_forbidden_are_named():
    with pytest.raises(ValueError, match=r"y\[1\]: .* breaks what `forbidden` allows"):
        fitted([[["a"], ["b"]]] * 2, [["B-X", "O"], ["O", "I-X"]], forbidden="BIO")


def test_asked_for_the_impossible_it_says_so():
    tagger = fitted(forbidden="BIO")
    with pytest.raises(ValueError, match="X.1.: no path is left"):
        tagger.predict(X[:2], known=[[None] * len(X[0]), ["I-X"] + [None] * (len(X[1]) - 1)])
    with pytest.raises(ValueError, match="n=0|R=0"):
        tagger.predict_n_best(X[:2], 0)
    with pytest.raises(ValueError, match="arrays of 2 columns, but the model was fitted on attributes"):
        tagger.predict([np.ones((3, 2))])
    with pytest.raises(NotFittedError):
        BiLSTMTagger().predict(X)
    with pytest.raises(NotFittedError):
        BiLSTMTagger().save("nowhere")


def test_symbols_that_look_special_are_ordinary():
    words = [[["<pad>"], ["<unk>"]], [["<s>"], [""]]]
    labels = [["<pad>", "None"], ["", "<s>"]]
    tagger = fitted(words, labels, epochs=60, learning_rate=0.05, dropout=0.0, attribute_dropout=0.0)
    assert tagger.predict(words) == labels


def test_sequences_of_like_length_share_a_batch_and_each_is_learned_once_an_epoch(monkeypatch):
    seen = []

    def spied(corpus, which):
        seen.append(np.diff(corpus.starts)[which])
        return batch(corpus, which)

    monkeypatch.setattr(neural_tagger, "batch", spied)
    fitted(batch_size=8, epochs=2)
    assert len(seen) == 10 and sorted(np.concatenate(seen[:5])) == sorted(map(len, X))
    ordered = sorted(seen[5:], key=lambda lengths: (lengths.min(), lengths.max()))
    assert all(a.max() <= b.min() for a, b in zip(ordered, ordered[1:]))
    assert [lengths.sum() for lengths in seen[:5]] != sorted(lengths.sum() for lengths in seen[:5])


def test_the_network_can_be_had():
    tagger = fitted()
    assert not tagger.module_.training
    assert {"vectors", "reader", "scores", "crf"} <= set(dict(tagger.module_.named_children()))
    rows = Rows(np.array([0, 1]), np.array([0]), np.array([1.0]), (1, len(tagger.attributes_)))
    assert tagger.module_(rows, np.array([1])).shape == (1, 5)
    assert cross_entropy(tagger.module_(rows, np.array([1])), [0]).requires_grad
