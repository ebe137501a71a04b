"""Transformers step by step: equations against their definitions, steps against the whole pass, beams, padding."""
import copy

import numpy as np
import pytest
from hypothesis import given

from scratchml.nn import TokenTransformer, cross_entropy, fit
from scratchml.nn.kept_keys import embedded, kept, log_probabilities, read
from scratchml.optim import Adam
from scratchml.sequences import beam_search
from tests.reference import beam as reference_beam, kept_keys as reference
from tests.strategies.kept_keys import problems, seeds, sizes, values

CLOSE = dict(rtol=1e-9, atol=1e-11)
SOURCE, TARGETS = np.array([[3, 1, 2], [2, 0, 0]]), np.array([[1, 2, 3], [1, 3, 2]])


def small(**options):
    made = dict(dropout=0.0, dtype="float64", random_state=0) | options
    return TokenTransformer(4, 5, 6, 2, 1, 2, 3, **made)


def steps(network, source, targets):
    """ln p (N, T, V), alignments (N, T, S) and the state at the end."""
    state, found = network.start(source), []
    for tokens in targets.T:
        log_p, state, W = network.step(state, tokens)
        found.append((log_p, W))
    return *(np.stack(parts, axis=1) for parts in zip(*found)), state


def log_likelihoods(network, source, targets):
    """The same ln p from one pass."""
    z = network(source, targets).data
    return log_probabilities(z.reshape(-1, z.shape[2])).reshape(z.shape)


# --- equal to the definition

