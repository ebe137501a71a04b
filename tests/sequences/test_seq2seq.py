"""The estimator from sequence to sequence: every sequence tried, two routes to one number, files, and hostile input."""
import itertools

import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.sequences import Seq2Seq, Vocabulary
from scratchml.sequences.beam import length_penalty
from scratchml.sequences.lessons import forcing, padded, teacher

X = ["ab", "ba", "aab", "b", "bba", "abab"]
Y = [x.upper()[::-1] for x in X]
SMALL = dict(hidden_size=4, embedding_dim=3, epochs=1, batch_size=4, random_state=0)
OPTIONS = [dict(attention="bahdanau"), dict(attention="luong"), dict(attention=None), dict(architecture="transformer")]


def fitted(X=X, y=Y, **options):
    return Seq2Seq(**{**SMALL, **options}).fit(X, y)


@pytest.fixture(scope="module", params=OPTIONS, ids=lambda options: next(iter(options.values())))
def model(request):
    return fitted(**request.param, learning_rate=0.1, epochs=3)


# --- what it learns

@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options.values())))
def test_it_learns_to_turn_round(options):
    words = ["".join(word) for n in (1, 2) for word in itertools.product("abc", repeat=n)]
    epochs, rate = (40, 0.03) if "architecture" in options else (30, 0.05)
    model = Seq2Seq(8, embedding_dim=6, **options, dropout=0.0, epochs=epochs, batch_size=3, learning_rate=rate,
                    random_state=0).fit(words, [word[::-1] for word in words])
    assert model.score(words, [word[::-1] for word in words]) > 0.75 and model.loss_history_[-1] < 0.3
    assert model.error_rate(words, [word[::-1] for word in words]) < 0.15


# --- the search is exact, and its numbers are those of the model

@pytest.mark.parametrize("penalty", [0.0, 1.0, -0.5])
def test_a_wide_beam_is_every_sequence(model, penalty):
    """The best of all 1 + 2 + 4 sequences of at most two symbols and an end."""
    model.set_params(length_penalty=penalty, max_length=3)
    for x in ("a", "bba"):
        every = ["".join(word) for n in range(3) for word in itertools.product("AB", repeat=n)]
        score = model.log_likelihood([x] * 7, every) / [length_penalty(len(word) + 1, penalty, "wu") for word in every]
        best = np.argsort(-score)[:4]
        (found, likelihoods), = model.predict_n_best([x], 4)
        assert found == [every[k] for k in best]
        np.testing.assert_allclose(likelihoods, model.log_likelihood([x] * 4, found), rtol=1e-5)
    model.set_params(length_penalty=0.0, max_length=None)


def test_all_sequences_have_a_probability_of_one(model):
    """Of at most four symbols and an end, and of those that go on."""
    def below(n):
        return np.exp(model.log_likelihood(["ab"] * 2**n,
                                           ["".join(w) for w in itertools.product("AB", repeat=n)])).sum()
    ended = sum(below(n) for n in range(5))
    model.set_params(max_length=5, beam_size=32)
    drawn = model.sample(["ab"], 2000, random_state=0)[0]
    model.set_params(max_length=None, beam_size=5)
    assert ended < 1 + 1e-5
    assert np.mean([len(word) < 5 for word in drawn]) == pytest.approx(ended, abs=0.06)       # five standard errors


def test_a_beam_of_one_follows_the_most_probable_symbol(model):
    step, state = model.module_.start(*padded([model.source_.encode("aab")]))
    number, path, total = np.array([model.module_.size]), [], 0.0
    prefixes = {}
    for n in range(16):
        z, state, _ = step(state, number)
        log_p = z[0] - np.log(np.exp(z[0]).sum())
        prefixes["".join(path)] = total + log_p[0]
        number = 1 + log_p[1:].argmax(keepdims=True)
        total += log_p[number[0]]
        path.append(model.target_.symbols[number[0] - 1])
    assert model.predict(["aab"], beam_size=1) == [max(prefixes, key=prefixes.get)]


def test_a_source_is_answered_the_same_beside_others(model):
    together, alone = model.predict_n_best(X, 3), [model.predict_n_best([x], 3)[0] for x in X]
    for (words, likelihoods), (others, theirs) in zip(together, alone):
        assert words == others
        np.testing.assert_allclose(likelihoods, theirs, rtol=1e-5)
    np.testing.assert_allclose(model.log_likelihood(X, Y), [model.log_likelihood([x], [y])[0] for x, y in zip(X, Y)],
                               rtol=1e-5)


