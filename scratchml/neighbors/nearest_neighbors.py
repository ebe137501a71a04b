"""An estimator with scikit-learn's names around the search of the chapter on looking at all.

It keeps the points, answers who is nearest to a query or within a radius of it, and makes the graph of neighbours that
clusterings and maps start from.
"""
import numpy as np

from scratchml.core.checks import held_in, one_of, real_number, safe_to_square, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.sparse import Rows
from scratchml.neighbors.exhaustive import COSINE, EUCLIDEAN, PRODUCT, Points

METRICS = {"euclidean": EUCLIDEAN, "cosine": COSINE, "inner_product": PRODUCT}


class NearestNeighbors(Estimator):
    """The nearest points by looking at all: exact, with the lowest number first where distances are equal.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many neighbours `kneighbors` finds, if it is not told.
    radius : float, default=1.0
        How far `radius_neighbors` looks, if it is not told; below 0 makes sense for products.
    metric : {"euclidean", "cosine", "inner_product"}, default="euclidean"
        The distance: ‖q - x‖, or 1 - cos(q, x), or -q·x, by which the greatest product is nearest.

    Attributes
    ----------
    n_samples_fit_ : N, how many points there are
    """

    def __init__(self, n_neighbors=5, *, radius=1.0, metric="euclidean"):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.metric = metric

    def fit(self, X, y=None):
        """Keep a copy of the points.  Returns itself.

        Raises ValueError for bad parameters, NaN, inf, and values whose squares over- or underflow.

        Parameters
        ----------
        X : array (N, D)
            Points.
        y : None, default=None
            Ignored.
        """
        X = safe_to_square(self._fit_matrix(X), work=np.float64)
        kind = METRICS[one_of(self.metric, "metric", tuple(METRICS))]
        whole_number(self.n_neighbors, "n_neighbors")
        real_number(self.radius, "radius", least=-np.inf)
        vars(self).update(_points=Points(X, kind), n_samples_fit_=len(X))
        return self

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """The nearest points of each query: distances and their numbers, int64, both (B, n), the nearest first.

        Distances come first, as in scikit-learn; indexes with a `knn_query`, as in hnswlib, return numbers first.
        Raises ValueError for more neighbours than there are points, and queries that `fit` would not take.

        Parameters
        ----------
        X : array (B, D) or None, default=None
            Queries; None for the points of `fit`, of which none is then its own neighbour.
        n_neighbors : int or None, default=None
            How many; None for the parameter.
        return_distance : bool, default=True
            Whether the distances come, too; else the numbers alone.
        """
        Q, alone = self._queries(X)
        n = whole_number(self.n_neighbors if n_neighbors is None else n_neighbors, "n_neighbors")
        N = self.n_samples_fit_
        if n + alone > N:
            among = f"{N} points, each without itself" if alone else f"{N} points"
            raise ValueError(f"Expected n_neighbors <= n_samples_fit, but n_neighbors={n}, n_samples_fit={N}: there "
                             f"are only {among}; lower n_neighbors")
        numbers, keys = self._points.nearest(Q, n + alone)
        if alone:
            others = numbers != np.arange(N)[:, None]
            others[others.all(axis=1), -1] = False       # so many equals that it is not among them
            numbers, keys = numbers[others].reshape(N, n), keys[others].reshape(N, n)
        distances = self._points.distances(keys)
        return (distances, numbers) if true_or_false(return_distance, "return_distance") else numbers

    def radius_neighbors(self, X=None, radius=None, return_distance=True, sort_results=False):
        """All points within a radius of each query: distances and their numbers, both (B,) arrays of arrays.

        The numbers of a query rise, unless they are sorted by distance.  Raises ValueError as `kneighbors` does.

        Parameters
        ----------
        X : array (B, D) or None, default=None
            Queries; None for the points of `fit`, of which none is then its own neighbour.
        radius : float or None, default=None
            How far; None for the parameter.
        return_distance : bool, default=True
            Whether the distances come, too; else the numbers alone.
        sort_results : bool, default=False
            Whether the nearest come first, of equals the lower number.
        """
        Q, alone = self._queries(X)
        radius = real_number(self.radius if radius is None else radius, "radius", least=-np.inf)
        sort, both = true_or_false(sort_results, "sort_results"), true_or_false(return_distance, "return_distance")
        distances, numbers = np.empty(len(Q), object), np.empty(len(Q), object)
        for i, j, d in self._points.all_within(Q, radius):
            if alone:
                j, d = j[j != i], d[j != i]
            order = np.argsort(d, kind="stable") if sort else slice(None)
            distances[i], numbers[i] = d[order], j[order]
        return (distances, numbers) if both else numbers

    def kneighbors_graph(self, X=None, n_neighbors=None, mode="connectivity"):
        """Who is a neighbour of whom, as sparse `Rows` (B, N), the nearest first in each row.

        A matrix of SciPy's is `scipy.sparse.csr_array((rows.data, rows.indices, rows.indptr), rows.shape)`.
        Raises ValueError as `kneighbors` does.

        Parameters
        ----------
        X : array (B, D) or None, default=None
            Queries; None for the points of `fit`, of which none is then its own neighbour.
        n_neighbors : int or None, default=None
            How many; None for the parameter.
        mode : {"connectivity", "distance"}, default="connectivity"
            Whether the entries are ones or distances.
        """
        one_of(mode, "mode", ("connectivity", "distance"))
        distances, numbers = self.kneighbors(X, n_neighbors)
        B, n = numbers.shape
        data = np.ones(B * n, distances.dtype) if mode == "connectivity" else distances.ravel()
        return Rows(np.arange(B + 1) * n, numbers.ravel().astype(np.int32), data, (B, self.n_samples_fit_))

    def _queries(self, X):
        """Queries in the form that points are measured in, and 1 if they are the points, 0 if not."""
        self._check_fitted()
        if X is None:
            return self._points.X, 1
        X = held_in(self._more_matrix(X), self._points.X.dtype)
        return self._points.asked(safe_to_square(X, work=np.float64, fitted=True)), 0
