"""Beam search against every sequence that there is, against the beam run on to the end, and against bad input."""
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.sequences import GatedConvLanguageModel, KneserNey, beam_search
from scratchml.sequences.beam import advance, can_improve, extended, length_penalty, normalised
from tests.reference import beam as reference
from tests.strategies.beam import log_p_of, penalties, seeds, stepping

kinds = st.sampled_from(["any", "ties", "holes"])


def search(sentences, V, kind, R, T, eos, penalty, n_best, calls=None):
    step, state = stepping(sentences, V, kind, calls)
    return beam_search(step, state, beam_size=R, max_length=T, bos=V, eos=eos, length_penalty=penalty[0],
                       kind=penalty[1], n_best=n_best)


# --- the equations

@given(seeds, penalties, st.integers(1, 9), st.integers(1, 12))
def test_every_equation_is_its_definition(seed, penalty, n, R):
    rng, (alpha, kind) = np.random.default_rng(seed), penalty
    s, log_p = -rng.random((2, 3)), -rng.integers(1, 5, size=(2, 3, 4)) / 2
    s[0, 2] = -np.inf
    near = reference.length_penalty(int(rng.integers(n, n + 3)), alpha, kind)
    # what would be reached at some length, or nearly
    w = s.max(axis=1) / near * rng.choice([0.99, 1.01], size=2)
    np.testing.assert_array_equal(extended(s, log_p), reference.extended(s, log_p))
    assert length_penalty(n, alpha, kind) == pytest.approx(reference.length_penalty(n, alpha, kind), rel=1e-14)
    np.testing.assert_allclose(normalised(s, n, alpha, kind), reference.normalised(s, n, alpha, kind), rtol=1e-14)
    np.testing.assert_array_equal(can_improve(s, w, n, n + 2, alpha, kind),
                                  reference.can_improve(s, w, n, n + 2, alpha, kind))
    s[0, 1] = -0.5                                       # multiples of 1/2, of which many are equal
    S = extended(np.round(2 * s) / 2, log_p)
    expected = reference.advance(S, 1, R)
    found = advance(S.copy(), 1, R)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[3], expected[3])
    there = found[0] > -np.inf
    np.testing.assert_array_equal(found[1][there], expected[1][there])
    np.testing.assert_array_equal(found[2][there], expected[2][there])


def test_lengths_by_hand():
    assert length_penalty(1, 0.7, "wu") == 1 == length_penalty(1, 0.7, "power")
    assert length_penalty(7, 2.0, "wu") == 4 and length_penalty(3, 2.0, "power") == 9


@pytest.mark.parametrize("alpha, n, w, goes_on", [
    (1.0, 2, -1 / 4.9, True), (1.0, 2, -1 / 5.1, False),
    (-1.0, 2, -3.1, True), (-1.0, 2, -2.9, False), (0.0, 2, -1.0, False), (0.0, 2, -1.1, True), (0.0, 2, -np.inf, True),
])
def test_the_bound_by_hand(alpha, n, w, goes_on):
    """s = -1 after 2 of 5 symbols: at best -1/5 with n, -3 with 1/n, for the end comes as the third."""
    assert can_improve(np.array([[-1.0, -4.0]]), np.array([w]), n, 5, alpha, "power") == [goes_on]


# --- laws

