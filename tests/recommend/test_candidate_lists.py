"""Candidates of several lists against their definition, and what must hold of them and of the two splits."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import Rows
from scratchml.recommend import candidate_lists, leave_last_out, pool_of, two_stage_split
from scratchml.recommend.candidate_lists import places, pooled, reciprocal_places, scores_at
from tests.recommend.test_splits import Coo, as_dict, users_of
from tests.reference import candidate_lists as reference
from tests.strategies.candidate_lists import lists_of_several, seeds, some_lists
from tests.strategies.splits import entries, timed_entries


@given(lists_of_several(), st.sampled_from([0.0, 60.0]), st.integers(1, 6))
def test_it_is_as_defined(drawn, c, N):
    R, s, M = drawn
    N = min(N, M)
    f = reciprocal_places(R, M, c)
    np.testing.assert_allclose(f, reference.reciprocal_places(R.tolist(), M, c), rtol=1e-14)
    C = pooled(f, N)
    assert C.tolist() == reference.pooled(f.tolist(), N)
    p = places(R, C, M)
    assert p.tolist() == reference.places(R.tolist(), C.tolist(), M)
    assert scores_at(s, p).tolist() == reference.scores_at(s.tolist(), p.tolist())
    pool = pool_of(R, s, M, N, c)
    assert pool.items.tolist() == C.tolist() and pool.places.tolist() == p.tolist()
    assert pool.scores.tolist() == scores_at(s, p).tolist() and np.isfinite(pool.scores).all()
    assert ((pool.fused > 0) == (C >= 0)).all() and (np.diff(pool.fused, axis=1) <= 0).all()


@given(lists_of_several(), seeds)
def test_users_and_blocks_do_not_matter(drawn, seed):
    R, s, M = drawn
    order = np.random.default_rng(seed).permutation(R.shape[1])
    whole, turned = pool_of(R, s, M, M), pool_of(R[:, order], s[:, order], M, M)
    before, candidate_lists.BLOCK = candidate_lists.BLOCK, 1             # a user at a time
    try:
        again = pool_of(R, s, M, M)
    finally:
        candidate_lists.BLOCK = before
    for one, other, third, axis in zip(whole, turned, again, (0, 0, 1, 1)):
        assert np.take(one, order, axis).tolist() == other.tolist() and one.tolist() == third.tolist()


@given(lists_of_several())
def test_all_that_is_in_a_list_is_among_all_candidates(drawn):
    R, s, M = drawn
    pool = pool_of(R, s, M, M)
    for u in range(R.shape[1]):
        assert set(pool.items[u].tolist()) - {-1} == set(R[:, u].ravel().tolist()) - {-1}
    first = pool_of(R[:1], s[:1], M, R.shape[2])         # of a single list, the list
    assert first.items.tolist() == np.pad(R[0], ((0, 0), (0, 0)), constant_values=-1).tolist()


def test_a_list_that_many_have_goes_first():
    R = np.array([[[0, 1, 2]], [[3, 1, 4]], [[5, 1, 6]]])
    assert pool_of(R, np.zeros(R.shape), 7, 3).items.tolist() == [[1, 0, 3]]
    assert pool_of(R, np.zeros(R.shape), 7, 3, c=0).items.tolist() == [[1, 0, 3]]        # 3/2 against 1
    assert pool_of(R[:1], np.zeros((1, 1, 3)), 7, 7).items.tolist() == [[0, 1, 2, -1, -1, -1, -1]]


@pytest.mark.parametrize("lists, scores, M, message", [
    ([[[0, 1]]], [[[1., 2.]], [[1., 2.]]], 3,
     "lists, scores: expected one of each for at least one generator, got 1 and 2"),
    ([], [], 3, "at least one generator, got 0 and 0"),
    ([[[0, 1]], [[0, 1], [1, 2]]], [[[1., 2.]], [[1., 2.], [1., 2.]]], 3,
     r"expected one shape \(S, L\) for all generators"),
    ([[[0, 3]]], [[[1., 2.]]], 3, "M: expected one for each item, there are 3, and item 3"),
    ([[[1, 1]]], [[[1., 2.]]], 3, "has an item twice"), ([[[-1, 1]]], [[[1., 2.]]], 3, "-1 only after the end"),
    ([[[0, 1]]], [[[1., np.nan]]], 3, "NaN or infinity"), ([[[0, 1]]], [[[1., 2.]]], 0, "M=0"),
    ([["ab"]], [[[1., 2.]]], 3, "items"),
])
def test_what_are_no_lists(lists, scores, M, message):
    with pytest.raises(ValueError, match=message):
        pool_of(lists, scores, M)


@pytest.mark.parametrize("N, c", [(0, 60), (2.5, 60), ("3", 60), (3, -1), (3, np.nan), (3, "60")])
def test_parameters_out_of_range(N, c):
    with pytest.raises(ValueError, match="expected a"):
        pool_of(*some_lists(2, 3, 4, 7, 0), 7, N, c)


# --- parted twice

@given(timed_entries(), st.integers(1, 4), st.booleans(), seeds)
def test_each_entry_is_on_one_of_three_sides(drawn, n, timed, seed):
    A, t = drawn
    two = two_stage_split(A, t if timed else None, n, share=0.3, random_state=seed)
    (inner, labels), (outer, test) = ([as_dict(side) for side in split] for split in (two.inner, two.outer))
    assert inner | labels == outer and outer | test == as_dict(A)
    assert not inner.keys() & labels.keys() and not outer.keys() & test.keys()
    if timed:
        when = dict(zip(zip(users_of(A).tolist(), A.indices.tolist()), t - t.min(initial=9)))
        for user in range(A.shape[0]):
            ends = [[when[pair] for pair in side if pair[0] == user] for side in (inner, labels, test)]
            assert max(ends[0], default=0) <= min(ends[1], default=9)
            assert max(ends[1], default=0) <= min(ends[2], default=9)
        for split, times in ((two.inner, two.inner_times), (two.outer, two.outer_times)):
            assert times.tolist() == [when[pair] for pair in as_dict(split.train)]


def test_the_same_seed_gives_the_same_two_splits():
    A, t = entries(20, 15, 0)
    for times in (t, None):
        one, same, other = (two_stage_split(A, times, 3, random_state=seed)
                            for seed in (5, np.random.default_rng(5), 6))
        assert as_dict(one.inner.test) == as_dict(same.inner.test) != as_dict(other.inner.test)
        assert as_dict(one.outer.test) == as_dict(same.outer.test) != as_dict(other.outer.test)


@pytest.mark.parametrize("times, expected", [
    (np.array([5, 1, 2, 9]), [4, 0, 1]), (np.array([5, 1, 2, 9], "M8[D]"), [4, 0, 1]), ([5, 1, 2, 9], [2, 0, 1]),
    (["2024-01-05", "2024-01-01", "2024-01-02", "2024-02-01"], [2, 0, 1]), (np.array([5.5, 1, 2, 9]), [4.5, 0, 1]),
    (np.array([0, -128, -120, 127], np.int8), [128, 0, 8]),
    (np.array([0, -2**63, 8 - 2**63, 2**63 - 1]), [2.0**63, 0, 8]),
    (np.array([5, 1, 2, 9]) + 1_700_000_000_000_000_000, [4, 0, 1]),
    (np.array([120, 24, 48, 216], "m8[h]"), [4, 0, 1])])
def test_times_become_numbers(times, expected):
    two = two_stage_split([[1, 1, 1, 1]], times, n=1)
    assert two.outer.test.indices.tolist() == [3] and two.outer_times.tolist() == expected


def test_a_table_keeps_its_own_order():
    A, t = entries(6, 8, 3)
    t = t + np.arange(len(t)) / 100
    order = np.random.default_rng(0).permutation(len(t))
    table = Coo(A.data[order], users_of(A)[order], A.indices[order], A.shape)
    assert as_dict(two_stage_split(table, t[order], 2).outer.test) == as_dict(leave_last_out(A, t, 2).test)


@pytest.mark.parametrize("split, message", [
    (lambda A, t: two_stage_split(A, t[:-1]), "times: expected an array of shape"),
    (lambda A, t: two_stage_split(A, t, 0), "n=0"),
    (lambda A, t: two_stage_split(A, share=1.0), "test_size=1.0"), (lambda A, t: two_stage_split("A", t), "matrix"),
    (lambda A, t: two_stage_split(A, 1e308 * np.sign(t - 1.5)), "times: expected numbers whose differences"),
    (lambda A, t: two_stage_split(A, np.full(len(t), np.nan)), "times: Input contains NaN"),
    (lambda A, t: two_stage_split(Rows(A.indptr, A.indices, A.data * np.inf, A.shape), t), "matrix.data")])
def test_what_cannot_be_parted(split, message):
    with pytest.raises(ValueError, match=message):
        split(*entries(6, 5, 1))
