"""From sequence to sequence: the equations, step by step against the whole, batches, padding, and what is drawn."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import grad
from scratchml.nn import cross_entropy
from scratchml.sequences import AttentiveDecoder, Encoder, EncoderDecoder, encoder_decoder
from scratchml.sequences.encoder_decoder import (TransformerNetwork, drawn_inputs, exponential_forcing, first_state,
                                                 linear_forcing, log_likelihoods, scheduled_input, scores,
                                                 sigmoid_forcing, symbol_loss)
from scratchml.sequences.gated_cnn import log_softmax
from tests.reference import encoder_decoder as reference
from tests.strategies.encoder_decoder import seeds, values

KINDS = pytest.mark.parametrize("attention", ["bahdanau", "luong", None, "transformer"])
V, CLOSE = 5, dict(rtol=0, atol=1e-12)


def network(attention, seed=0, dropout=0.0):
    rng = np.random.default_rng(seed)
    if attention == "transformer":
        return TransformerNetwork(6, V, 4, 1, dropout, rng=rng).double()
    return EncoderDecoder(Encoder(6, 3, 2, dropout=dropout, rng=rng),
                          AttentiveDecoder(V, 3, 4, 3, dropout, attention=attention, rng=rng)).double()


def batch(seed, B=3, most=4):
    """x, lengths, numbers, steps."""
    rng = np.random.default_rng(seed)
    lengths, steps = rng.integers(1, most + 1, size=B), rng.integers(1, most + 1, size=B)
    x, numbers = rng.integers(1, 6, size=(B, lengths.max())), rng.integers(V, size=(B, steps.max()))
    numbers[:, 0] = V
    return x, lengths, numbers, steps


# --- the equations

@given(seeds)
def test_every_equation_is_its_definition(seed):
    u, v, W, b = values("uvWb", seed)
    np.testing.assert_allclose(first_state(u, v, W, b), reference.first_state(u, v, W, b), **CLOSE)
    given = values("hkeAaOo", seed)
    np.testing.assert_allclose(scores(*given), reference.scores(*given), **CLOSE)
    z, p, r, l = values("zprl", seed)
    rng = np.random.default_rng(seed)
    t, y, starts = rng.integers(9, size=10), rng.integers(9, size=4), np.array([0, 2, 3, 10])
    np.testing.assert_allclose(log_likelihoods(z, t, starts), reference.log_likelihoods(z, t, starts), **CLOSE)
    assert symbol_loss(l, 7) == pytest.approx(reference.symbol_loss(l, 7), rel=1e-12)
    np.testing.assert_array_equal(scheduled_input(y, p, r, 0.5), reference.scheduled_input(y, p, r, 0.5))


@given(st.integers(0, 300), st.floats(0.01, 1), st.floats(0, 1))
def test_schedules(i, c, least):
    assert linear_forcing(i, c, least) == reference.linear_forcing(i, c, least)
    assert exponential_forcing(i, c) == pytest.approx(reference.exponential_forcing(i, c), rel=1e-9, abs=1e-300)
    assert sigmoid_forcing(i, 40 * c + 1) == pytest.approx(reference.sigmoid_forcing(i, 40 * c + 1), rel=1e-12)
    assert sigmoid_forcing(10**9, 1.0) < 1e-300


def test_a_coin_for_each_symbol_and_draws_as_often_as_they_are_probable():
    rng = np.random.default_rng(0)
    y, p = np.full(20000, 3), np.tile([0.5, 0.0, 0.3, 0.2], (20000, 1))
    found = scheduled_input(y, p, rng.random((20000, 2)), 0.25)
    shares = np.bincount(found, minlength=4) / 20000
    np.testing.assert_allclose(shares, [0.375, 0, 0.225, 0.4], atol=0.02)        # five standard errors
    assert set(scheduled_input(y, p, rng.random((20000, 2)), 1.0)) == {3}


# --- step by step, batches, padding

@KINDS
@settings(max_examples=15)
@given(seed=seeds)
def test_step_fed_with_the_targets_gives_the_scores_of_the_whole(attention, seed):
    model, (x, lengths, numbers, steps) = network(attention), batch(seed)
    rows = model.eval()(x, lengths, numbers, steps)
    step, state = model.start(x, lengths)
    there, z = np.arange(numbers.shape[1]) < steps[:, None], np.empty((*numbers.shape, V))
    for t in range(numbers.shape[1]):
        z[:, t], state, P = step(state, numbers[:, t])
        assert (P is None) == (attention is None)
        if attention:
            np.testing.assert_allclose(P.sum(axis=1), 1, **CLOSE)
            assert not P[np.arange(x.shape[1]) >= lengths[:, None]].any()
    np.testing.assert_allclose(log_softmax(z[there]), log_softmax(rows.data), **CLOSE)


@KINDS
@settings(max_examples=15)
@given(seed=seeds)
def test_a_batch_is_its_members_and_padding_changes_no_bit(attention, seed):
    model, (x, lengths, numbers, steps) = network(attention).eval(), batch(seed)
    rows = model(x, lengths, numbers, steps)
    other = np.where(np.arange(x.shape[1]) < lengths[:, None], x, 5), lengths, \
        np.where(np.arange(numbers.shape[1]) < steps[:, None], numbers, 1), steps
    ours, theirs = (grad((model(*given) ** 2).sum(), list(model.parameters())) for given in
                    ((x, lengths, numbers, steps), other))
    for one, two in zip(ours, theirs):
        np.testing.assert_array_equal(one.data, two.data)
    alone = [model(x[b:b + 1, :n], lengths[b:b + 1], numbers[b:b + 1, :T], steps[b:b + 1]).data
             for b, (n, T) in enumerate(zip(lengths, steps))]
    np.testing.assert_allclose(rows.data, np.concatenate(alone), **CLOSE)


@KINDS
def test_the_loss_of_a_batch_is_that_of_its_symbols(attention):
    """Cross entropy of the rows is (4) of (3)."""
    model, (x, lengths, numbers, steps) = network(attention).eval(), batch(3)
    rows = model(x, lengths, numbers, steps)
    t = np.random.default_rng(0).integers(V, size=len(rows.data))
    l = log_likelihoods(rows.data, t, np.append(0, steps.cumsum()))
    assert cross_entropy(rows, t).item() == pytest.approx(symbol_loss(l, len(t)), rel=1e-12)
    assert symbol_loss(l, len(t)) == pytest.approx(reference.symbol_loss(l, len(t)))


@KINDS
def test_every_weight_has_a_gradient(attention):
    model, (x, lengths, numbers, steps) = network(attention), batch(1)
    (model(x, lengths, numbers, steps) ** 2).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.data.any(), name


# --- inputs that are drawn

@KINDS
@settings(max_examples=10)
@given(seed=seeds)
def test_with_the_coin_at_one_inputs_are_the_targets_and_at_zero_they_never_are_read(attention, seed):
    model, (x, lengths, numbers, _) = network(attention, dropout=0.5).train(), batch(seed)
    np.testing.assert_array_equal(drawn_inputs(model, x, lengths, numbers, 1.0, np.random.default_rng(0)), numbers)
    other = np.random.default_rng(seed).integers(V, size=numbers.shape)
    other[:, 0] = V
    one, two = (drawn_inputs(model, x, lengths, given, 0.0, np.random.default_rng(0)) for given in (numbers, other))
    np.testing.assert_array_equal(one, two)
    assert model.training and (one[:, 1:] < V).all() and (numbers[:, 0] == V).all()


def test_what_is_drawn_is_drawn_from_what_the_model_expects():
    model, n = network("bahdanau"), 4000
    x, lengths, numbers = np.full((n, 2), 3), np.full(n, 2), np.full((n, 2), V)
    step, state = model.start(x[:1], lengths[:1])
    p = np.exp(log_softmax(step(state, np.array([V]))[0]))[0]
    drawn = drawn_inputs(model, x, lengths, numbers, 0.0, np.random.default_rng(0))[:, 1]
    np.testing.assert_allclose(np.bincount(drawn, minlength=V) / n, p, atol=0.04)        # five standard errors


def test_a_symbol_that_was_never_seen_adds_nothing():
    tables = network("luong").encoder.vectors, network("transformer").transformer.source_vectors
    assert not any(table.weight.data[encoder_decoder.UNKNOWN].any() for table in tables)
