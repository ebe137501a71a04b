"""Weights of words against their definitions, texts against words counted one by one, and what is no text."""
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from scratchml.core.sparse import dense, sparse_rows
from scratchml.recommend import Tfidf, WordCounts, bm25, tf_idf
from scratchml.recommend.word_weights import inverse_document_frequency, texts_with
from tests.reference import word_weights as reference
from tests.strategies.word_weights import seeds, tables, texts

EPS = np.finfo(float).eps
CLOSE = dict(rtol=50 * EPS, atol=0)


# --- the equations

@given(tables())
def test_rare_words_weigh_more(t):
    n = texts_with(sparse_rows(t))
    assert n.tolist() == reference.texts_with(t)
    np.testing.assert_allclose(inverse_document_frequency(n, len(t)), reference.inverse_document_frequency(n, len(t)),
                               **CLOSE)


@given(tables())
def test_tf_idf_has_length_one(t):
    x = dense(tf_idf(t))
    np.testing.assert_allclose(x, reference.tf_idf(t.tolist()), **CLOSE)
    np.testing.assert_allclose((x * x).sum(axis=1), t.any(axis=1), rtol=1e-14)


@given(tables(), st.sampled_from([0, 0.5, 1.2, 10]), st.sampled_from([0, 0.75, 1]))
def test_bm25_lets_repeats_and_long_texts_count_less(t, k, b):
    y = dense(bm25(t, k, b))
    np.testing.assert_allclose(y, reference.bm25(t.tolist(), k, b), **CLOSE)
    if not k:
        assert all(len(set(column[column > 0].round(12))) < 2 for column in y.T)
    most = np.log(1 + (len(t) + 0.5) / 0.5) * (k + 1)
    assert (0 <= y).all() and (b > 0 or (y <= most * (1 + 1e-14)).all())


# --- texts

@given(texts, st.sampled_from([(1, 1), (1, 2), (2, 3), (3, 3)]), st.integers(1, 2), st.integers(2, 9))
def test_words_are_counted_one_by_one(drawn, ngrams, least, most):
    names, expected = reference.counts(drawn, *ngrams, least, most)
    model = WordCounts(ngram_range=ngrams, min_df=least, max_df=most)
    if not names:
        with pytest.raises(ValueError, match="no word is left"):
            model.fit(drawn)
        return
    t = model.fit_transform(drawn)
    assert model.get_feature_names_out().tolist() == names == list(model.vocabulary_)
    np.testing.assert_array_equal(dense(t), expected)
    for first, last in zip(t.indptr, t.indptr[1:]):
        assert (np.diff(t.indices[first:last]) > 0).all()
    np.testing.assert_array_equal(dense(model.transform(drawn)), expected)
    unknown = ["zebra zebu", *drawn[::-1], ""]
    np.testing.assert_array_equal(dense(model.transform(unknown))[1:-1], expected[::-1])
    assert not dense(model.transform(unknown))[[0, -1]].any()


@given(texts)
def test_the_estimator_weighs_what_is_counted(drawn):
    assume(any(len(word) > 1 for text in drawn for word in text.split()))
    t, model = WordCounts().fit_transform(drawn), Tfidf()
    np.testing.assert_array_equal(dense(model.fit_transform(drawn)), dense(tf_idf(t)))
    np.testing.assert_array_equal(dense(model.transform(drawn)), dense(tf_idf(t)))
    plain = Tfidf(norm=None, smooth_idf=False, sublinear_tf=True).fit(drawn)
    counts, N = dense(t), len(drawn)
    expected = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * (np.log(N / (counts > 0).sum(axis=0)) + 1)
    np.testing.assert_allclose(dense(plain.transform(drawn)), expected, rtol=1e-14)