def test_alignments_by_both_routes(model):
    if not model.module_.looks:
        with pytest.raises(ValueError, match="attention=None: a model without attention"):
            model.alignments(X)
        return
    model.set_params(max_length=30)
    found = model.predict(X)
    for x, y, one, two in zip(X, found, model.alignments(X), model.alignments(X, found)):
        assert one.shape == two.shape == (len(y) + 1, len(x))
        np.testing.assert_allclose(one, two, atol=1e-5)
        np.testing.assert_allclose(one.sum(axis=1), 1, rtol=1e-5)
    model.set_params(max_length=None)


def test_score_and_error_rate_by_hand(model):
    found = model.predict(X)
    assert model.score(X, [*found[:3], "A" * 50, "B" * 50, "AB" * 25]) == 0.5
    assert model.error_rate(X, [*found[:5], found[5] + "A"]) == pytest.approx(1 / (sum(map(len, found)) + 1))


def test_what_is_sampled(model):
    few = model.sample(["ab", "b"], 3, random_state=1)
    assert [len(words) for words in few] == [3, 3] and few == model.sample(["ab", "b"], 3, random_state=1)
    cold = model.sample(["ab"], 2, temperature=1e-4, random_state=0)[0]
    assert cold[0] == cold[1] and set("".join(cold)) <= {"A", "B"}
    model.set_params(max_length=2)
    assert max(len(word) for word in model.sample(["abab"], 50, random_state=0)[0]) == 2
    model.set_params(max_length=None)


# --- teacher forcing

def test_with_the_coin_at_one_nothing_is_drawn():
    plain = fitted(epochs=2, dropout=0.0)
    assert fitted(epochs=2, dropout=0.0, teacher_forcing=("linear", 0.0, 0.0)).loss_history_ == plain.loss_history_
    drawn = fitted(epochs=2, dropout=0.0, teacher_forcing=0.0)
    assert drawn.loss_history_ != plain.loss_history_ and np.isfinite(drawn.loss_history_).all()
    assert fitted(epochs=2, dropout=0.0, teacher_forcing=("linear", 1e9, 0.0)).loss_history_ != drawn.loss_history_


def test_schedules_by_hand():
    assert [forcing(("linear", 0.25, 0.3))(i) for i in range(5)] == [1, 0.75, 0.5, 0.3, 0.3]
    assert [forcing(("exponential", 0.5))(i) for i in range(3)] == [1, 0.5, 0.25]
    assert forcing(("sigmoid", 9.0))(0) == pytest.approx(0.9) and forcing(0.5)(100) == 0.5


def test_what_a_decoder_is_given_and_answers():
    numbers = [Vocabulary("xyz").encode(word) for word in ("zx", "", "y")]
    inputs, answers, steps = teacher(numbers, 4)
    assert inputs.tolist() == [[4, 3, 1], [4, 0, 0], [4, 2, 0]]
    assert answers.tolist() == [3, 1, 0, 0, 2, 0] and steps.tolist() == [3, 1, 2]


# --- training

def test_the_loss_is_that_of_the_likelihood_and_asking_changes_nothing():
    still = fitted(dropout=0.0, learning_rate=1e-12)
    symbols = sum(len(y) + 1 for y in Y)
    assert still.loss_history_[0] == pytest.approx(-still.log_likelihood(X, Y).sum() / symbols, rel=1e-5)
    asked = dict(epochs=3, dropout=0.5)
    asking = fitted(**asked, callback=lambda progress: len(progress.estimator.predict(X)) == 0)
    assert asking.loss_history_ == fitted(**asked).loss_history_
    assert not any(module.training for module in asking.module_.modules())


def test_the_same_seed_gives_the_same_bits_and_a_callback_stops():
    one, other = fitted(teacher_forcing=0.5), fitted(teacher_forcing=0.5)
    assert one.loss_history_ == other.loss_history_ and (one.log_likelihood(X, Y) == other.log_likelihood(X, Y)).all()
    assert fitted(epochs=9, callback=lambda progress: progress.iteration == 2).n_iter_ == 2


