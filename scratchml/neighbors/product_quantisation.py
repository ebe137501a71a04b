"""Product quantisation: a vector in a few bytes, and distances to it by looking up.

A million vectors of 64 numbers take 256 MB; in 16 bytes each they take 16.  To quantise is to say the number of the
nearest of K known vectors in place of a vector.  But 16 bytes are 2^128 numbers, and nobody can learn so many vectors.
So cut the vector into m slices, and quantise each by a book of its own with K = 256 vectors, learnt by k-means: m
numbers of a byte name one of 256^m vectors, though only 256 m slices were learnt.

A distance to a coded vector is a sum over slices, and each of its terms is one of 256 that do not depend on the coded
vector.  So a query first measures its slices against the books, (3); then a distance is m look-ups and additions (4),
whatever the length of the vectors.  The query itself is not coded, so all of the error is the point's; to code it, too,
(5), saves nothing here and errs more.

Symbols
    X    (N, D)      points: x_i, their slices x_i^j
    W    (m, K, s)   a book of K vectors for each slice: w_jk; D = m s
    Y    (N, m)      codes: y_ij, numbers below K
    q    (D,)        a query, its slices q^j
    x̂_i, q̂          what the codes of x_i and of q stand for
    N, D, m, K, s    points, features, slices, vectors in a book, features of a slice

Equations
    (1)  y_ij = argmin_k ‖x_i^j - w_jk‖², the lowest such k                   encode
    (2)  x̂_i = (w_{1,y_i1}, ..., w_{m,y_im})                                  decode
    (3)  T_jk = ‖q^j - w_jk‖²                                                 tables
    (4)  Σ_j T_{j,y_ij} = ‖q - x̂_i‖²                                          asymmetric_distance
    (5)  Σ_j ‖w_{j,y_j(q)} - w_{j,y_ij}‖² = ‖q̂ - x̂_i‖²                        symmetric_distance
    (6)  Σ_i ‖x_i - x̂_i‖² / N                                                distortion

(6) is the sum over slices of the inertia of k-means on that slice, by N: it is what learning the books makes small.

Choices
    A code is a byte, also where K is below 256.  Books are learnt on at most 256 K points; where there are fewer points
    than K, each is a vector of its own, and all are coded without loss.
    In inverted lists what is coded is x - c, the point as its centre sees it: that is smaller, so the error is too.
    Slices are of neighbouring features.  Features that go together should lie in one slice; a random rotation before
    spreads what differs much evenly over the slices, and is left to the caller.

Cost
    (1) O(N K D), (3) O(K D), (4) O(m) a point.  A point takes m bytes.

>>> W = np.array([[[0.], [10]], [[0.], [5]]])
>>> Y = encode(np.array([[9., 1], [2, 4]]), W)
>>> Y.tolist(), decode(Y, W).tolist(), asymmetric_distance(np.array([9., 5]), Y, W).tolist()
([[1, 0], [0, 1]], [[10.0, 0.0], [0.0, 5.0]], [26.0, 81.0])

Source: H. Jégou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33 (2011),
sections II and III.
"""
import numpy as np

from scratchml.cluster.assignment import nearest_of_all
from scratchml.neighbors.inverted_lists import centres_of

# --- the equations -------------------------------------------------------------------------------


def encode(X, W):
    """(1)  y_ij = argmin_k ‖x_i^j - w_jk‖², the lowest such k

    Shapes: X (N, D), W (m, K, s) -> (N, m) in K
    """
    Y = np.empty((len(X), len(W)), np.uint8)
    for j, (part, book) in enumerate(zip(slices(X, len(W)), W)):
        Y[:, j] = nearest_of_all(part, np.ascontiguousarray(book))
    return Y


def decode(Y, W):
    """(2)  x̂_i = (w_{1,y_i1}, ..., w_{m,y_im})

    Shapes: Y (N, m), W (m, K, s) -> (N, m*s)
    """
    return W[np.arange(len(W)), Y].reshape(len(Y), W.shape[0] * W.shape[2])


def tables(q, W):
    """(3)  T_jk = ‖q^j - w_jk‖²

    Shapes: q (D), W (m, K, s) -> (m, K)
    """
    return ((q.reshape(len(W), 1, -1) - W) ** 2).sum(axis=2)


def asymmetric_distance(q, Y, W):
    """(4)  Σ_j T_{j,y_ij} = ‖q - x̂_i‖²

    Shapes: q (D), Y (N, m), W (m, K, s) -> (N)
    """
    return tables(q, W)[np.arange(len(W)), Y].sum(axis=1)


def symmetric_distance(q, Y, W):
    """(5)  Σ_j ‖w_{j,y_j(q)} - w_{j,y_ij}‖² = ‖q̂ - x̂_i‖²

    Shapes: q (D), Y (N, m), W (m, K, s) -> (N)
    """
    return asymmetric_distance(decode(encode(q[None], W), W)[0], Y, W)


def distortion(X, W):
    """(6)  Σ_i ‖x_i - x̂_i‖² / N

    Shapes: X (N, D), W (m, K, s) -> ()
    """
    return float(((X - decode(encode(X, W), W)) ** 2).sum() / len(X))


# --- the books -----------------------------------------------------------------------------------


def slices(X, m):
    """The m parts (N, s) of the points, C-contiguous."""
    return [np.ascontiguousarray(part) for part in np.split(X, m, axis=1)]


def books_of(X, m, K, rng, iterations=25):
    """Books (m, K, s) for the slices of the points; K is at most N, and m divides D."""
    return np.stack([centres_of(part, K, rng, iterations) for part in slices(X, m)])
