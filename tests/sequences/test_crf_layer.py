"""The field as a layer: enumeration, padding, what is forbidden, gradients, what is refused."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, gradcheck
from scratchml.nn import cross_entropy
from scratchml.optim import Adam
from scratchml.sequences import LinearChainCRF
from scratchml.sequences.crf_layer import (best_labels, label_marginals, log_partitions, losses, sequence_scores,
                                           slopes, token_mean)
from scratchml.sequences.crf_training import Legal
from scratchml.sequences.schemes import legal_transitions
from tests.reference import crf_layer as reference
from tests.strategies import crf_layer as strategies

EASY = ("normal", "unknown")
NAMES = "transitions", "start_transitions", "end_transitions"


def layer_of(drawn, dtype="float64"):
    layer = LinearChainCRF(len(drawn.f), forbidden=drawn.legal, dtype=dtype, random_state=0)
    layer.load_state_dict(dict(zip(NAMES, drawn[1:4])))
    return layer


def loss_and_slopes(layer, drawn, reduction="sum", lengths=True, g=None):
    E = Tensor(drawn.E.astype(layer.transitions.dtype), requires_grad=True)
    layer.zero_grad()
    loss = layer(E, drawn.y, drawn.n if lengths else None, reduction)
    loss.backward(g)
    return loss.data, E.grad.data, *(getattr(layer, name).grad.data for name in NAMES)


def close(a, b, scale=1.0):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale)


# --- the definition, by enumeration

@given(strategies.batches())
def test_the_equations_are_those_of_the_definition(drawn):
    E, y, n = drawn.E, drawn.y, drawn.n
    known = np.where(y < 0, 0, np.minimum(y, E.shape[2] - 1))
    A, f, e = drawn.effective
    scale = max(1.0, np.abs(E[np.isfinite(E)]).max())
    close(sequence_scores(E, A, f, e, known, n), reference.sequence_scores(E, A, f, e, known, n), scale)
    close(log_partitions(E, A, f, e, n), reference.log_partitions(E, A, f, e, n), scale)
    close(losses(E, A, f, e, y, n), reference.losses(E, A, f, e, y, n), scale)
    for ours, theirs in zip(slopes(E, A, f, e, y, n), reference.slopes(E, A, f, e, y, n)):
        close(ours, theirs)
    close(label_marginals(E, A, f, e, n), reference.label_marginals(E, A, f, e, n))
    np.testing.assert_array_equal(best_labels(E, A, f, e, n), reference.best_labels(E, A, f, e, n))
    close(token_mean(drawn.E[:, 0, 0], n), reference.token_mean(drawn.E[:, 0, 0], n), scale)


@given(strategies.batches())
def test_the_layer_is_the_equations_and_padding_is_never_read(drawn):
    layer, (A, f, e) = layer_of(drawn), drawn.effective
    scale = max(1.0, np.abs(drawn.E[np.isfinite(drawn.E)]).max())
    each = np.array(losses(drawn.E, A, f, e, drawn.y, drawn.n))
    dE, dA, df, de = slopes(drawn.E, A, f, e, drawn.y, drawn.n)
    loss, *found = loss_and_slopes(layer, drawn, "none", g=np.ones(len(each)))
    close(loss, each, scale)
    for ours, theirs in zip(found, (dE, dA.sum(axis=0), df.sum(axis=0), de.sum(axis=0))):
        close(ours, theirs)
    total, *found = loss_and_slopes(layer, drawn)
    close(total, each.sum(), scale)
    close(found[0], dE)
    mean, *halves = loss_and_slopes(layer, drawn, "mean")
    close(mean, token_mean(each, drawn.n), scale)
    close(halves[1], found[1] / drawn.n.sum())
    close(layer.marginals(drawn.E, drawn.n), label_marginals(drawn.E, A, f, e, drawn.n))
    for ours, theirs, n in zip(layer.decode(drawn.E, drawn.n), best_labels(drawn.E, A, f, e, drawn.n), drawn.n):
        np.testing.assert_array_equal(ours, theirs[:n])


@given(strategies.batches(("normal", "forbidden", "unknown")))
def test_the_best_paths_come_in_order_with_their_probabilities(drawn):
    layer, (A, f, e) = layer_of(drawn), drawn.effective
    for b, (paths, log_p) in enumerate(layer.k_best(drawn.E, 4, drawn.n)):
        own = drawn.E[b, :drawn.n[b]]
        scores = {path: reference.score(own, A, f, e, path) for path in reference.paths(own)}
        possible = sorted((s for s in scores.values() if s > -np.inf), reverse=True)[:4]
        close(log_p, np.array(possible) - reference.log_sum(list(scores.values())))
        close([scores[tuple(path)] for path in paths.tolist()], possible)


# --- laws

@given(strategies.batches())
def test_a_batch_is_the_sum_of_its_sequences_alone(drawn):
    layer = layer_of(drawn)
    whole, dE, dA, *_ = loss_and_slopes(layer, drawn)
    parts = [loss_and_slopes(layer, drawn._replace(E=drawn.E[b:b + 1, :n], y=drawn.y[b:b + 1, :n], n=drawn.n[b:b + 1]))
             for b, n in enumerate(drawn.n)]
    np.testing.assert_allclose(whole, sum(part[0] for part in parts), rtol=1e-12)
    np.testing.assert_allclose(dA, sum(part[2] for part in parts), rtol=1e-12, atol=1e-12)
    for b, (n, part) in enumerate(zip(drawn.n, parts)):
        np.testing.assert_array_equal(dE[b, :n], part[1][0])
        assert not dE[b, n:].any()


def test_what_stands_in_padding_changes_no_bit():
    drawn = strategies.batch(3, 5, 3, seed=4)
    there = np.arange(5) < drawn.n[:, None]
    assert not there.all()
    layer = layer_of(drawn)
    other = drawn._replace(E=np.where(there[..., None], drawn.E, 1e300), y=np.where(there, drawn.y, -7))
    floats = drawn._replace(y=np.where(there, drawn.y, np.nan))
    for a, b, c in zip(*(loss_and_slopes(layer, some) for some in (drawn, other, floats))):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(layer.marginals(drawn.E, drawn.n), layer.marginals(other.E, drawn.n))
    for a, b in zip(layer.decode(drawn.E, drawn.n), layer.decode(other.E, drawn.n)):
        np.testing.assert_array_equal(a, b)


def test_sequences_in_another_order_have_the_same_losses():
    drawn = strategies.batch(3, 4, 3, seed=1)
    order = [2, 0, 1]
    layer = layer_of(drawn)
    np.testing.assert_array_equal(layer(drawn.E[order], drawn.y[order], drawn.n[order], "none").data,
                                  layer(drawn.E, drawn.y, drawn.n, "none").data[order])


@given(strategies.batches(EASY))
def test_without_scores_of_its_own_it_is_a_softmax_a_token(drawn):
    drawn = drawn._replace(A=0 * drawn.A, f=0 * drawn.f, e=0 * drawn.e)
    there = np.arange(drawn.E.shape[1]) < drawn.n[:, None]
    layer = layer_of(drawn)
    y = np.where(there, drawn.y, -1)
    expected = cross_entropy(np.where(there[..., None], drawn.E, 0).reshape(-1, len(drawn.f)), y.reshape(-1),
                             ignore_index=-1, reduction="sum")
    close(layer(drawn.E, drawn.y, drawn.n, "sum").data, expected.data)


@given(strategies.batches(EASY))
def test_a_constant_on_all_transitions_or_all_labels_of_a_place_changes_nothing(drawn):
    moved = drawn._replace(A=drawn.A + 3.5, f=drawn.f - 2, E=drawn.E + 7)
    loss, dE, *_ = loss_and_slopes(layer_of(drawn), drawn)
    other, *found = loss_and_slopes(layer_of(moved), moved)
    close(loss, other, 10)
    close(found[0], dE)
    close(dE.sum(axis=2), 0)


@given(strategies.batches(("normal", "forbidden", "unknown")))
def test_gradients_are_those_of_finite_differences(drawn):
    layer, there = layer_of(drawn), np.arange(drawn.E.shape[1]) < drawn.n[:, None]
    E = np.where(there[..., None], drawn.E, 0)
    weight = np.random.default_rng(0).normal(size=len(E))

    def loss(E, A, f, e):
        layer.transitions, layer.start_transitions, layer.end_transitions = A, f, e
        return (layer(E, drawn.y, drawn.n, "none") * weight).sum() + layer(E, drawn.y, drawn.n)

    assert gradcheck(loss, [Tensor(part, requires_grad=True) for part in (E, *drawn[1:4])])


@pytest.mark.parametrize("scheme, labels", [("BIO", ["O", "B-X", "I-X", "B-Y", "I-Y"]), ("IOBES", ["O", "B-X", "I-X",
                                                                                          "E-X", "S-X"])])
def test_what_is_forbidden_is_impossible_at_once_and_stays_so(scheme, labels):
    legal, rng = legal_transitions(labels, scheme), np.random.default_rng(0)
    layer = LinearChainCRF(len(labels), forbidden=legal, random_state=0)
    n = np.array([6, 1, 4])
    E, y = (10 * rng.normal(size=(3, 6, 5))).astype(np.float32), np.zeros((3, 6), int)
    optimizer = Adam(layer.parameters(), lr=0.5, weight_decay=0.1)
    for _ in range(3):
        for found in layer.decode(E, n):
            assert legal.first[found[0]] and legal.last[found[-1]] and legal.pairs[found[:-1], found[1:]].all()
        gamma = layer.marginals(E, n)
        assert (gamma[:, 0][:, ~legal.first] == 0).all()
        assert all((gamma[b, n[b] - 1, ~legal.last] == 0).all() for b in range(3))
        layer.zero_grad()
        layer(E, y, n).backward()
        assert not layer.transitions.grad.data[~legal.pairs].any()
        assert not layer.start_transitions.grad.data[~legal.first].any()
        assert not layer.end_transitions.grad.data[~legal.last].any()
        optimizer.step()
        assert np.isfinite(layer.transitions.data).all()
    for paths, log_p in layer.k_best(E, 30, n):
        assert np.isfinite(log_p).all() and np.exp(log_p).sum() < 1 + 1e-9
        assert all(legal.pairs[path[:-1], path[1:]].all() for path in paths)


def test_pairs_of_numbers_are_forbidden():
    layer = LinearChainCRF(3, forbidden={(0, 1), (np.int64(2), 2)}, random_state=0)
    assert np.argwhere(~layer.legal.pairs).tolist() == [[0, 1], [2, 2]] and layer.legal.first.all()


# --- machine

@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_the_same_bits_on_any_number_of_threads(monkeypatch, reduction):
    rng = np.random.default_rng(0)
    drawn = strategies.batch(40, 30, 20, seed=3)
    found, g = [], rng.normal(size=40) if reduction == "none" else None
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        layer = layer_of(drawn)
        found.append([*loss_and_slopes(layer, drawn, reduction, g=g), layer.marginals(drawn.E, drawn.n),
                      np.concatenate(layer.decode(drawn.E, drawn.n))])
    for one, two in zip(*found):
        np.testing.assert_array_equal(one, two)


def test_float32_stays_float32_and_layouts_do_not_matter():
    drawn = strategies.batch(2, 4, 3)
    layer = layer_of(drawn, "float32")
    E = Tensor(np.asfortranarray(np.nan_to_num(drawn.E).astype(np.float32)), requires_grad=True)
    loss = layer(E, np.asfortranarray(np.where(drawn.y == 99, -1, drawn.y)), drawn.n)
    loss.backward()
    assert loss.dtype == E.grad.dtype == layer.transitions.grad.dtype == np.float32
    wide = np.zeros((4, 4, 6), np.float32)
    wide[::2, :, ::2] = E.data
    assert layer(wide[::2, :, ::2], drawn.y, drawn.n).item() == loss.item()


def test_one_label_one_place_and_one_sequence():
    layer = LinearChainCRF(1, random_state=0)
    assert layer(np.array([[[3.0]]]), [[0]]).item() == 0 and layer.decode([[[3.0], [2.0]]])[0].tolist() == [0, 0]


def test_no_label_known_is_a_loss_of_zero_without_a_slope():
    drawn = strategies.batch(2, 3, 3)._replace(y=np.full((2, 3), -1))
    loss, *found = loss_and_slopes(layer_of(drawn), drawn)
    assert abs(loss) < 1e-12 and all(abs(part).max() < 1e-12 for part in found)
    layer = layer_of(drawn)
    assert layer(drawn.E, [[None] * 3] * 2, drawn.n).item() == pytest.approx(0, abs=1e-12)


# --- what is refused

E = np.zeros((2, 3, 2))


@pytest.mark.parametrize("arguments, message", [
    ((E[0], [[0] * 3] * 2), "expected shape .B, T, K. with K = 2"),
    ((np.zeros((2, 3, 5)), [[0] * 3] * 2), "with K = 2"),
    ((np.zeros((0, 3, 2)), np.zeros((0, 3), int)), "at least one sequence"),
    ((E[:, :0], np.zeros((2, 0), int)), "one place"),
    ((E, [[0] * 3]), r"tags: .* expected shape \(2, 3\) .* got \(1, 3\)"),
    ((E, [[0, 1], [0]]), r"expected shape \(2, 3\)"),
    ((E, [[0, 2, 0]] * 2), r"labels 0 ... 1, or -1 .* got 2 of dtype int64 at \[0, 1\]"),
    ((E, [[0, -100, 0]] * 2), r"-1 where one is not known"), ((E, [[0, 0.5, 0]] * 2), "expected labels"),
    ((E, [["O"] * 3] * 2), "expected labels"), ((E, [[True] * 3] * 2), "expected labels"),
    ((E, np.ma.masked_equal([[0, 1, 0]] * 2, 1)), "tags: contains masked"),
    ((E, [[0] * 3] * 2, [0, 3]), "lengths: sequence 0 has length 0"), ((E, [[0] * 3] * 2, [1, 4]), "expected 1 ... 3"),
    ((E, [[0] * 3] * 2, [[1, 1, 0]] * 2), "lengths: .* expected 2 whole numbers"),
    ((E, [[0] * 3] * 2, None, "token_mean"), "reduction='token_mean': expected one of"),
    ((E + np.inf, [[0] * 3] * 2), "emissions: a score is inf, of label 0 at place 0 of sequence 0"),
    ((np.where(np.arange(2) == 1, np.nan, E), [[0] * 3] * 2), "a score is nan, of label 1"),
    ((E - np.inf, [[0] * 3] * 2), "tags: sequence 0 has no path"),
    ((E + 1e150, [[0] * 3] * 2), "emissions: a score has the magnitude 1e.150, of which nothing below 2e.134 is left"),
    ((E - 1e30, [[-1] * 3] * 2), "magnitude 1e.30"), ((E + 1e308, [[0] * 3] * 2), "scale the scores"),
    ((np.where(np.arange(2) == 1, -np.inf, E), [[0, 0, 0], [0, 0, 1]]), "tags: sequence 1 has no path"),
])
def test_what_cannot_be_is_refused(arguments, message):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        LinearChainCRF(2, dtype="float64", random_state=0)(*arguments)


def test_sequences_without_a_path_are_named():
    layer = LinearChainCRF(2, forbidden=Legal(~np.ones((2, 2), bool), np.ones(2, bool), np.ones(2, bool)),
                           random_state=0)
    assert len(layer.decode(E, [1, 1])) == 2
    for ask in (layer.decode, layer.marginals, lambda E, n: layer.k_best(E, 2, n)):
        with pytest.raises(ValueError, match="emissions: sequence 1 has no path"):
            ask(E, [1, 2])
    with pytest.raises(ValueError, match="tags: sequence 1 has no path"):
        layer(E, [[0] * 3] * 2, [1, 2])


@pytest.mark.parametrize("arguments, message", [
    (dict(num_tags=0), "num_tags=0"), (dict(num_tags=True), "num_tags=True"), (dict(num_tags=2.0), "num_tags=2.0"),
    (dict(forbidden=[(0, 2)]), "pairs of labels 0 ... 1, got .0, 2."),
    (dict(forbidden=[("O", "I")]), "pairs of labels"),
    (dict(forbidden=[(0, -1)]), "pairs of labels"), (dict(forbidden=[(True, 0)]), "pairs of labels"),
    (dict(forbidden="BIO"), "legal_transitions.labels, 'BIO'."), (dict(forbidden=5), "got int"),
    (dict(forbidden=legal_transitions("abc")), "expected a Legal of bools of shapes .2, 2."),
    (dict(dtype="int64"), "dtype"),
])
def test_layers_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearChainCRF(**{"num_tags": 2, **arguments})


def test_scores_too_large_for_probabilities_still_have_an_order():
    layer = LinearChainCRF(2, dtype="float64", random_state=0)
    large = 1e150 * np.array([[[1, 2], [5, 3], [0, 1]]])
    assert layer.decode(large)[0].tolist() == [1, 0, 1]
    for ask in (layer.marginals, lambda E: layer.k_best(E, 2)):
        with pytest.raises(ValueError, match="emissions: a score has the magnitude 5e.150"):
            ask(large)
    layer.transitions.data = large[0, :2]
    with pytest.raises(ValueError, match="transitions: a score has the magnitude 5e.150"):
        layer.marginals(E)


def test_emissions_next_to_nothing_are_as_good_as_none():
    layer = LinearChainCRF(2, dtype="float64", random_state=0)
    y = [[0, 1, 1]] * 2
    assert layer(E + 1e-150 * np.arange(2), y).item() == layer(E, y).item()


def test_a_tensor_of_another_type_is_refused():
    with pytest.raises(ValueError, match="computes in float32, got a Tensor of float64"):
        LinearChainCRF(2, random_state=0)(Tensor(E), [[0] * 3] * 2)


def test_parameters_that_are_no_scores_are_refused():
    layer = LinearChainCRF(2, random_state=0)
    layer.transitions.data = np.array([[np.nan, 0], [0, 0]], np.float32)
    with pytest.raises(ValueError, match="transitions: a score is nan"):
        layer.decode(E)
