"""HNSW beside hnswlib: the same distances, and no fewer of the true neighbours."""
import numpy as np
import pytest

from scratchml.neighbors import HNSW
from tests.strategies.hnsw import points

hnswlib = pytest.importorskip("hnswlib")


def theirs(space, X, M=8, ef=40):
    index = hnswlib.Index(space, X.shape[1])
    index.init_index(len(X), M=M, ef_construction=ef, random_seed=1)
    index.set_num_threads(1)
    index.add_items(X)
    return index


@pytest.mark.parametrize("space", ["l2", "ip", "cosine"])
def test_the_same_distances_in_the_same_order_of_the_pair(space):
    X, Q = points("normal", 300, 6, 0), points("normal", 20, 6, 1)
    peer, ours = theirs(space, X), HNSW(space, M=8, ef_construction=40, random_state=0).fit(X)
    peer.set_ef(300)
    expected = peer.knn_query(Q, 5)
    labels, distances = ours.set_ef(300).knn_query(Q, 5)
    np.testing.assert_array_equal(labels, expected[0])
    np.testing.assert_allclose(distances, expected[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("space", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("ef", [10, 30])
def test_no_fewer_of_the_true_neighbours_are_found(space, ef):
    X, Q = points("normal", 2000, 8, 0), points("normal", 200, 8, 1)
    peer, ours = theirs(space, X), HNSW(space, M=8, ef_construction=40, random_state=0).fit(X)
    true = HNSW(space, random_state=0, ef=len(X)).fit(X).knn_query(Q, 10)[0]
    peer.set_ef(ef)
    shares = [np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), true.tolist())])
              for found in (ours.set_ef(ef).knn_query(Q, 10)[0], peer.knn_query(Q, 10)[0])]
    assert shares[0] > shares[1] - 0.02


def test_what_ends_in_an_exception_there_ends_in_less_here():
    X = points("normal", 20, 3, 0)
    peer, ours = theirs("l2", X), HNSW(M=8, random_state=0).fit(X)
    for label in range(15):
        peer.mark_deleted(label)
    ours.mark_deleted(range(15))
    with pytest.raises(RuntimeError, match="Cannot return the results in a contiguous 2D array"):
        peer.knn_query(X[:1], 6)
    labels = ours.knn_query(X[:1], 6)[0][0]
    assert labels[5] == -1 and set(labels[:5].tolist()) == set(range(15, 20))