def test_an_interrupt_leaves_the_last_epoch_and_a_failure_what_was():
    def callback(progress):
        seen.append(progress.estimator.log_likelihood(X, Y))
        if progress.iteration == 2:
            raise KeyboardInterrupt
    seen, model = [], Seq2Seq(**{**SMALL, "epochs": 5}, callback=callback)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert model.n_iter_ == 2 and (model.log_likelihood(X, Y) == seen[1]).all()
    with pytest.raises(ValueError, match="empty sequence"):
        model.fit(["x", ""], ["y", "y"])
    assert (model.log_likelihood(X, Y) == seen[1]).all()


def test_validation_and_patience():
    model = fitted(X * 4, Y * 4, epochs=30, validation_split=0.25, patience=1, learning_rate=0.5)
    assert model.n_iter_ < 30


# --- keeping

@pytest.mark.parametrize("options, y", list(zip(OPTIONS, (Y, [list(y) for y in Y], [[1, "a"]] * 6, Y))))
def test_a_file_holds_all_of_it(tmp_path, options, y):
    model = fitted(y=y, **options, num_layers=2, teacher_forcing=("linear", 0.1, 0.5))
    model.hidden_size, model.attention, model.beam_size = 50, "dot", 3           # too late for this model
    model.save(tmp_path / "model")
    again = Seq2Seq.load(tmp_path / "model")
    assert again.predict(X) == model.predict(X) and again.beam_size == 3 and again.n_iter_ == 1
    np.testing.assert_array_equal(again.log_likelihood(X, y), model.log_likelihood(X, y))
    again.set_params(hidden_size=4, architecture="lstm", attention=None).fit(X, y)
    assert again.n_iter_ == 1


