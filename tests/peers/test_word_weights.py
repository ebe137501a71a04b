"""TF-IDF agrees with scikit-learn's TfidfVectorizer, on the names of the shop's items and with every parameter."""
import numpy as np
import pytest

from scratchml.datasets import load_online_retail
from scratchml.recommend import Tfidf

text = pytest.importorskip("sklearn.feature_extraction.text")


@pytest.mark.parametrize("parameters", [
    {}, dict(ngram_range=(1, 2)), dict(ngram_range=(2, 3), min_df=2, max_df=0.01), dict(sublinear_tf=True, norm=None),
    dict(smooth_idf=False, min_df=0.001), dict(token_pattern=r"(?u)\b\w+\b", max_df=50), dict(token_pattern=r"(\w)\w"),
])
def test_the_weights_of_scikit_learn(parameters):
    names = load_online_retail().item_names.tolist()
    theirs, ours = text.TfidfVectorizer(**parameters), Tfidf(**parameters)
    expected, found = theirs.fit_transform(names), ours.fit_transform(names)
    expected.sort_indices()
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-12)
    other = [name[::-1] for name in names[:50]] + names[:50]
    expected = theirs.transform(other)
    expected.sort_indices()
    np.testing.assert_allclose(ours.transform(other).data, expected.data, rtol=1e-12)
