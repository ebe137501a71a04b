"""Codes and distances against their definitions, and the laws that hold between them."""
import numpy as np
from hypothesis import given, strategies as st

from scratchml.neighbors.product_quantisation import (asymmetric_distance, books_of, decode, distortion, encode,
                                                      symmetric_distance, tables)
from tests.reference import product_quantisation as reference
from tests.strategies.product_quantisation import points_and_books


@given(points_and_books())
def test_codes_are_their_definition(drawn):
    X, W, _ = drawn
    Y = encode(X, W)
    assert Y.dtype == np.uint8 and Y.tolist() == reference.encode(X.tolist(), W.tolist())
    assert decode(Y, W).tolist() == reference.decode(Y.tolist(), W.tolist())


@given(points_and_books())
def test_distances_are_their_definitions(drawn):
    X, W, q = drawn
    Y = encode(X, W)
    np.testing.assert_allclose(tables(q, W), reference.tables(q, W), rtol=1e-12)
    np.testing.assert_allclose(asymmetric_distance(q, Y, W), reference.asymmetric_distance(q, Y, W), rtol=1e-12)
    np.testing.assert_allclose(symmetric_distance(q, Y, W), reference.symmetric_distance(q.tolist(), Y, W.tolist()),
                               rtol=1e-12)


@given(points_and_books())
def test_distortion_by_two_routes(drawn):
    """The definition, and the inertia of each slice about the vectors that its codes name."""
    X, W, _ = drawn
    m, s = len(W), W.shape[2]
    inertias = [min(((x[j * s:(j + 1) * s] - w) ** 2).sum() for w in W[j]) for x in X for j in range(m)]
    np.testing.assert_allclose(distortion(X, W), sum(inertias) / len(X), rtol=1e-12)
    np.testing.assert_allclose(distortion(X, W), reference.distortion(X.tolist(), W.tolist()), rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_what_a_book_holds_is_coded_without_loss(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(5, 6))
    W = books_of(X, 3, 5, rng)
    assert W.shape == (3, 5, 2) and distortion(X, W) == 0
    np.testing.assert_array_equal(decode(encode(X, W), W), X)


def test_larger_books_and_more_slices_distort_less():
    X, found = np.random.default_rng(0).normal(size=(90, 4)), []
    for m, K in ((1, 2), (1, 8), (2, 8), (4, 8)):
        found.append(distortion(X, books_of(X, m, K, np.random.default_rng(0), 4)))
    assert found == sorted(found, reverse=True) and found[-1] < 0.2 * found[0]


def test_coding_the_query_too_errs_more():
    """In the mean over queries and points, of squared errors of distances."""
    rng = np.random.default_rng(0)
    X, Q = rng.normal(size=(90, 4)), rng.normal(size=(20, 4))
    W = books_of(X, 2, 8, rng, 4)
    Y, true = encode(X, W), ((Q[:, None] - X) ** 2).sum(axis=2)
    once, twice = (np.mean([(distance(q, Y, W) - t) ** 2 for q, t in zip(Q, true)])
                   for distance in (asymmetric_distance, symmetric_distance))
    assert once < 0.8 * twice
