"""Splits against their definition, and that nothing leaks."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows, dense, entries_at
from scratchml.recommend import leave_last_out, random_split
from scratchml.recommend.splits import held_out, number_of_each, share_of_each
from tests.reference import splits as reference
from tests.strategies.splits import entries, seeds, timed_entries


def users_of(A):
    return np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))


def as_dict(A):
    """{(user, item): value}; every entry must come once."""
    pairs = list(zip(users_of(A).tolist(), A.indices.tolist()))
    assert len(set(pairs)) == len(pairs)
    return dict(zip(pairs, A.data.tolist()))


# --- the equations

@given(st.lists(st.integers(0, 30)), st.floats(0.01, 0.99), st.integers(1, 9))
def test_how_many_are_held_out(c, θ, n):
    c = np.array(c, int)
    assert share_of_each(c, θ).tolist() == reference.share_of_each(c.tolist(), θ)
    assert number_of_each(c, n).tolist() == reference.number_of_each(c.tolist(), n)


@given(timed_entries(), seeds)
def test_the_latest_are_held_out(drawn, seed):
    A, t = drawn
    rng = np.random.default_rng(seed)
    h, z = rng.integers(0, np.diff(A.indptr) + 1), rng.permutation(len(t))
    assert held_out(A, h, t, z).tolist() == reference.held_out(users_of(A).tolist(), h, t, z)


# --- no leaks

@given(timed_entries(), st.floats(0.01, 0.99), st.integers(1, 9), seeds)
def test_each_entry_is_on_one_side(drawn, share, n, seed):
    A, t = drawn
    for train, test in (random_split(A, share, random_state=seed), leave_last_out(A, t, n, random_state=seed)):
        assert train.shape == test.shape == A.shape
        assert not as_dict(train).keys() & as_dict(test).keys()
        assert as_dict(train) | as_dict(test) == as_dict(A)
        counts = np.diff(A.indptr)
        assert ((np.diff(train.indptr) > 0) == (counts > 0)).all() and (np.diff(test.indptr)[counts == 1] == 0).all()
    assert (np.diff(test.indptr) == np.maximum(np.minimum(n, counts - 1), 0)).all()


@given(timed_entries(), st.integers(1, 4), seeds)
def test_what_is_learned_from_is_not_later_than_the_test(drawn, n, seed):
    A, t = drawn
    when = dict(zip(zip(users_of(A).tolist(), A.indices.tolist()), t))
    train, test = leave_last_out(A, t, n, random_state=seed)
    for user in range(A.shape[0]):
        learned, kept = ([when[pair] for pair in as_dict(side) if pair[0] == user] for side in (train, test))
        assert not kept or max(learned) <= min(kept)


@given(timed_entries(), seeds)
def test_times_in_any_unit_and_entries_in_any_order(drawn, seed):
    A, t = drawn
    t = t + np.arange(len(t)) / 100                      # no two are equal, so that chance has no say
    expected = as_dict(leave_last_out(A, t, 2).test)
    assert as_dict(leave_last_out(A, -1e9 + 60 * t, 2, random_state=seed).test) == expected
    if len(t):
        users = users_of(A)
        order = np.random.default_rng(seed).permutation(len(t))
        again, times = (entries_at(users[order], A.indices[order], x[order], A.shape) for x in (A.data, t))
        assert as_dict(leave_last_out(again, times.data, 2).test) == expected


def test_the_same_seed_gives_the_same_split_and_another_another():
    A, t = entries(20, 15, 0)
    for split in (lambda s: random_split(A, random_state=s), lambda s: leave_last_out(A, t, 3, random_state=s)):
        assert as_dict(split(5).test) == as_dict(split(np.random.default_rng(5)).test) != as_dict(split(6).test)


def test_every_entry_is_as_likely_to_be_held_out():
    rng = np.random.default_rng(0)
    A = np.ones((400, 10))
    for split in (random_split(A, 0.3, random_state=rng), leave_last_out(A, np.zeros(4000), 3, random_state=rng)):
        held = np.bincount(split.test.indices, minlength=10)
        assert held.sum() == 1200 and np.abs(held - 120).max() < 45       # five standard deviations


def test_by_hand():
    A = np.array([[1, 2, np.nan, 3], [np.nan, 4, np.nan, np.nan]])
    train, test = leave_last_out(A, [9, 8, 7, 0], 2)
    assert dense(train).tolist() == [[0, 0, 0, 3], [0, 4, 0, 0]] and dense(test).tolist() == [[1, 2, 0, 0], [0] * 4]
    assert np.diff(random_split(np.ones((1, 8)), 0.3).test.indptr).tolist() == [2]          # 2.4, to the nearest
    assert np.diff(random_split(np.ones((1, 5)), 0.5).test.indptr).tolist() == [3]          # 2.5, half up
    assert np.diff(random_split(np.ones((1, 2)), 0.9).test.indptr).tolist() == [1]


@pytest.mark.parametrize("kind", ["int64", "uint64", "M8[ns]", list])
def test_nanoseconds_are_told_apart(kind):
    times = 1_700_000_000_000_000_000 + np.array([3, 1, 2, 9, 8, 7])
    times = times.tolist() if kind is list else times.astype(kind)
    for seed in range(4):
        assert leave_last_out(np.ones((2, 3)), times, random_state=seed).test.indices.tolist() == [0, 0]


def test_the_times_of_lists_in_the_order_of_rows():
    users, items, times = np.array([1, 0, 1, 0]), np.array([2, 1, 0, 0]), np.array([5, 6, 7, 4], "M8[D]")
    matrix = entries_at(users, items, np.ones(4))
    assert as_dict(leave_last_out(matrix, times[np.lexsort((items, users))]).test) == {(0, 1): 1, (1, 0): 1}


def test_more_than_int64_can_count_are_all():
    assert leave_last_out(np.ones((2, 3)), np.arange(6), 2**70).train.indices.tolist() == [0, 0]


def test_the_matrix_is_left_alone():
    A, t = entries(6, 5, 1)
    before = [part.copy() for part in (A.indptr, A.indices, A.data, t)]
    for train, test in (random_split(A), leave_last_out(A, t)):
        train.data[:], test.data[:] = -1, -1
    for part, value in zip((A.indptr, A.indices, A.data, t), before):
        np.testing.assert_array_equal(part, value)


# --- bad input

class Coordinates:
    format = "coo"


@pytest.mark.parametrize("split, message", [
    (lambda A, t: random_split(A, 0), "test_size=0"), (lambda A, t: random_split(A, 1.0), "test_size=1.0.*below 1"),
    (lambda A, t: random_split(A, np.nan), "test_size=nan"),
    (lambda A, t: random_split(A, random_state=-1), "random_state=-1"),
    (lambda A, t: random_split([1.0, 2]), "matrix: expected a matrix"),
    (lambda A, t: random_split(Rows(np.array([0, 2]), np.array([1, 1]), np.ones(2), (1, 3))), "row 0 has column 1 twi"),
    (lambda A, t: leave_last_out(A, t[1:]), r"times: expected an array of shape \(\d+,\)"),
    (lambda A, t: leave_last_out(A, np.arange(len(t) + 1)), r"times: expected an array of shape \(\d+,\)"),
    (lambda A, t: leave_last_out(A, np.full(len(t), "NaT", "M8[s]")), "times: expected dates, got NaT at 0"),
    (lambda A, t: leave_last_out(A, [[1], [1, 2]]), "times: expected an array of numbers"),
    (lambda A, t: leave_last_out(A, t * np.nan), "times: Input contains NaN"),
    (lambda A, t: leave_last_out(A, t, 0), "n=0"),
    (lambda A, t: leave_last_out(Coordinates(), t), "got format 'coo'"),
])
def test_bad_arguments(split, message):
    with pytest.raises(ValueError, match=message):
        split(*entries(6, 5, 1))