@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.sampled_from(["any", "holes"]), penalties, st.integers(1, 6))
def test_a_beam_that_is_wide_enough_finds_the_best_of_all(seed, V, T, kind, penalty, n_best):
    eos = seed % V
    expected = reference.all_sequences(log_p_of(seed, V, kind), V, T, eos, *penalty)[:n_best]
    if not expected:
        return
    found, = search([seed], V, kind, max(1, (V - 1)**(T - 1)), T, eos, penalty, n_best)
    n = int(found.finished.sum())
    assert n == len(expected) and found.finished[:n].all() and len(found.symbols) <= n_best
    assert found.symbols[:n] == [y for _, _, y in expected]
    np.testing.assert_allclose(found.scores[:n], [q for q, _, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(found.log_likelihoods[:n], [s for _, s, _ in expected], rtol=1e-12)


@settings(max_examples=60)
@given(seeds, st.integers(2, 5), st.integers(1, 6), kinds, st.integers(1, 4), penalties, st.integers(1, 5))
def test_to_stop_early_changes_nothing(seed, V, T, kind, R, penalty, n_best):
    """The definition runs on to T.  Also among equals the same ones are found, in the same order."""
    eos = seed % V
    expected = reference.search(log_p_of(seed, V, kind), R, T, eos, *penalty, n_best)
    if not expected:
        return
    found, = search([seed], V, kind, R, T, eos, penalty, n_best)
    assert found.symbols == [y for _, _, y, _ in expected]
    assert found.finished.tolist() == [finished for *_, finished in expected]
    np.testing.assert_allclose(found.scores, [q for q, *_ in expected], rtol=1e-12)


@given(seeds, st.integers(2, 5), st.integers(1, 6), penalties)
def test_a_beam_of_one_follows_the_most_probable_symbol(seed, V, T, penalty):
    ask, y, s, ended = log_p_of(seed, V, "any"), [], 0.0, []
    for n in range(1, T + 1):
        log_p = ask(y)
        ended.append(((s + log_p[0]) / reference.length_penalty(n, *penalty), list(y)))
        y.append(1 + int(log_p[1:].argmax()))
        s += log_p[y[-1]]
    found, = search([seed], V, "any", 1, T, 0, penalty, 1)
    assert found.symbols == [max(ended, key=lambda one: one[0])[1]]


@given(seeds, st.integers(2, 5), kinds, st.integers(1, 4), penalties)
def test_the_log_likelihood_is_the_sum_along_the_sequence(seed, V, kind, R, penalty):
    ask = log_p_of(seed, V, kind)
    try:
        found, = search([seed], V, kind, R, 4, 0, penalty, 3)
    except ValueError:
        return                                           # no sequence at all
    for y, q, s, finished, P in zip(*found[:4], found.alignments, strict=True):
        whole = y + [0] * int(finished)
        assert s == pytest.approx(sum(ask(whole[:t])[v] for t, v in enumerate(whole)), rel=1e-12)
        assert q == pytest.approx(s / reference.length_penalty(len(whole), *penalty), rel=1e-12)
        np.testing.assert_array_equal(P, [[seed, t, v] for t, v in enumerate([V, *whole[:-1]])])
    assert found.scores[found.finished].tolist() == sorted(found.scores[found.finished], reverse=True)


@given(st.lists(seeds, min_size=2, max_size=5), kinds, st.integers(1, 4), penalties, st.integers(1, 3))
def test_a_sentence_does_not_see_the_others(sentences, kind, R, penalty, n_best):
    alone = []
    for seed in sentences:
        try:
            alone.append(search([seed], 4, kind, R, 5, 0, penalty, n_best)[0])
        except ValueError:
            return
    for one, other in zip(search(sentences, 4, kind, R, 5, 0, penalty, n_best), alone, strict=True):
        assert one.symbols == other.symbols
        for a, b in zip(one[1:4], other[1:4]):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(one.alignments, other.alignments):
            np.testing.assert_array_equal(a, b)


def test_sentences_that_are_done_leave_and_the_search_stops():
    """After one symbol the first is certain to end, after three the second."""
    calls = []

    def step(state, tokens):
        calls.append(len(tokens))
        left = state - 1
        return np.where(left[:, None] > 0, np.log([[1e-9, 1.0]]), np.log([[1.0, 1e-9]])), left
    found = beam_search(step, np.array([1, 3]), beam_size=1, max_length=50, bos=0, eos=0)
    assert [one.symbols for one in found] == [[[]], [[1, 1]]] and calls == [2, 1, 1]


def test_a_penalty_that_would_overtake_keeps_the_search_going():
    """At first the empty sequence is ahead, and one symbol more would not change that; nine more do."""
    p = np.array([[0.7, 0.3], *[[0.01, 0.99]] * 8, [0.99, 0.01]])

    def step(state, tokens):
        return np.log(p[state]), state + 1
    for alpha, expected in ((0.0, []), (1.0, [1] * 9), (-1.0, [])):
        found, = beam_search(step, np.zeros(1, int), beam_size=2, max_length=10, bos=0, eos=0, length_penalty=alpha,
                             kind="power")
        assert found.symbols == [expected]


def test_of_equals_the_one_that_was_finished_first_comes_first():
    log_p = np.array([[-2.0, -1.0], [-1.0, -3.0]])       # the end, or one symbol and the end: -2 both

    def step(state, tokens):
        return log_p[tokens], state
    for n_best in (1, 2):
        found, = beam_search(step, np.zeros(1), beam_size=2, max_length=4, bos=0, eos=0, n_best=n_best)
        assert found.symbols == [[], [1]][:n_best] and found.scores.tolist() == [-2, -2][:n_best]


# --- models of the book

@pytest.mark.parametrize("model", [KneserNey(3),
                                   GatedConvLanguageModel(6, 2, 2, epochs=2, batch_size=4, random_state=0)])
@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_the_most_probable_words_of_a_language_model(model, alpha):
    model.fit(["ab", "b", "abba", "", "bab", "aab"] * 3)
    V, T = 3, 4
    found = beam_search(model.step, model.first_state(2), beam_size=2**(T - 1), max_length=T, bos=V - 1, eos=V - 1,
                        length_penalty=alpha, n_best=4)
    words = ["".join(w) for n in range(T) for w in itertools.product("ab", repeat=n)]
    q = [bits * np.log(2) / ((6 + len(w)) / 6)**alpha for w, bits in zip(words, model.score_samples(words))]
    best = np.argsort(-np.array(q))[:4]
    for one in found:
        assert ["".join(model.symbols_[v] for v in y) for y in one.symbols] == [words[k] for k in best]
        np.testing.assert_allclose(one.scores, np.array(q)[best], rtol=1e-5)
        assert one.alignments is None


# --- input of every kind

def certain(log_p, state=np.zeros(1), **arguments):
    """A search with the same ln p at every step."""
    arguments = dict(beam_size=2, max_length=3, bos=0, eos=0) | arguments
    return beam_search(lambda state, tokens: (np.array([log_p] * len(tokens)), state), state, **arguments)


def test_fewer_come_back_than_there_is_room_for():
    found, = certain([0.0, -np.inf, -np.inf], n_best=5)
    assert found.symbols == [[]] and found.finished.tolist() == [True]
    found, = certain([-np.inf, -1.0], n_best=5)
    assert found.symbols == [[1, 1, 1]] and found.finished.tolist() == [False] and found.log_likelihoods == [-3]
    found, = certain([0.0], beam_size=9, n_best=3)       # one symbol alone, the end
    assert found.symbols == [[]]
    found, = certain([-2.0, -1.0], n_best=9, beam_size=10**9, max_length=2)
    assert found.symbols == [[], [1], [1, 1]] and found.finished.tolist() == [True, True, False]
    assert certain([0.0], np.zeros((0, 2))) == []


def test_logarithms_as_they_come():
    log_p = np.log(np.array([0.25, 0.75], np.float32))
    assert certain(log_p)[0].scores.dtype == np.float64
    assert certain([1e-7, -20.0])[0].scores == [0]       # rounded to above 0
    assert certain([-1e150, -1e149])[0].symbols == [[]] and certain([-1e-300, -1.0])[0].symbols == [[]]
    assert certain([-1, -2])[0].scores == [-1]


def test_a_state_of_any_kind():
    def step(state, tokens):
        return np.log(np.full((len(tokens), 2), 0.5)), [f"{name}{token}" for name, token in zip(state, tokens)]

    found = beam_search(step, ["x", "y"], max_length=3, bos=np.array([0, 1]), eos=0,
                        select=lambda state, rows: [state[row] for row in rows])
    assert [one.symbols for one in found] == [[[]], [[]]]


def test_step_may_write_to_what_it_is_given_and_use_its_memory_again():
    class Both(NamedTuple):
        """A state with names."""
        last: np.ndarray
        time: np.ndarray

    memory, marks = np.empty((9, 3)), np.empty((9, 2))

    def step(state, tokens, careful=False):
        n = len(tokens)
        log_p, aligned = (np.empty((9, 3)), np.empty((9, 2))) if careful else (memory, marks)
        log_p[:n] = np.log([[0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.5, 0.1, 0.4]])[tokens]
        aligned[:n] = np.column_stack([state.last, state.time])
        state = Both(tokens.copy(), state.time + 1)
        if not careful:
            tokens[:] = 0
        return log_p[:n], state, aligned[:n]
    state, arguments = Both(np.zeros(2, int), np.zeros(2, int)), dict(beam_size=4, max_length=5, bos=0, eos=0, n_best=4)
    careful = beam_search(lambda *given: step(*given, careful=True), state, **arguments)
    for one, other in zip(beam_search(step, state, **arguments), careful, strict=True):
        assert one.symbols == other.symbols and [len(y) for y in one.symbols] != [0] * 4
        for a, b in zip(one.alignments, other.alignments):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("after", [np.zeros((3, 1)), np.zeros(()), [0.0], (np.zeros(1), np.zeros(2))])
def test_a_state_that_loses_its_rows(after):
    """An LSTM's (layers, n, H) is none of n rows."""
    with pytest.raises(ValueError, match="step: expected a state of arrays with 1 rows, got"):
        beam_search(lambda state, tokens: ([[-1.0, -1.0]] * len(tokens), after), np.zeros((1, 1)), max_length=3, bos=0,
                    eos=0, n_best=3)


@pytest.mark.parametrize("arguments, message", [
    (dict(beam_size=0), "beam_size=0"), (dict(max_length=0), "max_length=0"), (dict(n_best=0), "n_best=0"),
    (dict(beam_size=2.0), "beam_size=2.0"), (dict(eos=-1), "eos=-1"), (dict(eos=2), r"shape \(1, V\), V above eos=2"),
    (dict(length_penalty=np.inf), "length_penalty=inf"), (dict(length_penalty=np.nan), "length_penalty=nan"),
    (dict(length_penalty="1"), "length_penalty='1'"), (dict(length_penalty=2000), "beyond 1e150; expected less"),
    (dict(length_penalty=-2000), "beyond 1e150"), (dict(kind="google"), "kind='google': expected one of 'wu', 'power'"),
    (dict(bos="<s>"), "bos: expected a whole number"), (dict(bos=0.0), "bos: expected"),
    (dict(bos=[0, 1]), "each of 1 sent"),
    (dict(bos=True), "bos: expected"), (dict(bos=np.ma.masked_equal([0], 0)), "bos: contains masked values"),
    (dict(state=[0]), "state: expected an array"), (dict(state=()), "state: expected"),
    (dict(state=(np.zeros(1), np.zeros(2))), r"got \[1, 2\] rows"),
    (dict(state=np.zeros(())), "state: expected an array"),
    (dict(select=lambda state, rows: state), "as it must be with select"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        certain([-1.0, -0.5], **arguments)


@pytest.mark.parametrize("returned, message", [
    (([[np.nan, -1.0]], 0), "at most 0, got nan"), (([[np.inf, -1.0]], 0), "at most 0, got inf"),
    ((np.ma.masked_equal([[-1.0, -2.0]], -1), 0), "step: contains masked values"),
    (([[0.5, -1.0]], 0), "at most 0, got 0.5; take the log-softmax"), (([-1.0, -1.0], 0), r"got shape \(2,\)"),
    (([[-1.0, -1.0]] * 2, 0), r"expected ln p of shape \(1, V\)"), ([[-1.0]], "expected it to return"),
    (([[-1.0]], 0, 0, 0), "expected it to return"), (([[-1.0, -1.0]], 0, [1.0]), "alignments of shape"),
    (([[-np.inf, -np.inf]], 0), "of sentence 0 every sequence of at most max_length=3 symbols has probability 0"),
])
def test_what_step_must_not_return(returned, message):
    with pytest.raises(ValueError, match=message):
        beam_search(lambda state, tokens: returned, np.zeros(1), max_length=3, bos=0, eos=0)