@given(sizes(), seeds)
def test_equations_are_their_definitions(drawn, seed):
    e, P, g, q, K, k, M, z = values(["e", "P", "g", "q", "K", "k", "M", "z"], drawn, seed)
    np.testing.assert_allclose(embedded(e, P, g).data, reference.embedded(e, P, g), rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(kept(K, k), reference.kept(K, k))
    for ours, theirs in zip(read(q, K, M, drawn["H"]), reference.read(q, K, M, drawn["H"]), strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE)
    np.testing.assert_allclose(log_probabilities(z), reference.log_probabilities(z), **CLOSE)


@given(problems())
def test_a_pass_is_its_definition(drawn):
    network, source, targets = drawn
    z, first = network(source, targets).data, network.transformer.decoder.layers[0]
    _, W, _ = steps(*drawn)
    for n in range(len(source)):
        expected, weights = reference.scores(network.state_dict(), source[n], targets[n], first.nhead, first.norm_first)
        np.testing.assert_allclose(z[n], expected, **CLOSE)
        np.testing.assert_allclose(W[n][:, source[n] != 0], weights, **CLOSE)


def test_probabilities_of_great_scores():
    z = np.array([[1e300, 0.0, -1e300], [-1e6, -1e6, -np.inf]])
    np.testing.assert_allclose(log_probabilities(z), [[0, -1e300, -2e300], [-np.log(2)] * 2 + [-np.inf]])


# --- step by step

@given(problems())
def test_steps_are_the_pass(drawn):
    log_p, W, _ = steps(*drawn)
    np.testing.assert_allclose(log_p, log_likelihoods(*drawn), **CLOSE)
    np.testing.assert_allclose(W.sum(axis=2), 1, rtol=1e-12)
    assert not W.swapaxes(1, 2)[drawn.source == 0].any()


@given(problems(dtype="float32"))
def test_steps_are_the_pass_in_float32(drawn):
    log_p, W, state = steps(*drawn)
    assert log_p.dtype == np.float64 and W.dtype == np.float32 and {array.dtype for array in state} == {W.dtype}
    np.testing.assert_allclose(log_p, log_likelihoods(*drawn), rtol=1e-3, atol=1e-3)


@given(problems())
def test_a_sentence_does_not_depend_on_its_batch(drawn):
    network, source, targets = drawn
    z, (log_p, W, _) = network(source, targets).data, steps(*drawn)
    for n in range(len(source)):
        alone = source[n:n + 1, :(source[n] != 0).sum()]
        np.testing.assert_allclose(network(alone, targets[n:n + 1]).data[0], z[n], **CLOSE)
        one, weights, _ = steps(network, alone, targets[n:n + 1])
        np.testing.assert_allclose(one[0], log_p[n], **CLOSE)
        np.testing.assert_allclose(weights[0], W[n, :, :alone.shape[1]], **CLOSE)


@given(problems(), seeds)
def test_rows_of_the_state_go_with_their_results(drawn, seed):
    network, source, targets = drawn
    rows = np.random.default_rng(seed).integers(0, len(source), 4)              # some twice, some not
    _, _, state = steps(network, source, targets)
    tokens = targets[:, 0]
    log_p, after, W = network.step(state, tokens)
    found, then, weights = network.step(tuple(array[rows] for array in state), tokens[rows])
    for ours, theirs in zip((found, weights, *then), (log_p, W, *after), strict=True):
        np.testing.assert_allclose(ours, theirs[rows], **CLOSE)


@given(problems())
def test_a_step_writes_to_nothing_that_it_is_given(drawn):
    network, source, targets = drawn
    _, _, state = steps(*drawn)
    before = [array.copy() for array in state]
    first, second = (network.step(state, targets[:, 0]) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(before, state))
    assert np.array_equal(first[0], second[0]) and first[1][-1].shape[1] == state[-1].shape[1] + 1


@pytest.mark.parametrize("norm_first", [False, True])
def test_beams_find_what_the_pass_says(norm_first):
    network = small(norm_first=norm_first, activation="gelu").eval()
    for table in (network.source_vectors.weight, network.target_vectors.weight):
        table.data = table.data * 3                      # or all sequences would be much alike
    found = beam_search(network.step, network.start(SOURCE), beam_size=16, max_length=3, bos=1, eos=2, n_best=5)
    for source, one in zip(SOURCE, found):
        def after(y):
            return log_likelihoods(network, source[None], np.array([[1, *y]]))[0, -1]
        best = reference_beam.all_sequences(after, 5, 3, 2, 0.0, "wu")[:5]
        assert one.symbols == [y for _, _, y in best]
        np.testing.assert_allclose(one.log_likelihoods, [s for _, s, _ in best], **CLOSE)
        assert [W.shape for W in one.alignments] == [(len(y) + 1, 3) for y in one.symbols]
    assert found[0].symbols != found[1].symbols


def test_steps_drop_nothing_and_leave_modes_as_they_were():
    network, still = small(dropout=0.9, norm_first=False), small(norm_first=False)
    network.transformer.decoder.eval()
    np.testing.assert_array_equal(steps(network, SOURCE, TARGETS)[0], steps(still, SOURCE, TARGETS)[0])
    assert network.training and network.transformer.encoder.training and not network.transformer.decoder.training
    network.transformer.eval()                           # what drops now is the vectors
    assert (network(SOURCE, TARGETS).data != network(SOURCE, TARGETS).data).any()


def test_places_count():
    """Without them a source would be a set, and so would what has been written."""
    network = small().eval()
    swapped = network(SOURCE[:1, [1, 0, 2]], TARGETS[:1]).data - network(SOURCE[:1], TARGETS[:1]).data
    assert abs(swapped).max() > 1e-3
    log_p, _, _ = steps(network, SOURCE[:1], TARGETS[:1, [0, 2, 1, 1]])
    assert abs(log_p[0, 3] - steps(network, SOURCE[:1], TARGETS[:1, [0, 1, 2, 1]])[0][0, 3]).max() > 1e-3


# --- padding

@given(problems(tied=False))
def test_nan_in_padding_changes_no_bit(drawn):
    network, source, targets = drawn
    targets[source[:, 0] % 2 == 0, 1:] = 0               # those sentences end after one symbol
    counts = np.repeat(targets[:, :, None] != 0, network.target_size, axis=2)

    def everything():
        network.zero_grad()
        z = network(source, targets)
        (z * counts).square().sum().backward()
        log_p, W, _ = steps(network, source, targets)
        gradients = [p.grad.data for p in network.parameters()]
        return z.data[counts], log_p[counts], W, *gradients
    for table in (network.source_vectors, network.target_vectors):
        table.weight.data[0] = 0.0
    expected = everything()
    for table in (network.source_vectors, network.target_vectors):
        table.weight.data[0] = np.nan
    for ours, theirs in zip(everything(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.isnan(expected[0]).any()


@given(problems(), seeds)
def test_what_is_to_come_changes_no_bit(drawn, seed):
    network, source, targets = drawn
    other = np.random.default_rng(seed).integers(0, network.target_size, targets.shape)
    other[:, 0] = targets[:, 0]
    np.testing.assert_array_equal(network(source, other).data[:, 0], network(source, targets).data[:, 0])


def test_a_source_of_padding_alone_is_finite():
    network = small().eval()
    log_p, W, _ = steps(network, SOURCE * [[1], [0]], TARGETS)
    assert np.isfinite(log_p).all() and not W[1].any()
    np.testing.assert_allclose(log_p, log_likelihoods(network, SOURCE * [[1], [0]], TARGETS), **CLOSE)


def test_padding_may_have_another_number():
    network, other = small(), small(padding_idx=3)
    moved = np.array([3, 0, 1, 2])                       # number 0 is called 3 now
    E = network.source_vectors.weight.data
    other.source_vectors.weight.data = E[np.argsort(moved)]
    targets = np.array([[1, 2], [4, 1]])
    np.testing.assert_allclose(other(moved[SOURCE], targets).data, network(SOURCE, targets).data, **CLOSE)


# --- weights

@pytest.mark.parametrize("tied", [False, True])
def test_gradients_of_every_weight(tied):
    network, rng = small(tied=tied, activation="gelu"), np.random.default_rng(0)
    of_scores = rng.normal(size=(2, 3, 5))

    def loss():
        return (network(SOURCE, TARGETS) * of_scores).sum()
    loss().backward()
    for name, weight in network.named_parameters():
        data, direction = weight.data, rng.normal(size=weight.shape)
        ends = []
        for h in (1e-5, -1e-5):
            weight.data = data + h * direction
            ends.append(loss().item())
        weight.data = data
        slope = (ends[0] - ends[1]) / 2e-5
        assert abs((weight.grad.data * direction).sum() - slope) <= 1e-6 * (1 + abs(slope)), name


def test_a_tied_table_is_one_weight():
    network, loose = small(), small(tied=False)
    assert len(list(network.parameters())) == len(list(loose.parameters())) - 1
    optimizer = Adam(network.parameters(), lr=0.1)
    network(SOURCE, TARGETS).square().sum().backward()
    optimizer.step()
    for one in (network, copy.deepcopy(network)):
        assert one.scores.weight is one.target_vectors.weight
    other = small(random_state=1)
    other.load_state_dict(network.state_dict())
    assert other.scores.weight is other.target_vectors.weight
    np.testing.assert_array_equal(other(SOURCE, TARGETS).data, network(SOURCE, TARGETS).data)


def test_first_vectors_are_as_long_as_places():
    network = TokenTransformer(400, 300, 64, random_state=0)
    for table in (network.source_vectors, network.target_vectors):
        assert 7.5 < np.sqrt(64 * (table.weight.data ** 2).sum(axis=1).mean()) < 8.5
    first, second = network.transformer.decoder.layers[0], network.transformer.decoder.layers[1]
    assert network.source_vectors.weight.data[0, 0] != network.target_vectors.weight.data[0, 0]
    assert first.dropout1.p == 0.1 and first.norm_first and second.linear1.weight.shape == (256, 64)


def test_it_learns_to_turn_sentences_round():
    rng, network = np.random.default_rng(0), TokenTransformer(5, 5, 16, 2, 1, 1, 32, dropout=0.0, random_state=1)
    source = rng.integers(3, 5, (64, 3))
    targets = np.concatenate([np.full((64, 1), 1), source[:, ::-1], np.full((64, 1), 2)], axis=1)

    def loss(z, after):
        return cross_entropy(z.reshape(-1, 5), after.reshape(-1))
    fit(network, Adam(network.parameters(), lr=0.01), loss, (source, targets[:, :-1]), targets[:, 1:], batch_size=16,
        epochs=12, random_state=0)
    every = np.array(list(np.ndindex(2, 2, 2))) + 3
    found = beam_search(network.eval().step, network.start(every), beam_size=2, max_length=6, bos=1, eos=2)
    assert [one.symbols[0] for one in found] == every[:, ::-1].tolist()


# --- what is refused

@pytest.mark.parametrize("call, message", [
    (lambda: TokenTransformer(0, 3), "source_size=0"),
    (lambda: TokenTransformer(3, 3, tied="False"), "tied='False': expected True or False"),
    (lambda: TokenTransformer(3, 3, norm_first=1), "norm_first=1: expected True or False"),
    (lambda: TokenTransformer(3, 3, padding_idx=3), "padding_idx=3: expected a symbol of the source, below 3"),
    (lambda: TokenTransformer(3, 3, 8, 3), "embed_dim=8: expected a multiple of num_heads=3"),
    (lambda: TokenTransformer(3, 3, dropout=2.0), "dropout_p=2.0|dropout=2.0|p=2.0"),
    (lambda: small()([1, 2], TARGETS), r"source: expected an array \(N, T\)"),
    (lambda: small()(SOURCE[:, :0], TARGETS), r"source: expected an array \(N, T\).*T at least 1"),
    (lambda: small()(SOURCE, TARGETS[:1]), "targets: expected 2 rows, as source has, got 1"),
    (lambda: small()(SOURCE + 1, TARGETS), r"source of TokenTransformer\(4, 5\) expected whole .* from 0 to 3, got 4"),
    (lambda: small()(SOURCE, TARGETS + 2), r"targets of TokenTransformer\(4, 5\) expected whole numbers from 0 to 4"),
    (lambda: small()(SOURCE * 1.0, TARGETS), "expected whole numbers from 0 to 3, got dtype float64"),
    (lambda: small().start([[-1]]), "expected whole numbers from 0 to 3, got -1"),
    (lambda: small().step(small().start(SOURCE), [1]), r"tokens: expected shape \(2,\), as the state has rows, got"),
    (lambda: small().step(small().start(SOURCE)[:-1], [1, 1]),
     "state: expected a tuple of 5 arrays, as start returns it"),
    (lambda: small().step(small().start(SOURCE), [1, 9]), "expected whole numbers from 0 to 4, got 9"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
