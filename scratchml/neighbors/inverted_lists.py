"""Inverted lists: look only where the query lies, among the points of the nearest few clusters.

To look at all points for each query is sure and slow.  Most of them are far away, and where they are can be known
beforehand: cluster the points once, keep a list of the points of each cluster (1), and for a query look through the
lists of the P nearest centres (2).  A search engine's index does so with words, from each to the texts that it is in,
and is called inverted; here a centre is the word.

A neighbour is missed if it lies just across a border, in a list that is not looked through.  The more lists
are looked through, the fewer are missed; with all of them the answer is that of the chapter on looking at all.

Symbols
    X    (N, D)  points: x_i
    C    (L, D)  centres: c_l
    q    (D,)    a query
    P            how many lists are looked through (faiss: nprobe)
    n            how many of the nearest are wanted

Equations
    (1)  l_i = argmin_l ‖x_i - c_l‖², the lowest such l                                   list_of
    (2)  the P numbers l of least ‖q - c_l‖², the nearest first                           probed
    (3)  the n numbers i of least ‖q - x_i‖² with l_i in (2), of equals the lowest first  nearest_in_lists

Choices
    Centres are those of k-means, which a few iterations from random points find well enough: what counts is that the
    lists are small and compact, not that the inertia is least.  At most 256 points a list are clustered.
    For inner products the lists of (1) stay, and (2) takes the centres of greatest q·c_l.
    Where the P lists hold fewer than n points, more lists are looked through.

Cost
    A query measures L centres and about P N / L points, O((L + P N / L) D): least where L = √(P N).  Making the lists
    takes O(256 L² D) an iteration, and O(N L D) once.

>>> X, C = np.array([[0., 0], [1, 0], [4, 0], [5, 1]]), np.array([[0., 0], [5, 0]])
>>> list_of(X, C).tolist(), nearest_in_lists(np.array([2.4, 0]), X, C, 1, 2).tolist()
([0, 0, 1, 1], [1, 0])

Source: J. Sivic and A. Zisserman, "Video Google: a text retrieval approach to object matching in videos", ICCV 2003;
H. Jégou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33 (2011), section IV.
"""
import numpy as np

from scratchml.cluster.assignment import nearest_of_all
from scratchml.cluster.kmeans import fill_empty
from scratchml.cluster.kmeans_bounds import SEARCHES
from scratchml.cluster.kmeans_sums import assign_and_sum, cluster_sums, means_of

POINTS_A_CENTRE = 256

# --- the equations -------------------------------------------------------------------------------


def list_of(X, C):
    """(1)  l_i = argmin_l ‖x_i - c_l‖², the lowest such l

    Shapes: X (N, D), C (L, D) -> (N) in L
    """
    return nearest_of_all(X, C)


def probed(q, C, P):
    """(2)  the P numbers l of least ‖q - c_l‖², the nearest first

    Shapes: q (D), C (L, D), P -> (P) in L
    """
    return ((C - q) ** 2).sum(axis=1).argsort(kind="stable")[:P]


def nearest_in_lists(q, X, C, P, n):
    """(3)  the n numbers i of least ‖q - x_i‖² with l_i in (2), of equals the lowest first

    Fewer where the lists hold fewer.

    Shapes: q (D), X (N, D), C (L, D), P, n -> (k) in N
    """
    among = np.flatnonzero(np.isin(list_of(X, C), probed(q, C, P)))
    return among[((X[among] - q) ** 2).sum(axis=1).argsort(kind="stable")[:n]]


# --- where the lists are -------------------------------------------------------------------------


def centres_of(X, K, rng, iterations=10):
    """K centres (K, D) of at most 256 K of the points, by some iterations of k-means from random points; K <= N."""
    if len(X) > POINTS_A_CENTRE * K:
        X = X[np.sort(rng.choice(len(X), POINTS_A_CENTRE * K, replace=False))]
    C, w, search = X[rng.choice(len(X), K, replace=False)], np.ones(len(X), X.dtype), SEARCHES["lloyd"](X)
    for _ in range(iterations):
        y, moments = assign_and_sum(X, w, C, search)
        if not moments[:, -2].all():
            moments = cluster_sums(X, w, C, fill_empty(X, w, C, y))
        before, C = C, means_of(moments, C)
        if np.array_equal(C, before):
            break
    return C