def test_what_cannot_be_saved_or_loaded(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        Seq2Seq().save(tmp_path / "a")
    (tmp_path / "foreign").write_bytes(b"x")
    with pytest.raises(ValueError, match="foreign"):
        Seq2Seq.load(tmp_path / "foreign")
    with pytest.raises(ValueError, match=r"a file holds strings and numbers, got \('a', 1\)"):
        fitted([[("a", 1)]], ["b"]).save(tmp_path / "b")


# --- what comes in

@pytest.mark.parametrize("X, y", [
    (["a"], [""]), (["a", "b"], ["", "xy"]), ([["a", 1, None], [2.5]], [["x"], [("y", 2)]]), ((w for w in X), iter(Y)),
    (np.array(X), np.array(Y)), (["<s>", "<pad>"], [["</s>", "<unk>", "<s>"], []]), ([["<pad>"], ["</s>"]], ["a", "b"]),
    (["ab" * 50, "a", "b"], ["A", "B" * 60, ""]),
    ([np.array([1, 2]), np.array([3])], [np.array([4]), np.array([5, 6])]),
])
def test_ordinary_and_strange_symbols(X, y):
    X, y = list(X), list(y)
    model = fitted(iter(X), iter(y))
    assert len(model.predict(X)) == len(X) and np.isfinite(model.log_likelihood(X, y)).all()
    assert isinstance(model.predict(X)[0], str) == all(isinstance(t, str) for t in y)
    assert model.predict([]) == [] and model.log_likelihood([], []).size == 0


def test_what_training_has_not_seen():
    model = fitted()
    assert isinstance(model.predict(["xyz"])[0], str)
    assert model.log_likelihood(["ab", "ab"], ["AxB", "A"])[0] == -np.inf
    with pytest.raises(ValueError, match=r"y\[1\]: training has not seen 'x'"):
        model.alignments(["ab", "ab"], ["A", "AxB"])


def test_a_decoder_that_never_ends_is_cut():
    model = fitted(max_length=4)
    model.module_.decoder.scores.bias.data[0] = -np.inf
    found, = model._search(["ab"])
    assert not found.finished[0] and len(model.predict(["ab"])[0]) == 4 and model.alignments(["ab"])[0].shape == (4, 2)


def test_fewer_hypotheses_than_asked_for():
    model = fitted(["a", "b"], ["", ""], max_length=3)
    (found, likelihoods), = model.predict_n_best(["a"], 9)
    assert found == [""] and likelihoods == pytest.approx([0.0])


@pytest.mark.parametrize("X, y, message", [
    ("abc", "abc", "X: expected a list of sequences, got 'abc'"), (["abc"], "abc", "y: expected a list of sequences"),
    ([], [], "at least one sequence"), (["a", ""], ["b", "c"], r"X\[1\]: expected at least one symbol, got an empty"),
    (["a", "b"], ["c"], "X has 2 sequences, y has 1"), ([[float("nan")]], ["a"], r"X\[0\]: nan is not equal to itself"),
    (["a"], [[float("nan")]], r"y\[0\]: nan is not equal"), ([[["a"]]], ["b"], r"X\[0\]: .*keys of a dict"),
    (["a"], [3], r"y\[0\]: expected a string or a list"), ({"a"}, ["b"], "X: expected a list"),
    (b"ab", ["b"], "X: expected a list of sequences, got b'ab'"), ({"a": 1}, ["b"], "X: expected"),
    (["a"], None, "y: expected a list of sequences, got None"),
    (Tensor(np.ones((1, 2))), ["b"], r"X\[0\]: .* keys of a dict, got a Tensor; pass a list"),
    ([{"a"}], ["b"], r"X\[0\]: expected a string or a list"),
])
def test_input_that_cannot_be_read_is_named(X, y, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, y)


@pytest.mark.parametrize("parameters, message", [
    (dict(hidden_size=0), "hidden_size=0"), (dict(embedding_dim=0), "embedding_dim=0"),
    (dict(num_layers=0), "num_layers=0"),
    (dict(architecture="gru"), "architecture='gru'"),
    (dict(architecture="transformer", hidden_size=6), "multiple of 4"),
    (dict(architecture="transformer", attention=None), "attention=None: a transformer has attention of its own"),
    (dict(attention="dot"), "attention='dot'"), (dict(attention=True), "attention=True"),
    (dict(dropout=1.0), "dropout=1.0"),
    (dict(label_smoothing=1), "label_smoothing=1"), (dict(epochs=0), "epochs=0"), (dict(batch_size=0), "batch_size=0"),
    (dict(learning_rate=0), "learning_rate=0"), (dict(max_norm=-1), "max_norm=-1"), (dict(patience=0), "patience=0"),
    (dict(callback=3), "callback=3"), (dict(teacher_forcing=1.5), "teacher_forcing=1.5"),
    (dict(teacher_forcing="linear"), "teacher_forcing='linear'"), (dict(teacher_forcing=("linear", 1.0)), "linear"),
    (dict(teacher_forcing=("exponential", 2.0)), "exponential"), (dict(teacher_forcing=("sigmoid", 0.0)), "sigmoid"),
    (dict(teacher_forcing=("cubic", 0.0)), "cubic"), (dict(teacher_forcing=()), "teacher_forcing="),
    (dict(teacher_forcing=None), "teacher_forcing=None"),
])
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        fitted(**parameters)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_lost_are_told(value):
    model = fitted()
    model.module_.decoder.scores.bias.data[1] = value
    for ask in (model.predict, model.alignments, model.sample, lambda X: model.log_likelihood(X, Y)):
        with pytest.raises(ValueError,
                           match="NaN or infinite, as training has diverged; fit with a lower learning_rate"):
            ask(X)


def test_nothing_to_judge():
    with pytest.raises(ValueError, match="X: expected at least one sequence"):
        fitted().score([], [])
    with pytest.raises(ValueError, match="y: expected at least one symbol"):
        fitted().error_rate(["ab"], [""])


def test_bad_arguments_of_the_search():
    model = fitted()
    for call, message in ((lambda: model.predict(X, beam_size=0), "beam_size=0"), (lambda: model.predict("ab"), "X: "),
                          (lambda: model.predict_n_best(X, 0), "n=0"), (lambda: model.predict([""]), r"X\[0\]"),
                          (lambda: model.sample(X, 0), "n=0"),
                          (lambda: model.sample(X, temperature=0), "temperature=0"),
                          (lambda: model.set_params(max_length=0).predict(X), "max_length=0"),
                          (lambda: model.set_params(max_length=5, length_penalty=np.inf).predict(X), "length_penalty"),
                          (lambda: Seq2Seq().predict(X), "not fitted")):
        with pytest.raises(ValueError, match=message):
            call()
