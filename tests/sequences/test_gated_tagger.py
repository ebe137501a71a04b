"""The tagger of gated convolutions: exchanged for the CRF in one line, how far it sees, sequences beside each other."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.nn import GatedConv1d, receptive_field
from scratchml.nn.training import in_mode
from scratchml.sequences import CRF, GatedConvTagger
from scratchml.sequences.gated_tagger import Around
from tests.sequences.test_bilstm_tagger import KINDS, TAGS, reach
from tests.strategies.tagger import sentences

X, Y = sentences(30, seed=1)
SMALL = dict(channels=6, num_layers=2, kernel_size=3, random_state=0)


def fitted(X=X, y=Y, **options):
    return GatedConvTagger(**{**SMALL, "epochs": 2, **options}).fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("crf", [False, True])
def test_the_same_X_and_y_go_into_both(kind, crf):
    given, y = KINDS[kind], sentences(40, seed=1)[1]
    y = [[TAGS.index(label) for label in labels] for labels in y] if crf else y
    y[4] = [None] * len(y[4])
    answers = [reach(model, given, y, list(given[:5])) for model in
               (CRF(max_iterations=3, epsilon=1e9), GatedConvTagger(**SMALL, crf=crf, epochs=1))]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("gaps", [(1, 1), (1, 2)])
def test_a_label_depends_on_half_the_field_on_either_side(gaps):
    tagger = fitted(dilations=gaps)
    half = (receptive_field([3, 3], gaps) - 1) // 2
    x, other = [X[0][0]] * 13, next(token for x in X for token in x if token != X[0][0])
    emissions = [tagger._field([x])[2]]
    for t in range(13):
        emissions.append(tagger._field([[*x[:t], other, *x[t + 1:]]])[2])
    same = np.array([[(emissions[0][s] == changed[s]).all() for s in range(13)] for changed in emissions[1:]])
    np.testing.assert_array_equal(same[6], abs(np.arange(13) - 6) > half)


def test_a_sequence_is_the_same_beside_others():
    tagger = fitted(crf=True)
    for x, together in zip(X, tagger.predict_marginals(X)):
        for alone, beside in zip(tagger.predict_marginals([x])[0], together):
            assert alone == pytest.approx(beside, rel=1e-4)


def test_the_loss_of_a_batch_is_the_sum_of_its_members():
    """And the gradient too: no neighbour in the rows is seen."""
    around, rng = Around(4, 3, (1, 2), 0.0, np.random.default_rng(0)).double(), np.random.default_rng(1)
    lengths, x = np.array([3, 1, 5]), rng.normal(size=(9, 4))
    weights = rng.normal(size=(9, 4))

    def loss(x, lengths, weights):
        around.zero_grad()
        total = (around(Tensor(x), lengths) * weights).sum()
        total.backward()
        return total.item(), around.layers[0].weight.grad.data.copy()
    whole, parts = loss(x, lengths, weights), np.split(np.arange(9), [3, 4])
    alone = [loss(x[rows], np.array([len(rows)]), weights[rows]) for rows in parts]
    assert whole[0] == pytest.approx(sum(one[0] for one in alone), rel=1e-12)
    np.testing.assert_allclose(whole[1], sum(one[1] for one in alone), rtol=0, atol=1e-12)


def test_it_learns_what_neighbours_say():
    """The label is that of the word before: no attribute of a word's own tells."""
    rng = np.random.default_rng(0)
    words = [rng.integers(3, size=rng.integers(2, 7)) for _ in range(80)]
    X = [[[f"w{k}"] for k in some] for some in words]
    y = [["first", *(f"after {k}" for k in some[:-1])] for some in words]
    tagger = GatedConvTagger(16, 1, 3, dropout=0.0, attribute_dropout=0.0, epochs=15, learning_rate=0.03,
                             random_state=0).fit(X[:40], y[:40])
    assert tagger.score(X[40:], y[40:]) > 0.98


def test_a_number_is_read_by_its_size():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(5, 1)) for _ in range(60)]
    y = [["small" if v < 0.5 else "large" for v in x[:, 0]] for x in X]
    tagger = GatedConvTagger(16, 1, 1, dropout=0.0, attribute_dropout=0.0, epochs=40, learning_rate=0.02,
                             random_state=0)
    assert tagger.fit(X[:40], y[:40]).score(X[40:], y[40:]) > 0.95


def test_a_file_holds_all_of_it(tmp_path):
    tagger = fitted(dilations=(1, 2), crf=True)
    tagger.channels, tagger.kernel_size = 50, 9          # too late for this model
    tagger.save(tmp_path / "tagger")
    again = GatedConvTagger.load(tmp_path / "tagger")
    assert again.predict_marginals(X) == tagger.predict_marginals(X) and again.get_params() == {
        **tagger.get_params(), "random_state": None, "dilations": [1, 2]}
    assert again.fit(X, Y).n_iter_ == 2


def test_layers_are_centred_and_of_rows_alone():
    tagger = fitted()
    layers = tagger.module_.reader.layers
    assert [type(layer) for layer in layers] == [GatedConv1d] * 2 and not any(layer.causal for layer in layers)
    with in_mode(tagger.module_, False):
        assert tagger.module_.reader(np.zeros((5, 6), np.float32), np.array([2, 3])).shape == (5, 6)


@pytest.mark.parametrize("parameters, message", [
    (dict(channels=0), "channels=0"), (dict(num_layers=0), "num_layers=0"), (dict(kernel_size=0), "kernel_size=0"),
    (dict(dilations=(1,)), r"dilations=\(1,\): expected one for each of num_layers=2"),
    (dict(dilations="12"), "dilations='12'"), (dict(crf="no"), "crf='no'"), (dict(dropout=1.0), "dropout=1.0"),
    (dict(epochs=0), "epochs=0"), (dict(learning_rate=0), "learning_rate=0"),
])
def test_parameters_that_cannot_be_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        fitted(**parameters)


@pytest.mark.parametrize("given, message", [
    ("abc", "X: expected a list of sequences"), ([], "at least one"), ([[]], r"X\[0\]"),
    ([[{"a": np.nan}]], "NaN|nan")])
def test_input_that_cannot_be_read_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        fitted(given, [["A"]] * len(given))