@given(tables(), seeds)
def test_the_order_of_texts_and_of_words_means_nothing(t, seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(t.shape[0]), rng.permutation(t.shape[1])
    for weigh in (tf_idf, bm25):
        np.testing.assert_allclose(dense(weigh(t[rows][:, columns])), dense(weigh(t))[rows][:, columns], rtol=1e-13)


def test_shares_of_texts():
    drawn = ["red tin", "red lamp", "red tin", "green"]
    assert WordCounts(max_df=0.5).fit(drawn).get_feature_names_out().tolist() == ["green", "lamp", "tin"]
    assert WordCounts(min_df=0.5).fit(drawn).get_feature_names_out().tolist() == ["red", "tin"]
    assert WordCounts(min_df=1, max_df=1.0).fit(drawn).vocabulary_["red"] == 2


def test_a_word_that_all_texts_have_counts():
    assert Tfidf().fit(["red tin", "red"]).idf_.tolist() == [1, np.log(3 / 2) + 1]
    assert dense(bm25([[1.0, 1], [1, 0]])).min(where=[[True, True], [True, False]], initial=9) > 0
    assert not bm25(np.zeros((2, 3))).data.any() and not tf_idf(np.zeros((2, 3))).data.any()


class Series:
    """Texts that are found by labels, as a Series of pandas has them."""

    def __init__(self, texts):
        self.texts = texts

    def __iter__(self):
        return iter(self.texts)

    def __getitem__(self, label):
        return {7: 0}[label]


def test_texts_come_in_any_container():
    drawn = ["red tin", "", "tin lamp"]
    expected = dense(Tfidf().fit_transform(drawn))
    for same in (np.array(drawn), np.array(drawn, object), iter(drawn), Series(drawn), (text for text in drawn),
                 tuple(drawn)):
        np.testing.assert_array_equal(dense(Tfidf().fit_transform(same)), expected)


# --- bad input

@pytest.mark.parametrize("drawn, message", [
    ("red tin", "expected a list of str, got str; put a single text into a list"), (b"red", "got bytes"),
    (3, "got int"),
    ([b"red"], "got b'red' of type bytes at 0; decode it"),
    (["red", None], "got None of type NoneType at 1; fill it in"),
    (["red", np.nan], "got nan of type float at 1"), ([["red"]], "of type list at 0"),
    ([], "at least one text, got none"),
    ({"red": 1}, "got dict"), ({"red", "tin"}, "got set"), (["a", "!"], "no word is left of 0 in 2 texts"),
    ([""], "no word is left"),
])
def test_what_is_no_text(drawn, message):
    for model in (Tfidf(), WordCounts()):
        with pytest.raises(ValueError, match=message):
            model.fit(drawn)


@pytest.mark.parametrize("parameters, message", [
    (dict(token_pattern=3), "token_pattern=3"), (dict(token_pattern="("), "no regular expression"),
    (dict(token_pattern="(a)(b)"), "at most one group, got 2"),
    (dict(ngram_range=2), "ngram_range=2: expected two whole"),
    (dict(ngram_range=(2, 1)), "the first to be at most the second"), (dict(ngram_range=(0, 1)), r"ngram_range\[0\]=0"),
    (dict(min_df=0), "min_df=0: expected a whole number"),
    (dict(min_df=1.5), "min_df=1.5: expected a whole number of texts, or"),
    (dict(max_df=True), "max_df=True"),
    (dict(min_df=2, max_df=1), "no word is in at most 1 and in at least 2 of 2 texts"),
    (dict(norm="l3"), "norm='l3'"), (dict(sublinear_tf="False"), "sublinear_tf='False'"),
    (dict(smooth_idf=0), "smooth_idf=0"),
])
def test_bad_parameters(parameters, message):
    for make in (Tfidf, WordCounts):
        if set(parameters) <= set(make().get_params()):
            with pytest.raises(ValueError, match=message):
                make(**parameters).fit(["red tin", "red"])
            with pytest.raises(ValueError, match=message.split(": ")[0] if "df=2" not in str(parameters) else "df"):
                make().fit(["red tin"]).set_params(**parameters).fit(["red tin", "red"])


@pytest.mark.parametrize("call, message", [
    (lambda: tf_idf([[1, -1.0]]), "counts: expected numbers of at least 0, got -1.0"),
    (lambda: bm25([[1e200]]), "no count"),
    (lambda: bm25([[1.0]], k1=-1), "k1=-1"), (lambda: bm25([[1.0]], b=1.1), "b=1.1: expected a number from 0 to 1"),
    (lambda: tf_idf([1.0]), "expected a matrix"), (lambda: Tfidf().transform(["red"]), "not fitted"),
    (lambda: Tfidf().fit(["red"]).transform("red"), "expected a list of str, got str"),
])
def test_bad_calls(call, message):
    with pytest.raises(ValueError, match=message):
        call()
