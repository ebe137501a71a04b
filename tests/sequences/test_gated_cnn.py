"""The language model of gated convolutions: all strings, step by step, what it sees, saving, and bad input."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.core.random import generator
from scratchml.nn import cross_entropy
from scratchml.sequences import GatedConvLanguageModel, KneserNey
from scratchml.sequences.gated_cnn import GatedConvNetwork, _surprise, padded
from tests.sequences.test_kneser_ney import assert_adds_up, assert_steps_are_the_whole

WORDS = ["ab", "b", "abba", "", "bab", "aab"] * 3
SMALL = dict(channels=6, num_layers=2, kernel_size=2, epochs=2, batch_size=4, random_state=0)


@pytest.fixture(scope="module")
def model():
    return GatedConvLanguageModel(**SMALL).fit(WORDS)


def in_float64(model):
    model.module_.double()
    return model


# --- laws

def test_all_short_strings_and_the_rest_add_up_to_one(model):
    assert_adds_up(in_float64(model), 4)


@settings(max_examples=10)
@given(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=1, max_size=3), st.booleans())
def test_step_by_step_is_the_whole(kernel_size, gaps, residual):
    """Also where a sequence is longer than the field, and where the window is longer than the sequence."""
    rng = generator(0)
    network = GatedConvNetwork(3, 4, (kernel_size,) * len(gaps), gaps, residual, 0.0, rng).double()
    words = ["ab" * 7, "a", "", "bba"]
    model = GatedConvLanguageModel()
    vars(model).update(symbols_=["a", "b"], _number={"a": 0, "b": 1}, _net=network)
    assert_steps_are_the_whole(model, words, rel=1e-10)


def test_what_is_long_ago_changes_no_bit(model):
    A = model.receptive_field_
    assert A == 3
    state = model.first_state(2)
    for t, symbols in enumerate([[0, 1], [1, 0], [1, 0], [0, 1], *[[0, 0]] * A]):
        log_p, state = model.step(state, np.array(symbols))
        if t < 3 + A:
            assert (log_p[0] != log_p[1]).any()
    np.testing.assert_array_equal(log_p[0], log_p[1])


def test_the_probability_of_a_sequence_is_the_same_beside_others(model):
    words = ["ab", "b" * 30, "", "a"]
    np.testing.assert_allclose(model.score_samples(words), [model.score_samples([w])[0] for w in words], rtol=1e-6)


def test_the_loss_of_a_batch_is_the_sum_of_its_members():
    network = GatedConvNetwork(3, 4, (2, 3), (1, 2), True, 0.0, generator(0)).double()
    words = [[0, 1, 2], [2], [1, 1, 0, 0, 2], [0, 2]]

    def loss(some):
        lengths = np.array([len(word) for word in some])
        inputs, targets = padded(np.concatenate(some), np.append(0, lengths.cumsum()), 2)
        total, count = _surprise(network(inputs, lengths), targets)
        network.zero_grad()
        total.backward()
        return total.item(), count, network.layers[0].weight.grad.data.copy()
    together, alone = loss(words), [loss([word]) for word in words]
    assert together[0] == pytest.approx(sum(one[0] for one in alone), rel=1e-12)
    assert together[1] == sum(one[1] for one in alone) == 11
    np.testing.assert_allclose(together[2], sum(one[2] for one in alone), rtol=0, atol=1e-12)


def test_inputs_are_what_was_before_and_targets_what_comes():
    inputs, targets = padded(np.array([0, 1, 2, 2, 1, 2]), np.array([0, 3, 4, 6]), 2)
    assert inputs.tolist() == [[2, 0, 1], [2, 2, 2], [2, 1, 2]]
    assert targets.tolist() == [[0, 1, 2], [2, -100, -100], [1, 2, -100]]


# --- training

def test_it_learns_what_a_bigram_cannot():
    """The last symbol is the first: 4 symbols, of which the first and the second are free."""
    words = [a + b + "x" + a for a in "abcd" for b in "abcd"] * 4
    model = GatedConvLanguageModel(16, 2, 3, dropout=0.0, epochs=30, batch_size=16, learning_rate=0.01, random_state=0)
    assert model.fit(words).bits(words) < 4 / 5 + 0.1 < KneserNey(2).fit(words).bits(words)
    assert model.loss_history_[-1] < model.loss_history_[0] / 2 and model.n_iter_ == 30


def test_same_seed_same_bits_and_another_order_of_symbols():
    one, other = (GatedConvLanguageModel(**SMALL).fit(WORDS) for _ in range(2))
    assert one.loss_history_ == other.loss_history_ and one.bits(WORDS) == other.bits(WORDS)
    one.fit(["xy", "yx"])
    assert one.symbols_ == ["x", "y"] and one.score_samples(["ab"]) == -np.inf


def test_the_loss_that_is_told_is_in_bits_and_a_callback_stops():
    told = []

    def callback(progress):
        told.append((progress.iteration, progress.loss, progress.estimator.bits(WORDS)))
        return len(told) == 2
    model = GatedConvLanguageModel(**{**SMALL, "epochs": 9, "dropout": 0.0}, callback=callback).fit(WORDS)
    assert [i for i, _, _ in told] == [1, 2] and model.n_iter_ == 2 and model.loss_history_ == [b for _, b, _ in told]
    assert 0.5 < told[1][1] < 3 and model.bits(WORDS) == told[1][2]


def test_the_loss_is_that_of_bits_and_asking_changes_nothing():
    still = GatedConvLanguageModel(**{**SMALL, "dropout": 0.0, "learning_rate": 1e-12}).fit(WORDS)
    assert still.loss_history_[-1] == pytest.approx(still.bits(WORDS), rel=1e-5)
    asked = {**SMALL, "dropout": 0.5, "epochs": 3}
    asking = GatedConvLanguageModel(**asked, callback=lambda progress: progress.estimator.bits(WORDS) < 0).fit(WORDS)
    assert asking.loss_history_ == GatedConvLanguageModel(**asked).fit(WORDS).loss_history_
    assert not asking.module_.training and not asking.module_.layers[0].training


def test_an_interrupt_leaves_the_last_epoch():
    def callback(progress):
        seen.append(progress.estimator.bits(WORDS))
        if progress.iteration == 2:
            raise KeyboardInterrupt
    seen, model = [], GatedConvLanguageModel(**{**SMALL, "epochs": 5}, callback=callback)
    with pytest.raises(KeyboardInterrupt):
        model.fit(WORDS)
    assert model.n_iter_ == 2 and model.bits(WORDS) == seen[1]


def test_one_symbol_one_sequence_and_fewer_than_a_batch():
    for words in (["a"], [""], ["aaaa", "a"], [["a"] * 200, ["b"]]):
        model = GatedConvLanguageModel(**SMALL).fit(words)
        assert np.isfinite(model.bits(words)) and len(model.sample(2, random_state=0)) == 2


# --- keeping

@pytest.mark.parametrize("words", [WORDS, [[1, "a"], [2.5]]])
def test_saved_and_loaded(tmp_path, words):
    model = GatedConvLanguageModel(**{**SMALL, "dilations": (1, 2), "residual": False}).fit(words)
    model.channels, model.num_layers, model.kernel_size, model.residual = 3, 1, 9, True       # too late for this model
    model.save(tmp_path / "model.npz")
    again = GatedConvLanguageModel.load(tmp_path / "model.npz")
    assert again.symbols_ == model.symbols_ and again.loss_history_ == model.loss_history_ and again.n_iter_ == 2
    np.testing.assert_array_equal(again.score_samples(words), model.score_samples(words))
    assert again.sample(5, random_state=3) == model.sample(5, random_state=3)
    assert again.receptive_field_ == model.receptive_field_ == 4


def test_what_cannot_be_saved_or_loaded(tmp_path, model):
    with pytest.raises(ValueError, match="not fitted"):
        GatedConvLanguageModel().save(tmp_path / "a")
    (tmp_path / "foreign").write_bytes(b"x")
    with pytest.raises(ValueError, match="foreign"):
        GatedConvLanguageModel.load(tmp_path / "foreign")
    with pytest.raises(ValueError, match=r"a file holds strings and numbers, got \('a', 1\)"):
        GatedConvLanguageModel(**SMALL).fit([[("a", 1)]]).save(tmp_path / "b")


# --- bad arguments

@pytest.mark.parametrize("parameters, message", [
    (dict(channels=0), "channels=0"), (dict(num_layers=0), "num_layers=0"), (dict(kernel_size=0), "kernel_size=0"),
    (dict(dilations=(1,)), "expected one for each of num_layers=2"), (dict(dilations=(1, 0)), "dilation=0"),
    (dict(dilations=2), "dilations=2"), (dict(residual="False"), "residual='False'"), (dict(dropout=2), "2"),
    (dict(epochs=0), "epochs=0"), (dict(batch_size=0), "batch_size=0"), (dict(learning_rate=0), "learning_rate=0"),
    (dict(max_norm=-1), "max_norm=-1"), (dict(random_state=-1), "random_state"), (dict(callback=3), "callback=3"),
])
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        GatedConvLanguageModel(**{**SMALL, **parameters}).fit(WORDS)


def test_the_surprise_is_that_of_cross_entropy():
    scores, targets = np.random.default_rng(0).normal(size=(2, 3, 4)), np.array([[0, 1, -100], [3, -100, -100]])
    total, count = _surprise(GatedConvNetwork(4, 2, (1,), (1,), True, 0.0, generator(0)).double()(
        np.zeros((2, 3), int), np.array([3, 1])) * 0 + scores, targets)
    kept = targets.ravel() >= 0
    assert count == 3
    assert total.item() == pytest.approx(3 * cross_entropy(scores.reshape(-1, 4)[kept], targets.ravel()[kept]).item())
