"""Graded metrics against the mean over every order, and what must hold whatever the scores."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.metrics import dcg_score, err_score, ndcg_score
from scratchml.metrics.graded import (contentment, dcg, discounts, expected_reciprocal_rank, exponential_gains, ndcg,
                                      query_starts, subset_means)
from tests.reference import graded as reference
from tests.strategies.graded import queries

seeds = st.integers(0, 2**32 - 1)
close = dict(rtol=1e-12, atol=1e-14)


# --- equal to the definition

@given(queries())
def test_one_query_is_the_mean_over_all_orders(drawn):
    y, s, k = drawn
    g = exponential_gains(y)
    np.testing.assert_allclose(discounts(k), reference.discounts(k), **close)
    np.testing.assert_allclose(g, reference.exponential_gains(y), **close)
    assert dcg(g, s, k) == pytest.approx(reference.dcg(g, s, k), rel=1e-12)
    p = contentment(y, 3.5)
    np.testing.assert_allclose(p, reference.contentment(y, 3.5), **close)
    assert expected_reciprocal_rank(p, s, k) == pytest.approx(reference.expected_reciprocal_rank(p, s, k), rel=1e-12)
    if y.any():
        assert ndcg(g, s, k) == pytest.approx(reference.ndcg(g, s, k), rel=1e-12)


@given(st.lists(st.floats(0, 1), max_size=6))
def test_means_over_subsets(x):
    np.testing.assert_allclose(subset_means(np.array(x)), reference.subset_means(x), **close)


@given(st.lists(queries(), min_size=1, max_size=4), seeds, st.integers(1, 6),
       st.sampled_from(["exponential", "linear"]))
def test_many_queries_are_each_by_itself_in_whatever_form_they_come(drawn, seed, k, gains):
    judged = [(y, s) for y, s, _ in drawn if y.any()]
    y, s = (np.concatenate([part[j] for part in drawn]) for j in range(2))
    lengths = [len(part[0]) for part in drawn]
    qid, mixed = np.repeat([f"q{j}" for j in range(len(drawn))],
                           lengths), np.random.default_rng(seed).permutation(len(y))
    if not judged:
        for score in (dcg_score, ndcg_score, err_score):
            with pytest.raises(ValueError, match="y_true: no query has a document above grade 0"):
                score(y, s, group=lengths)
        return
    most = y.max() + 0.5
    worth = exponential_gains if gains == "exponential" else np.asarray
    for score, options, expected in (
            (dcg_score, dict(gains=gains), [dcg(worth(y), s, k) for y, s in judged]),
            (ndcg_score, dict(gains=gains), [ndcg(worth(y), s, k) for y, s in judged]),
            (err_score, dict(max_grade=most),
             [expected_reciprocal_rank(contentment(y, most), s, k) for y, s in judged])):
        found = score(y, s, group=lengths, k=k, per_query=True, **options)
        np.testing.assert_allclose(found, expected, **close)
        assert score(y, s, group=lengths, k=k, **options) == pytest.approx(np.mean(expected), rel=1e-12)
        by_id = score(y[mixed], s[mixed], qid=qid[mixed], k=k, per_query=True, **options)
        np.testing.assert_allclose(np.sort(by_id), np.sort(expected), **close)


@given(seeds, st.sampled_from([None, 1, 7, 60, 99]))
def test_long_queries_with_groups_that_go_on_behind_the_last_place(seed, k):
    rng = np.random.default_rng(seed)
    y, s = rng.integers(0, 4, (3, 70)), rng.integers(0, 6, (3, 70))
    y[:, 0] = 2
    g, p, places = exponential_gains(y), contentment(y, 3), 70 if k is None else k
    np.testing.assert_allclose(dcg_score(y, s, k=k, per_query=True), [dcg(*row, places) for row in zip(g, s)], **close)
    np.testing.assert_allclose(ndcg_score(y, s, k=k, per_query=True), [ndcg(*row, places) for row in zip(g, s)],
                               **close)
    np.testing.assert_allclose(err_score(y, s, k=k, max_grade=3, per_query=True),
                               [expected_reciprocal_rank(*row, places) for row in zip(p, s)], **close)


# --- laws

@given(seeds)
def test_the_best_order_has_1_and_none_has_more(seed):
    rng = np.random.default_rng(seed)
    y, s = rng.integers(0, 5, (4, 12)), rng.normal(size=(4, 12))
    y[:, 3] = 4
    assert ndcg_score(y, y) == pytest.approx(1, rel=1e-15) and 0 < ndcg_score(y, s) < 1 + 1e-12
    assert ndcg_score(y, s) == ndcg_score(y, 3 * s - 5) and err_score(y, s) <= err_score(y, y) + 1e-15
    order = rng.permutation(12)
    np.testing.assert_allclose(ndcg_score(y[:, order], s[:, order], per_query=True), ndcg_score(y, s, per_query=True),
                               **close)


def test_a_constant_model_is_paid_for_no_order_of_the_file():
    y = np.arange(6) % 3
    for score in (dcg_score, ndcg_score, err_score):
        assert score(np.sort(y)[::-1], np.zeros(6)) == pytest.approx(score(np.sort(y), np.zeros(6)), rel=1e-14)


def test_by_hand():
    y, s = [3, 0, 2, 1, 0], [2, 2, 1, 1, 1]
    assert ndcg_score(y, s, gains="linear") == pytest.approx(0.79043155, abs=1e-8)
    assert ndcg_score(y, s, k=3, gains="linear") == pytest.approx(0.61874875, abs=1e-8)
    assert err_score([3, 2, 0, 1], [4, 3, 2, 1], max_grade=4) == pytest.approx(0.49737549, abs=1e-8)
    assert err_score([3, 2, 0, 1], [4, 3, 2, 1], max_grade=4, k=2) == pytest.approx(0.49023438, abs=1e-8)
    assert dcg_score([1], [0.0]) == 1


def test_queries_come_in_any_container(monkeypatch):
    y, s, qid = [0, 1, 2, 1], [0.3, 0.7, 0.1, 0.9], ["b", "a", "a", "b"]
    expected = ndcg_score(y, s, qid=qid)
    for ids in (np.array(qid), np.array(qid, object), iter(qid), [7, 5, 5, 7], [(2, 1), (1, 1), (1, 1), (2, 1)]):
        assert ndcg_score(np.array(y, np.uint8), np.array(s, np.float32), qid=ids) == pytest.approx(expected, rel=1e-12)
    starts, order = query_starts(4, qid=qid)
    assert starts.tolist() == [0, 2, 4] and order.tolist() == [0, 3, 1, 2]
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        rng = np.random.default_rng(0)
        many = ndcg_score(rng.integers(0, 3, 3000), rng.integers(0, 9, 3000), group=np.full(1000, 3), per_query=True)
        assert threads == "1" or (many == before).all()
        before = many


def test_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(dict(y=[0, 1, 2, 1], s=[0.3, 0.7, 0.1, 0.9], q=["b", "a", "a", "b"]), index=[7, 8, 9, 10])
    expected = ndcg_score([0, 1, 2, 1], [0.3, 0.7, 0.1, 0.9], qid=["b", "a", "a", "b"])
    assert ndcg_score(frame.y, frame.s,
                      qid=frame.q) == ndcg_score(frame.y, frame.s, qid=frame.q.astype("category")) == expected
    with pytest.raises(ValueError, match="qid: the id at 1 is missing"):
        ndcg_score(frame.y, frame.s, qid=frame.q.where(frame.index != 8, None).astype("string"))


# --- bad input

@pytest.mark.parametrize("arguments, message", [
    (dict(y_true=[1, 2], y_score=[1.0]), "expected two arrays of one shape"),
    (dict(y_true=[], y_score=[]), "at least one document"),
    (dict(y_true=3, y_score=4), "expected two arrays of one shape"),
    (dict(y_true=[-1, 2]), "y_true: expected grades of 0 or more, got -1"),
    (dict(y_true=[np.nan, 2]), "y_true"), (dict(y_score=[np.inf, 2]), "y_score"),
    (dict(y_score=[np.nan, 2]), "y_score"), (dict(y_true=[0, 0]), "no query has a document above grade 0"),
    (dict(y_true=[2000, 0]), "the grade 2000 has a gain beyond float64"),
    (dict(k=0), "k=0"), (dict(k=1.5), "k=1.5"), (dict(gains="cubic"), "gains='cubic'"),
    (dict(per_query="no"), "per_query"),
    (dict(group=[1]), "group: expected how many documents each query has, whole numbers from 1 that add up to 2"),
    (dict(group=[[2], [1, 2]]), "group: expected how many documents each query has"),
    (dict(group=np.ma.array([2, 1], mask=[0, 1])), "group: .* masked values"), (dict(group=[2, 0]), "group"),
    (dict(group=[1.0, 1.0]), "group"), (dict(group=2), "group"),
    (dict(qid=["a"]), "qid: expected an id for each of the 2 documents"),
    (dict(qid="ab"), "qid: expected a column of ids"),
    (dict(qid=["a", None]), "qid: the id at 1 is missing"),
    (dict(qid=[["a"], ["b"]]), "qid: expected ids that can be keys of a dict"),
    (dict(qid=np.array(["2024-01-01", "NaT"], "datetime64[ns]")), "qid: the id at 1 is missing"),
    (dict(qid=np.ma.array([1, 2], mask=[0, 1])), "qid: .*masked"),
    (dict(group=[2], qid=["a", "a"]), "expected one of group, qid"),
    (dict(y_true=[[1, 0]], y_score=[[1, 0]], group=[2]), "expected one of group, qid"),
])
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        ndcg_score(**dict(y_true=[1, 2], y_score=[0.5, 0.1]) | arguments)


def test_grades_above_the_highest():
    with pytest.raises(ValueError, match="y_true: has the grade 3, above max_grade=2"):
        err_score([3, 1], [1, 2], max_grade=2)
    assert err_score([2000, 1], [1, 2]) == pytest.approx(0.5)            # 2^2000 is never made
