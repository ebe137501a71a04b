"""The dual encoder: what it learns, encoders sequence by sequence, pools, duplicates, saving, and bad input."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.core.estimator import ConvergenceWarning
from scratchml.core.random import generator
from scratchml.metrics import recall_at_k_of_n
from scratchml.nn.contrastive import RightAnswers, in_batch_hinge
from scratchml.sequences import DualEncoder, Vocabulary, dual_encoder, encoders
from scratchml.sequences.dual_encoder import TwoEncoders, _Lessons
from scratchml.sequences.encoders import ENCODERS, Bag, BothEnds, Numbered, SequenceEncoder, Windows, told_apart
from scratchml.sequences.vocabulary import PAD, UNKNOWN
from tests.reference import contrastive as reference

WORDS = ["abc", "ca", "b", "bba", "cbca", "acb", "aab", "bcc"]
SAID = [word[::-1].upper() for word in WORDS]
SMALL = dict(dim=5, hidden_size=4, embedding_dim=3, epochs=2, batch_size=4, random_state=0)
LOSSES = [dict(negatives=name) for name in ("in_batch", "hard", "semi_hard", "random")] + [dict(loss="softmax")]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: next(iter(loss.values())))
each_encoder = pytest.mark.parametrize("kind", ENCODERS)


@pytest.fixture(scope="module")
def model():
    return DualEncoder(**SMALL).fit(WORDS, SAID)


# --- training

@each_loss
@pytest.mark.parametrize("symmetric", [True, False])
def test_it_learns_which_belong_together(loss, symmetric):
    """One wrong answer at a time, or the semi-hard one, may leave another ahead."""
    parameters = {**SMALL, **loss, "epochs": 60, "learning_rate": 0.02, "dim": 16, "symmetric": symmetric}
    model = DualEncoder(**{**parameters, "encoder": "bag", "hidden_size": 32, "batch_size": 8}).fit(WORDS[:5], SAID[:5])
    assert model.loss_history_[-1] < model.loss_history_[0] / 2
    if loss.get("negatives") not in ("random", "semi_hard"):
        assert model.index(SAID[:5]).search(WORDS[:5])[0].ravel().tolist() == [0, 1, 2, 3, 4]
        assert model.score(WORDS[:5], SAID[:5], n=None) == 1


@each_encoder
@pytest.mark.parametrize("shared", [True, False])
def test_every_encoder_learns(kind, shared):
    same = DualEncoder(**{**SMALL, "epochs": 20, "learning_rate": 0.03, "encoder": kind, "shared": shared, "dim": 8})
    same.fit(WORDS[:6], [word + word for word in WORDS[:6]])
    assert same.loss_history_[-1] < same.loss_history_[0] / 2
    assert (same.module_.contexts is same.module_.answers) == shared
    assert isinstance(same.module_.contexts.reader, {"gru": BothEnds, "bag": Bag, "conv": Windows}[kind])
    assert (same.encode_contexts(["ab"]) == same.encode_answers(["ab"])).all() == shared


def lessons(contexts, answers, loss=in_batch_hinge):
    vocabularies = Vocabulary.of(contexts), Vocabulary.of(answers)
    network = TwoEncoders(list(map(len, vocabularies)), 3, 4, 5, "gru", False, generator(0))
    return _Lessons(network, [Numbered.of(*side) for side in zip((contexts, answers), vocabularies)],
                    tuple(told_apart(side)[0] for side in (contexts, answers)), loss)


def test_the_loss_of_a_batch_is_the_definition_of_all_that_is_known():
    """Of "a" the answer "y" is known from a pair that is not in the batch."""
    contexts, answers = ["a", "b", "c", "a", "d", "a"], ["x", "y", "z", "x", "xx", "y"]
    taught = lessons(contexts, answers)
    which = np.array([3, 1, 4, 0])
    S, wrong = taught.compared(which)
    right = set(zip(contexts, answers))
    expected = [[(contexts[i], answers[j]) not in right for j in which] for i in which]
    assert wrong.tolist() == expected and not wrong[0, 1] and wrong[1, 0]
    total, count = taught(which)
    assert count == 4
    assert total.item() / 4 == pytest.approx(reference.in_batch_hinge(S.data.astype(float), wrong, 0.2), rel=1e-5)
    assert S.data == pytest.approx(np.array(reference.cosines_of_all(
        *(encoder(*side.batch(which)).data.astype(float) for encoder, side in
          zip((taught.network.contexts, taught.network.answers), taught.sides)))), abs=1e-6)


def test_a_batch_without_a_wrong_answer_teaches_nothing():
    total, count = lessons(["a", "b", "c"], ["x", "x", "y"])(np.array([0, 1]))
    assert (total.item(), count) == (0, 0)


def test_an_epoch_in_which_no_batch_has_a_wrong_answer_is_an_error():
    """Of three pairs one is alone, and often it is the one whose answer differs."""
    with pytest.raises(ValueError, match="batch_size=2: no batch of an epoch had an answer that is wrong"):
        DualEncoder(**{**SMALL, "batch_size": 2, "epochs": 100}).fit(["a", "b", "c"], ["x", "x", "y"])


def test_same_seed_same_bits():
    for loss in LOSSES:
        one, other = (DualEncoder(**{**SMALL, **loss}).fit(WORDS, SAID) for _ in range(2))
        assert one.loss_history_ == other.loss_history_
        one_way = DualEncoder(**{**SMALL, **loss, "symmetric": False}).fit(WORDS, SAID)
        assert one_way.loss_history_ != other.loss_history_
        assert (one.similarity(WORDS, SAID) == other.similarity(WORDS, SAID)).all()
    another = DualEncoder(**{**SMALL, "random_state": 1}).fit(WORDS, SAID)
    assert (another.encode_answers(SAID) != other.encode_answers(SAID)).any()


def test_a_callback_hears_of_every_epoch_and_stops():
    told = []

    def callback(progress):
        told.append((progress.iteration, progress.loss, progress.estimator.similarity(WORDS, SAID)))
        return len(told) == 2
    model = DualEncoder(**{**SMALL, "epochs": 9}, callback=callback).fit(WORDS, SAID)
    assert [i for i, _, _ in told] == [1, 2] and model.n_iter_ == 2
    assert model.loss_history_ == [loss for _, loss, _ in told]
    assert (model.similarity(WORDS, SAID) == told[1][2]).all() and not model.module_.training
    assert all(parameter.grad is None for parameter in model.module_.parameters())


def test_an_interrupt_leaves_the_last_epoch():
    def callback(progress):
        seen.append(progress.estimator.similarity(WORDS, SAID))
        if progress.iteration == 2:
            raise KeyboardInterrupt
    seen, model = [], DualEncoder(**{**SMALL, "epochs": 5}, callback=callback)
    with pytest.raises(KeyboardInterrupt):
        model.fit(WORDS, SAID)
    assert model.n_iter_ == 2 and (model.similarity(WORDS, SAID) == seen[1]).all()


def test_a_second_fit_forgets_the_pool_and_one_that_fails_nothing():
    model = DualEncoder(**SMALL).fit(WORDS, SAID).index(SAID)
    before = model.search(WORDS, 2)
    with pytest.raises(ValueError, match="none of the 8 is wrong"):
        model.fit(WORDS, ["x"] * 8)
    assert (model.search(WORDS, 2)[0] == before[0]).all()
    with pytest.raises(ValueError, match="there is no pool"):
        model.fit(["q", "r"], ["s", "t"]).search(["q"])
    assert model.context_symbols_ == ["q", "r"] and model.answer_symbols_ == ["s", "t"]


def test_vectors_that_become_alike_are_told_of(monkeypatch):
    taught = lessons(WORDS, SAID)
    for encoder in (taught.network.contexts, taught.network.answers):
        encoder.vector.weight._data[:], encoder.vector.bias._data[:] = 0, 1
    assert taught.likeness() == pytest.approx(1)
    monkeypatch.setattr(dual_encoder, "ALIKE", -1.0)
    with pytest.warns(ConvergenceWarning, match="all vectors have become alike"):
        DualEncoder(**SMALL).fit(WORDS, SAID)


# --- encoding

@each_encoder
def test_a_sequence_has_the_same_vector_beside_longer_ones(kind):
    encoder = SequenceEncoder(9, 3, 4, 5, kind, generator(0)).double()
    sides = Numbered.of(["a", "abcab", "ca", "b" * 40], Vocabulary("abc"))
    together = encoder(*sides.batch(np.arange(4))).data
    for n in range(4):
        np.testing.assert_allclose(together[n], encoder(*sides.batch(np.array([n]))).data[0], rtol=0, atol=1e-14)
    swapped = encoder(*Numbered.of(["ba", "ab"], Vocabulary("abc")).batch(np.arange(2))).data
    assert np.allclose(*swapped, rtol=0, atol=1e-14) == (kind == "bag")
    vectors = encoder.symbols.weight.data
    assert not vectors[[PAD, UNKNOWN]].any() and vectors[4:].any()
    if kind == "bag":
        mean = Numbered.of(["abcc"], Vocabulary("abc")).batch(np.array([0]))
        layer = encoder.reader.hidden
        hidden = np.maximum(layer.weight.data @ vectors[[4, 5, 6, 6]].mean(axis=0) + layer.bias.data, 0)
        np.testing.assert_allclose(encoder.reader(encoder.symbols(mean[0]), mean[1]).data[0], hidden, rtol=1e-12)


def test_batches_are_as_long_as_their_longest_and_sequences_as_their_symbols_say():
    numbers, lengths = Numbered.of(["ab", "c", "bbb"], Vocabulary("abc")).batch(np.array([1, 0]))
    assert numbers.tolist() == [[6, PAD], [4, 5]] and lengths.tolist() == [1, 2]
    assert [array.tolist() for array in told_apart(["ab", ["a", "b"], ["ab"], [1], [1.0], "ab"])] == [
        [0, 0, 1, 2, 2, 0], [0, 2, 3]]


def test_vectors_have_length_one_and_equal_sequences_equal_bits(model, monkeypatch):
    monkeypatch.setattr(encoders, "AT_ONCE", 7)
    some = ["abc", "c", "aaaaaaaaaaaaaaa", "abc", list("abc"), "b"]
    vectors = model.encode_contexts(some)
    assert vectors.shape == (6, 5) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert (vectors[[0, 0]] == vectors[[3, 4]]).all() and (vectors[1] != vectors[5]).all()
    np.testing.assert_allclose(vectors[[2]], model.encode_contexts(some[2:3]), rtol=0, atol=1e-6)
    assert model.encode_answers([]).shape == (0, 5) and model.similarity([], SAID).shape == (0, 8)


def test_unknown_symbols_are_nothing_and_no_two_of_them_the_same(model):
    vectors = model.encode_answers(["?", "!", "A?", "A!", "A"])
    assert (vectors[0] == vectors[1]).all() and (vectors[2] == vectors[3]).all() and (vectors[3] != vectors[4]).any()
    assert model.score(["abc", "abc", "b"], ["?", "!", "x"], n=None) == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)


def test_symbols_are_whatever_can_be_a_key():
    contexts = [[1, "a"], [None], [(1, 2), "<s>"], [True, 2.5], ["<pad>", 3]]
    model = DualEncoder(**SMALL).fit(contexts, contexts)
    assert model.context_symbols_ == [1, "a", None, (1, 2), "<s>", 2.5, "<pad>", 3]
    assert (model.encode_contexts([[1.0, "a"]]) == model.encode_contexts([[1, "a"]])).all()
    assert model.encode_contexts(np.array([[1, 3]])).shape == (1, 5)


# --- pools

def test_what_is_found_is_the_greatest_of_the_pool(model, monkeypatch):
    monkeypatch.setattr(dual_encoder, "SCORES_AT_ONCE", 20)                              # two contexts at a time
    pool = SAID + SAID[:2]
    numbers, how_alike = model.index(pool).search(WORDS, 10)
    S = model.similarity(WORDS, pool)
    np.testing.assert_allclose(how_alike, np.take_along_axis(S, numbers, axis=1), rtol=0, atol=1e-6)
    assert (np.sort(numbers, axis=1) == np.arange(10)).all() and (np.diff(how_alike, axis=1) <= 0).all()
    for twice in (0, 1):                                 # of equals the lower number first, and next to each other
        at = (numbers == twice).argmax(axis=1)
        assert (np.take_along_axis(numbers, at[:, None] + 1, axis=1) == twice + 8).all()
    assert [array.shape for array in model.search([], 3)] == [(0, 3), (0, 3)]
    assert (model.search(WORDS)[0] == numbers[:, :1]).all()


def test_the_score_is_recall_among_what_is_wrong(model, monkeypatch):
    monkeypatch.setattr(dual_encoder, "SCORES_AT_ONCE", 33)                              # three contexts at a time
    contexts, answers = WORDS + ["abc", "b"], SAID + ["B", "CBA"]
    c, a = (told_apart(side)[0] for side in (contexts, answers))
    wrong = np.array(reference.wrong_pairs(c.tolist(), a.tolist()))
    S = model.similarity(contexts, answers)
    for k, n in ((1, 3), (2, 5), (1, None)):
        assert model.score(contexts, answers, k, n) == recall_at_k_of_n(S, wrong=wrong, k=k, n=n)
    assert (RightAnswers.of(c, a).wrong(c, a) == wrong).all()
    assert 0 < model.score(contexts, answers, n=2) < 1 and model.score(contexts, answers, 7, 7) == pytest.approx(1)


# --- keeping

@each_encoder
@pytest.mark.parametrize("shared", [True, False])
def test_saved_and_loaded(tmp_path, kind, shared):
    model = DualEncoder(**{**SMALL, "encoder": kind, "shared": shared}, callback=lambda progress: False)
    model.fit(WORDS, SAID)
    model.dim, model.encoder, model.shared, model.hidden_size = 3, "gru", not shared, 9        # too late for this model
    for pool in (None, SAID):
        path = tmp_path / "model.npz"
        (model if pool is None else model.index(pool)).save(path)
        again = DualEncoder.load(path)
        assert (again.similarity(WORDS, SAID) == model.similarity(WORDS, SAID)).all()
        assert again.loss_history_ == model.loss_history_ and again.n_iter_ == 2 and again.callback is None
        assert (again.context_symbols_, again.answer_symbols_) == (model.context_symbols_, model.answer_symbols_)
        assert again.get_params()["dim"] == 3
    assert (again.search(WORDS, 8)[0] == model.search(WORDS, 8)[0]).all()
    assert again.fit(WORDS, SAID).encode_contexts(WORDS).shape == (8, 3)


def test_what_cannot_be_saved_or_loaded(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        DualEncoder().save(tmp_path / "a")
    (tmp_path / "foreign").write_bytes(b"x")
    with pytest.raises(ValueError, match="foreign"):
        DualEncoder.load(tmp_path / "foreign")
    with pytest.raises(ValueError, match=r"strings and numbers, got the symbol \('a', 1\)"):
        DualEncoder(**SMALL).fit([[("a", 1)], "b"], ["x", "y"]).save(tmp_path / "b")


# --- hostile input

@pytest.mark.parametrize("contexts, answers", [
    (["a", "b"], ["x", "y"]), (["a", "b", "c"], ["x", "y", "x"]), (["a"] * 3, ["x", "y", "z"]),
    (["a"] * 9, ["x"] * 8 + ["y"]),
])
@each_loss
def test_few_pairs_that_differ(contexts, answers, loss):
    """Of one context all answers are right, whatever they are: then nothing is wrong."""
    model = DualEncoder(**{**SMALL, **loss})
    if len(set(contexts)) == 1:
        with pytest.raises(ValueError, match="none of the . is wrong for any of the contexts"):
            model.fit(contexts, answers)
    else:
        assert np.isfinite(model.fit(contexts, answers).loss_history_).all()


@each_encoder
def test_one_sequence_is_a_hundred_times_as_long(kind):
    model = DualEncoder(**{**SMALL, "encoder": kind, "epochs": 1}).fit([*WORDS[:3], "abc" * 100], SAID[:4])
    assert np.isfinite(model.similarity(["abc" * 100, "a"], SAID)).all()


@pytest.mark.parametrize("parameters", [dict(loss="softmax", scale=1e6), dict(margin=1e6), dict(margin=0),
                                        dict(max_norm=None)])
def test_extreme_parameters(parameters):
    model = DualEncoder(**{**SMALL, **parameters}).fit(WORDS, SAID)
    assert np.isfinite(model.loss_history_).all() and np.isfinite(model.similarity(WORDS, SAID)).all()


@pytest.mark.parametrize("contexts, answers, message", [
    ("abc", SAID, "contexts: expected a list of sequences, got 'abc'"),
    (WORDS, "abc", "answers: expected a list of sequences"),
    ([], [], "at least one, got 0 and 0"), (WORDS, SAID[:-1], "as many of one as of the other.*8 and 7"),
    (["a", ""], ["x", "y"], r"contexts\[1\]: expected at least one symbol"),
    (["a", "b"], [[], "y"], r"answers\[0\]: expected at"),
    (["a"], ["x"], "none of the 1 is wrong"), (WORDS, ["same"] * 8, "none of the 8 is wrong"),
    (["a", 3], ["x", "y"], r"contexts\[1\]: expected a string or a list"),
    (["a", [[1]]], ["x", "y"], r"contexts\[1\]: expected symbols"),
    (["a", [np.nan]], ["x", "y"], r"contexts\[1\]: nan is not equal to itself"),
    ({"a": 1}, ["x"], "contexts: expected a list"),
    (Tensor(np.ones((3, 2))), ["x", "y", "z"], r"contexts\[0\]: expected symbols.*got a Tensor; pass a list"),
    ([Tensor([1.0]), "b"], ["x", "y"], r"contexts\[0\]: expected symbols.*got a Tensor"),
    (None, ["x"], "contexts: expected a list"),
    (np.ma.masked_equal([["a"], ["b"]], "b"), ["x", "y"], "contexts: contains masked"),
])
def test_bad_pairs(contexts, answers, message):
    with pytest.raises(ValueError, match=message):
        DualEncoder(**SMALL).fit(contexts, answers)


def test_generators_and_arrays_of_strings_are_read_once():
    one = DualEncoder(**SMALL).fit((word for word in WORDS), (list(said) for said in SAID))
    other = DualEncoder(**SMALL).fit(np.array(WORDS), np.array(SAID, object))
    assert one.loss_history_ == other.loss_history_
    assert (one.encode_contexts(iter(WORDS)) == other.encode_contexts(tuple(WORDS))).all()


@pytest.mark.parametrize("parameters, message", [
    (dict(dim=0), "dim=0"), (dict(hidden_size=2.0), "hidden_size=2.0"), (dict(embedding_dim=-1), "embedding_dim=-1"),
    (dict(encoder="lstm"), "encoder='lstm'"), (dict(shared="False"), "shared='False'"),
    (dict(loss="mse"), "loss='mse'"),
    (dict(negatives="all"), "negatives='all'"),
    (dict(loss="softmax", negatives="hard"), "a softmax is of all wrong answers"),
    (dict(margin=-0.1), "margin=-0.1"), (dict(scale=0), "scale=0"), (dict(symmetric=1), "symmetric=1"),
    (dict(epochs=0), "epochs=0"),
    (dict(batch_size=1), "batch_size=1: expected a whole number of at least 2"),
    (dict(learning_rate=0), "learning_rate=0"),
    (dict(max_norm=-1), "max_norm=-1"), (dict(random_state=-1), "random_state"), (dict(callback=3), "callback=3"),
    (dict(margin=1e300), "margin=1e.300"), (dict(loss="softmax", scale=1e300), "scale=1e.300"),
    (dict(learning_rate=1e100, max_norm=None), "NaN or infin"),
])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        DualEncoder(**{**SMALL, **parameters}).fit(WORDS, SAID)


@pytest.mark.parametrize("call, message", [
    (lambda model: model.search(["a"], 0), "k=0"),
    (lambda model: model.search(["a"], 9), "the pool has only 8 answers; lower k"),
    (lambda model: model.search("a"), "contexts: expected a list"),
    (lambda model: model.index([]), "at least one to choose from"),
    (lambda model: model.index(["a", ""]), r"answers\[1\]: expected at least one"),
    (lambda model: model.encode_answers("A"), "answers"),
    (lambda model: model.score(WORDS, SAID), "n=100: question 0 has only 8 candidates"),
    (lambda model: model.score(WORDS, SAID, 9, None), "k=9: question 0 has only 8"),
    (lambda model: model.score(WORDS, []), "8 and 0"),
    (lambda model: model.score([], []), "at least one, got 0 and 0"),
    (lambda model: model.score(WORDS, SAID, 3, 2), "at most n=2"),
])
def test_bad_questions(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model.index(SAID))


def test_nothing_is_asked_before_fit():
    for call in (lambda m: m.search(["a"]), lambda m: m.index(["a"]), lambda m: m.score(["a"], ["b"]),
                 lambda m: m.encode_contexts(["a"])):
        with pytest.raises(ValueError, match="not fitted"):
            call(DualEncoder())
