"""Inverted lists beside faiss: with its centres the same lists, codes and answers."""
import numpy as np
import pytest

from scratchml.neighbors import IVF, NearestNeighbors

faiss = pytest.importorskip("faiss")


def cloud(N, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(20, 16))[rng.integers(20, size=N)] + 0.5 * rng.normal(size=(N, 16))).astype(np.float32)


@pytest.mark.parametrize("metric, index", [("euclidean", "IndexFlatL2"), ("inner_product", "IndexFlatIP")])
def test_looking_at_all(metric, index):
    X, Q = cloud(2000), cloud(50, 1)
    theirs = getattr(faiss, index)(16)
    theirs.add(X)
    values, labels = theirs.search(Q, 8)
    distances, numbers = NearestNeighbors(8, metric=metric).fit(X).kneighbors(Q)
    assert (numbers == labels).mean() > 0.995            # sums in float32 may swap what is nearly as near
    np.testing.assert_allclose(distances**2 if metric == "euclidean" else -distances, values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("P", [1, 4, 32])
def test_lists_of_vectors(P):
    X, Q, coarse = cloud(3000), cloud(60, 1), faiss.IndexFlatL2(16)
    theirs = faiss.IndexIVFFlat(coarse, 16, 32)
    theirs.train(X)
    theirs.add(X)
    theirs.nprobe = P
    ours = IVF(nprobe=P)
    ours._begin(coarse.reconstruct_n(0, 32), None, "l2")
    ours.add_items(X)
    values, labels = theirs.search(Q, 5)
    numbers, distances = ours.knn_query(Q, 5)
    there = labels >= 0                                  # ours looks through more lists where those hold too few
    assert (numbers == labels)[there].mean() > 0.995
    np.testing.assert_allclose(distances[there], values[there], rtol=2e-5, atol=1e-5)


def test_lists_of_codes():
    X, Q, coarse = cloud(6000), cloud(60, 1), faiss.IndexFlatL2(16)
    theirs = faiss.IndexIVFPQ(coarse, 16, 16, 4, 6)
    theirs.train(X)
    theirs.add(X)
    theirs.nprobe = 5
    ours = IVF(nprobe=5)
    books = faiss.vector_to_array(theirs.pq.centroids).reshape(4, 64, 4).copy()
    ours._begin(coarse.reconstruct_n(0, 16), books, "l2")
    ours.add_items(X)
    known = theirs.reconstruct_n(0, 6000) if theirs.make_direct_map() is None else None
    assert (np.abs(ours.reconstruct() - known).max(axis=1) < 1e-5).mean() > 0.999          # the same codes
    values, labels = theirs.search(Q, 5)
    numbers, distances = ours.knn_query(Q, 5)
    np.testing.assert_allclose(distances, values, rtol=1e-4, atol=1e-4)


def test_books_of_our_own_distort_no_more():
    """Within 1 % of the distortion of faiss's, both learnt on the same points."""
    from scratchml.neighbors.product_quantisation import books_of, distortion
    X = cloud(10_000)
    theirs = faiss.ProductQuantizer(16, 4, 6)
    theirs.train(X)
    known = theirs.decode(theirs.compute_codes(X))
    ours = distortion(X, books_of(X, 4, 64, np.random.default_rng(0)))
    assert ours < 1.01 * ((X - known) ** 2).sum() / len(X)
