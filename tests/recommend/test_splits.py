"""Splits against their definition, and that nothing leaks."""
from datetime import date, datetime, time, timezone
from fractions import Fraction

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


STAMPS = ["2024-01-03", "2024-01-01", "2024-01-02"]
DATES = [date.fromisoformat(text) for text in STAMPS]
MOMENTS = [datetime.fromisoformat(text) for text in STAMPS]


@pytest.mark.parametrize("times", [
    STAMPS, np.array(STAMPS), np.array(STAMPS, object), np.array(STAMPS, "S"), DATES, MOMENTS, iter(MOMENTS),
    np.array(STAMPS, "M8[D]"), [np.datetime64(text) for text in STAMPS],
    [m.replace(tzinfo=timezone.utc) for m in MOMENTS],
    [f"{text}T12:00:00Z" for text in STAMPS], [f"{text} 12:00" for text in STAMPS], [m - MOMENTS[1] for m in MOMENTS],
    np.array(STAMPS, "M8[s]") - np.datetime64("2024-01-01"), np.array([2, 0, 1], "m8[ns]"),
    [m.timestamp() for m in MOMENTS],
    dict(enumerate(STAMPS)).values(), dict.fromkeys(STAMPS).keys(), [f"170000000000000000{end}" for end in "201"],
    ["20240103", "20240101", "20240102"], ["3.5", "-1", "2e0"], np.array([3, 1, 2], object), [2**80, -(2**80), 7],
    [time(3), time(1), time(2)], [Fraction(3), Fraction(1, 3), 2],
    # the zone decides: 23:00 in Los Angeles is the latest, 01:00 in Tokyo the first
    [f"2024-01-01T{hour}" for hour in ("23:00-08:00", "01:00+09:00", "12:00+00:00")],
    [f"2024-01-01T00:00:00.123456{rest}" for rest in ("9", "7", "789")],
    [f"2024-01-01T00:00:00.1234567{rest}" for rest in ("91Z", "1Z", "9Z")],
])
def test_times_of_every_kind(times):
    assert leave_last_out(np.ones((1, 3)), times).test.indices.tolist() == [0]


@pytest.mark.parametrize("times, message", [
    (["2024-01-03", None, "2024-01-02"], "times: expected dates or numbers, got None at 1"),
    ([*MOMENTS[:2], float("nan")], "times: expected dates or numbers, got nan at 2"),
    (["3", "nan", "2"], "times: expected dates, numbers or ISO text .* got 'nan' at 1"),
    (["3", "2", "inf"], "times: expected dates, numbers or ISO text .* got 'inf' at 2"),
    ([np.ma.masked, 1, 2], "times: contains masked values"),
    (np.array(["2024-01-03", "NaT", "2024-01-02"], "M8[D]"), "times: expected dates, got NaT at 1"),
    (np.array([1, "NaT", 2], "m8[s]"), "times: expected dates, got NaT at 1"),
    (["03/01/2024", "2024-01-01", "2024-01-02"], "ISO text .* got '03/01/2024' at 0; parse it first, e.g. with pa"),
    ([MOMENTS[0].replace(tzinfo=timezone.utc), *MOMENTS[1:]],
     "times: expected moments of one kind, all with a time zone"),
    ([DATES[0], *MOMENTS[1:]], "times: expected moments of one kind"),
    ([{}, {}, {}], "times: expected moments of one kind"),
    (STAMPS[:2], r"times: expected an array of shape \(3,\), got shape \(2,\)"), ("2024", "times: expected an array"),
])
def test_times_of_no_kind(times, message):
    with pytest.raises(ValueError, match=message):
        leave_last_out(np.ones((1, 3)), times)


class Coo:
    """What a matrix of SciPy in coordinates is recognised by."""
    format = "coo"

    def __init__(self, values, row, col, shape):
        self.data, self.row, self.col, self.shape = map(np.asarray, (values, row, col, shape))


@given(timed_entries(), seeds)
def test_a_table_keeps_its_own_order(drawn, seed):
    A, t = drawn
    t = t + np.arange(len(t)) / 100
    order = np.random.default_rng(seed).permutation(len(t))
    table = Coo(A.data[order], users_of(A)[order], A.indices[order], A.shape)
    assert as_dict(leave_last_out(table, t[order], 2).test) == as_dict(leave_last_out(A, t, 2).test)


def test_times_of_a_table_beside_a_matrix_are_asked_about():
    rng = np.random.default_rng(0)
    users = np.sort(rng.integers(0, 12, 90))
    pairs = np.unique(np.stack([users, rng.integers(0, 50, 90)], axis=1), axis=0)
    pairs = pairs[rng.permutation(len(pairs))]
    users, items = pairs[np.argsort(pairs[:, 0], kind="stable")].T       # a log, user after user
    times = np.arange(len(users))
    matrix = entries_at(users, items, np.ones(len(users)))
    for wrong in (times, times.astype("M8[D]"), -times):
        with pytest.warns(UserWarning,
                          match=r"times: .* a table that is sorted by time; .* times\[np.lexsort\(\(items"):
            leave_last_out(matrix, wrong)
    right = leave_last_out(matrix, times[np.lexsort((items, users))])
    assert as_dict(right.test) == as_dict(leave_last_out(Coo(np.ones(len(users)), users, items, matrix.shape),
                                                         times).test)
    own = Rows(matrix.indptr, items.astype(np.int32), np.ones(len(users)), matrix.shape)     # as the log has them
    assert as_dict(leave_last_out(own, times).test) == as_dict(right.test)


@pytest.mark.parametrize("split", [random_split, lambda A: leave_last_out(A, np.zeros(A.size))])
def test_zeros_that_may_be_unknown_are_asked_about(split):
    with pytest.warns(UserWarning, match="matrix: no entry is NaN"):
        split(np.array([[1.0, 0, 2], [0, 3, 0]]))


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


def test_a_share_is_rounded_from_a_half_on():
    assert share_of_each(np.array([10, 10, 10]), 0.2499).tolist() == [2, 2, 2]
    assert share_of_each(np.array([10, 2, 6]), 0.25).tolist() == [3, 1, 2]
