"""Item-item cosines and what they recommend agree with implicit's and scikit-learn's."""
import numpy as np
import pytest

from scratchml.recommend import ItemCosine, item_cosine
from tests.strategies.item_neighbors import known

sparse = pytest.importorskip("scipy.sparse")


def test_the_cosines_of_scikit_learn():
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")
    for seed in range(3):
        A = known(40, 30, seed, "real")
        expected = pairwise.cosine_similarity(np.nan_to_num(A).T)
        np.fill_diagonal(expected, 0)
        np.testing.assert_allclose(item_cosine(A), expected, rtol=0, atol=1e-14)


@pytest.mark.filterwarnings("ignore:Method expects CSR input")               # which implicit says of itself
@pytest.mark.parametrize("n", [4, 29])
def test_the_recommendations_of_implicit(n):
    theirs = pytest.importorskip("implicit.nearest_neighbours")
    rng = np.random.default_rng(n)
    A = rng.gamma(1, size=(40, 30))                      # no two scores are equal
    A[rng.random((40, 30)) < 0.7] = np.nan
    counts = sparse.csr_matrix(np.nan_to_num(A))
    other = theirs.CosineRecommender(K=n + 1, num_threads=1)                # where an item is its own neighbour
    other.fit(counts, show_progress=False)
    expected, scores = other.recommend(np.arange(40), counts, N=5)
    items, ours = ItemCosine(n).fit(counts).recommend(np.arange(40), 5)
    some = ours > 0                                      # the rest comes in no certain order there
    np.testing.assert_array_equal(items[some], expected[some])
    np.testing.assert_allclose(ours[some], scores[some], rtol=1e-6)
    assert some.mean() > 0.5
