"""Features of pairs against their definition, and that none knows what came later."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.core.sparse import entries_at
from scratchml.recommend import facts, features_of_pairs, pool_of
from scratchml.recommend.pair_features import ages, last_times, sold_before, user_means
from tests.recommend.test_splits import users_of
from tests.reference import pair_features as reference
from tests.strategies.candidate_lists import some_lists
from tests.strategies.pair_features import sales, seeds
from tests.strategies.splits import entries


def triples(A):
    return list(zip(users_of(A).tolist(), A.indices.tolist(), A.data.tolist()))


@given(sales(), st.sampled_from([0.5, 1, 2.5, np.inf]))
def test_it_is_as_defined(drawn, w):
    A, t, C, x = drawn
    np.testing.assert_allclose(user_means(A, x), reference.user_means(triples(A), x, A.shape[0]), rtol=1e-12,
                               atol=1e-15)
    assert last_times(A, t).tolist() == reference.last_times(triples(A), t.tolist(), A.shape[0])
    assert ages(A, t, C).tolist() == reference.ages(triples(A), t.tolist(), C.tolist())
    assert sold_before(A, t, C, w).tolist() == reference.sold_before(triples(A), t.tolist(), C.tolist(), w)


@given(sales(), seeds)
def test_all_of_them_by_name(drawn, seed):
    A, t, C, x = drawn
    (U, M), N = A.shape, C.shape[1]
    R, s = some_lists(2, U, N, M, seed)
    pool = pool_of(R, s, M, N)
    C, there = pool.items, pool.items >= 0
    known = facts(A, t, {"price": x}, windows=(0.5,))
    X, names = features_of_pairs(known, np.arange(U), pool, ["a", "b"])
    assert X.shape == (there.sum(), len(names)) == (there.sum(), 18) and np.isfinite(X).all()
    assert len(set(names)) == len(names)
    of = dict(zip(names, X.T))
    wide = {name: np.broadcast_to(reference_of, C.shape)[there] for name, reference_of in {
        "age of the item": ages(A, t, C), "sold up to now": sold_before(A, t, C, np.inf), "a: place": pool.places[0],
        "sold in window 0": sold_before(A, t, C, 0.5 * np.ptp(t) if len(t) else 0), "b: score": pool.scores[1],
        "all lists": pool.fused,
        "price": x[C], "price, mean of the user": user_means(A, x)[:, None],
        "price, off the user's mean": x[C] - user_means(A, x)[:, None],
        "users of the item": np.log1p(np.bincount(A.indices, minlength=M))[C],
        "items of the user": np.log1p(np.diff(A.indptr))[:, None]}.items()}
    for name, values in wide.items():
        np.testing.assert_allclose(of[name], values, rtol=1e-12, atol=1e-12, err_msg=name)
    counts = np.bincount(users_of(A), A.data,
                         U), np.bincount(A.indices, A.data, M), np.bincount(users_of(A), minlength=U)
    for u, m, mean, had, spread in zip(np.nonzero(there)[0], C[there], of["mean value of the user"],
                                       of["mean value of the item"], of["price, spread of the user"]):
        its = x[A.indices[A.indptr[u]:A.indptr[u + 1]]]
        assert mean == pytest.approx(counts[0][u] / max(counts[2][u], 1))
        assert spread == pytest.approx(np.std(its) if its.size else 0)
        assert had == pytest.approx(counts[1][m] / max((A.indices == m).sum(), 1))


@given(sales(), seeds)
def test_permuted_users_have_permuted_features(drawn, seed):
    A, t, _, x = drawn
    U, M = A.shape
    R, s = some_lists(2, U, M, M, seed)
    order = np.random.default_rng(seed).permutation(U)
    back = np.argsort(order)
    B, when = (entries_at(back[users_of(A)], A.indices, values, A.shape) for values in (A.data, t))
    pool, turned = pool_of(R, s, M, M), pool_of(R[:, order], s[:, order], M, M)
    X, _ = features_of_pairs(facts(A, t, {"x": x}), order, pool_of(R[:, order], s[:, order], M, M), "ab")
    Y, _ = features_of_pairs(facts(B, when.data, {"x": x}), np.arange(U), turned, "ab")
    np.testing.assert_allclose(X, Y, rtol=1e-12, atol=1e-12)
    Z, _ = features_of_pairs(facts(A, t, {"x": x}), np.arange(U), pool, "ab")
    assert sorted(map(tuple, Z.tolist())) == sorted(map(tuple, X.tolist()))


@given(sales(), seeds)
def test_the_unit_of_time_does_not_matter_to_sales(drawn, seed):
    A, t, _, _ = drawn
    U, M = A.shape
    pool = pool_of(*some_lists(1, U, M, M, seed), M, M)
    (X, names), (Y, _) = (features_of_pairs(facts(A, times), np.arange(U), pool, "a") for times in (t, 1024 * t))
    sold = [k for k, name in enumerate(names) if name.startswith("sold")]
    assert len(sold) == 4 and X[:, sold].tolist() == Y[:, sold].tolist()


def test_sales_after_the_last_entry_of_a_user_are_not_counted():
    A, t = entries(6, 8, 3)
    t = t + np.arange(len(t)) / 100
    user = int(np.argsort(last_times(A, t))[2])
    now = last_times(A, t)[user]
    C = np.tile(np.arange(8), (6, 1))
    later = np.where(t > now, t + 5, t)                  # whatever comes later comes later still
    assert (t > now).any()
    assert sold_before(A, t, C, np.inf)[user].tolist() == sold_before(A, later, C, np.inf)[user].tolist()


def test_without_times_and_numbers_there_are_fewer():
    A, t = entries(6, 8, 3)
    pool = pool_of(*some_lists(1, 6, 8, 8, 0), 8, 8)
    assert len(features_of_pairs(facts(A), np.arange(6), pool, "a")[1]) == 8
    assert len(features_of_pairs(facts(A, t), np.arange(6), pool, "a")[1]) == 14
    assert len(features_of_pairs(facts(A, t, np.eye(8)[:, :2]), np.arange(6), pool, "a")[1]) == 22


@pytest.mark.parametrize("change, message", [
    (dict(times=[1.0, 2.0]), r"times: expected an array of shape \(18,\)"),
    (dict(times=["2024-01-01"] * 18), "times: expected numbers"),
    (dict(item_numbers=np.ones((7, 1))), "a row for each of 8 items"),
    (dict(item_numbers=np.ones((8, 2)), names=["a", "a"]), "a name for each column"), (dict(windows=(0,)), "windows=0"),
    (dict(item_numbers=np.full((8, 1), np.nan)), "item_numbers: Input contains NaN"),
    (dict(item_numbers={"a": np.ones(7)}), r"item_numbers\['a'\]: expected an array of shape \(8,\)"),
    (dict(matrix="A"), "matrix"), (dict(windows=("a",)), "windows='a'"),
    (dict(item_numbers={"a": np.full(8, 1e200)}), r"item_numbers\['a'\]: the largest"),
    (dict(item_numbers=np.full((8, 1), 1e200)), "item_numbers: the largest"),
])
def test_what_does_not_fit(change, message):
    A, t = entries(6, 8, 3)
    with pytest.raises(ValueError, match=message):
        facts(**{**dict(matrix=A, times=t), **change})


def test_numbers_may_be_as_small_as_they_like():
    A, t = entries(6, 8, 3)
    for numbers in ({"a": np.full(8, 1e-200)}, np.full((8, 1), 1e-200)):
        assert facts(A, t, numbers).of_items.keys() >= {"a" if isinstance(numbers, dict) else "number 0"}


def test_names_of_numbers():
    class Frame:
        columns = ["price", "weight"]

        def __array__(self, dtype=None, copy=None):
            return np.ones((8, 2))
    A, t = entries(6, 8, 3)
    for names, expected in ((None, ["price", "weight"]), (["a", "b"], ["a", "b"])):
        assert list(facts(A, t, Frame(), names=names).means) == expected


def test_what_does_not_fit_a_pool_is_told():
    R, s = some_lists(1, 2, 8, 8, 0)
    pool = pool_of(R, s, 8, 8)
    with pytest.raises(ValueError, match=f"pool: expected candidates of 3 users below item 8 by 2 generators, got 2 "
                                         f"users, item {pool.items.max()} and 1 generators"):
        features_of_pairs(facts(entries(6, 8, 3)[0]), [0, 1, 2], pool, "ab")


@pytest.mark.parametrize("users, generators, M",
                         [([0, 6], "a", 8), ([0], "a", 8), ([0, 1], "ab", 8), ([0, 1], "a", 9), (["0", "1"], "a", 8)])
def test_a_pool_of_others(users, generators, M):
    R, s = some_lists(1, 2, M, M, 0)
    with pytest.raises(ValueError, match="users: expected|pool: expected candidates of"):
        features_of_pairs(facts(entries(6, 8, 3)[0]), users, pool_of(R, s, M, M), generators)
