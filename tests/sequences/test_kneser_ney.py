"""Kneser-Ney against its definition by counting tuples; all strings; step by step."""
import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.sequences import KneserNey
from scratchml.sequences.kneser_ney import continuations, discounts, interpolated
from tests.reference import kneser_ney as reference
from tests.strategies.kneser_ney import corpora


@given(st.integers(0, 2**32 - 1))
def test_every_equation_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    of = rng.integers(3, size=rng.integers(1, 9))
    np.testing.assert_array_equal(continuations(of, 4), reference.continuations(of.tolist(), 4))
    c = rng.integers(1, 1 + rng.integers(1, 8), size=rng.integers(1, 40))
    D = discounts(c)
    np.testing.assert_allclose(D, reference.discounts(c.tolist()), rtol=1e-14)
    assert D[0] == 0 and (D[1:] > 0).all() and (D[1:] < np.arange(1, 4)).all()
    t = rng.integers(4, size=6)
    a, s, q = rng.integers(5, size=6) * (t > 0), rng.random(6), rng.random(6)
    np.testing.assert_allclose(interpolated(a, t, s, D, q), reference.interpolated(a, t, s, D, q), rtol=1e-14)


@given(corpora, st.integers(1, 5))
def test_probabilities_are_those_of_counted_tuples(sequences, order):
    model, definition = KneserNey(order).fit(sequences), reference.Model(sequences, order)
    ends = [*model.symbols_, reference.END]
    asked = [s for s in sequences + ["", "ca", "abcab"] if set(s) <= set(model.symbols_)]
    for s, found in zip(asked, model.score_samples(asked)):
        exact = [definition.probability(w, s[:t]) for t, w in enumerate([*s, reference.END])]
        assert found == pytest.approx(np.log2(exact).sum(), rel=1e-12)
    log_p, _ = model.step(model.first_state(1), np.array([len(model.symbols_)]))
    np.testing.assert_allclose(np.exp(log_p[0]), [definition.probability(w, "") for w in ends], rtol=1e-12)


@given(corpora, st.integers(1, 4))
def test_all_short_strings_and_the_rest_add_up_to_one(sequences, order):
    model = KneserNey(order).fit(sequences)
    assert_adds_up(model, 3)


def assert_adds_up(model, most):
    """Σ p of the strings of up to `most` symbols, and of what begins with one more, is 1."""
    symbols, end = model.symbols_, len(model.symbols_)
    strings = [list(s) for n in range(most + 1) for s in itertools.product(symbols, repeat=n)]
    total = np.exp2(model.score_samples(strings)).sum()
    longest = list(itertools.product(range(end), repeat=most + 1))
    state, tokens, ell = model.first_state(len(longest)), np.full(len(longest), end), np.zeros(len(longest))
    for t in range(most + 1):
        log_p, state = model.step(state, tokens)
        np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-12)
        tokens = np.array([s[t] for s in longest], np.int64)
        ell += log_p[np.arange(len(longest)), tokens]
    assert total + np.exp(ell).sum() == pytest.approx(1, rel=1e-10)


@given(corpora, st.integers(1, 4))
def test_step_by_step_is_the_whole(sequences, order):
    model = KneserNey(order).fit(sequences)
    assert_steps_are_the_whole(model, sequences)


def assert_steps_are_the_whole(model, sequences, rel=1e-12):
    number = {symbol: k for k, symbol in enumerate(model.symbols_)}
    end = len(number)
    for s in sequences:
        state, total, last = model.first_state(1), 0.0, end
        for w in [*(number[symbol] for symbol in s), end]:
            log_p, state = model.step(state, np.array([last]))
            total, last = total + log_p[0, w], w
        assert model.score_samples([s])[0] == pytest.approx(total / np.log(2), rel=rel)


def test_by_hand():
    """Twice ab: of each symbol is known one neighbour, D_1 is 1/2, and D_2 is 1, as is said where (2) says nothing."""
    model = KneserNey(2).fit(["ab", "ab"])
    assert model.discounts_ == [[0.5, 1.0, 1.5]] * 2
    alone = (1 - 0.5 + 1.5 / 3) / 3                      # p_1 of each of a, b and the end
    np.testing.assert_allclose(np.exp2(model.score_samples(["ab", "b"])),
                               [((1 + alone) / 2)**3, alone / 2 * (1 + alone) / 2], rtol=1e-14)


def test_discounts_by_hand():
    """n = 4, 2, 1, 1: n₁ / (n₁ + 2 n₂) = 1/2, and 1 - 2 · 2/4 · 1/2, 2 - 3 · 1/2 · 1/2, 3 - 4 · 1/1 · 1/2."""
    np.testing.assert_allclose(discounts(np.array([1, 2, 1, 3, 1, 2, 1, 4])), [0, 0.5, 1.25, 1], rtol=1e-14)


def test_a_longer_order_than_the_sequences_changes_nothing():
    words = ["ab", "b", "aba"]
    np.testing.assert_allclose(KneserNey(9).fit(words).score_samples(words),
                               KneserNey(5).fit(words).score_samples(words),
                               rtol=1e-14)
    assert len(KneserNey(10**6).fit(["ab"]).discounts_) == 4
    assert KneserNey(3).fit([""]).score_samples([""]) == 0


def test_it_forgets_what_it_had_learnt():
    model = KneserNey(2).fit(["xyz"])
    model.fit(["ab"])
    model.order = 7
    assert model.symbols_ == ["a", "b"] and model.bits(["ab"]) == KneserNey(2).fit(["ab"]).bits(["ab"])


@pytest.mark.parametrize("order", [0, 1.5, "3", True, None])
def test_bad_orders(order):
    with pytest.raises(ValueError, match="order="):
        KneserNey(order).fit(["ab"])
