"""k-means on sparse points against k-means on the same points written out: equal labels, and sums but for rounding."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.cluster import BisectingKMeans, KMeans, MiniBatchKMeans, kmeans_plusplus
from scratchml.cluster.assignment import nearest_of_all
from scratchml.cluster.kmeans_sums import cluster_sums, keep_nearer, own_distances, potentials
from scratchml.core.sparse import Rows, SparseTable, sparse_rows
from tests.cluster.test_kmeans import fitted, sum_of_squares
from tests.strategies.distances import seeds, table

ESTIMATORS = (KMeans, MiniBatchKMeans, BisectingKMeans)
each = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)


def rows_of(X, shuffled=None):
    """Rows of X in its type, the columns of a row in any order; half of its zeros are stored."""
    rng = np.random.default_rng(shuffled)
    there = (X != 0) | (rng.random(X.shape) < 0.5)
    places = [rng.permutation(np.flatnonzero(row)) for row in there]
    indptr = np.concatenate([[0], np.cumsum([len(columns) for columns in places])])
    indices = np.concatenate(places).astype(np.int32)
    return Rows(indptr, indices, X[np.repeat(np.arange(len(X)), np.diff(indptr)), indices], X.shape)


@st.composite
def sparse_points(draw, max_rows=12, max_columns=6, dtypes=(np.float64, np.float32)):
    """X with many zeros, some rows and columns without a number or without a zero; centres, perhaps points; weights."""
    N, D, K = draw(st.integers(1, max_rows)), draw(st.integers(1, max_columns)), draw(st.integers(1, 4))
    rng = np.random.default_rng(seed := draw(seeds))
    X = table(N, D, seed, draw(st.sampled_from(["normal", "integer grid", "duplicates", "offset 1e6"])))
    X *= rng.random((N, D)) < draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])) + (rng.random(D) < 0.2)
    C = rng.normal(size=(K, D)) * (rng.random((K, D)) < 0.7) if draw(st.booleans()) else X[rng.integers(N, size=K)]
    dtype = draw(st.sampled_from(dtypes))
    return X.astype(dtype), C.astype(dtype), rng.integers(0, 5, size=N).astype(dtype)


@given(sparse_points(), seeds)
def test_labels_are_those_of_the_points_written_out(drawn, seed):
    X, C, _ = drawn
    np.testing.assert_array_equal(nearest_of_all(SparseTable(rows_of(X, seed)), C), nearest_of_all(X, C))


@given(sparse_points(), seeds)
def test_sums_and_distances_are_those_of_the_points_written_out(drawn, seed):
    X, C, w = drawn
    R, y = SparseTable(rows_of(X, seed)), nearest_of_all(X, C)
    bound = sum_of_squares(X)["rtol"] * 200              # 1 / LEFT, and twice: of ‖c‖², and of what is taken from it
    np.testing.assert_allclose(cluster_sums(R, w, C, y), cluster_sums(X, w, C, y), rtol=bound,
                               atol=bound * np.abs(w @ np.abs(X)).max())
    np.testing.assert_allclose(own_distances(R, C, y), ((X.astype(float) - C[y])**2).sum(axis=1), rtol=bound, atol=0)
    d = np.full(len(X), 2.0)
    keep_nearer(R, C[0], d)
    direct = ((X.astype(float)[:, None] - C)**2).sum(axis=2)
    np.testing.assert_allclose(d, np.minimum(2.0, direct[:, 0]), rtol=bound)
    np.testing.assert_allclose(potentials(R, w, d, C), w.astype(float) @ np.minimum(d[:, None], direct), rtol=bound)


def test_what_the_entries_take_from_a_square_is_not_trusted_when_nearly_all_is_taken():
    C = np.array([[1e8, 0.0, 1e-4]])
    X = SparseTable(sparse_rows(np.array([[1e8, 0.0, 0.0]])))
    assert own_distances(X, C, np.zeros(1, np.int32)) == pytest.approx(1e-8, rel=1e-14, abs=0)


@given(sparse_points(dtypes=(np.float64,)), seeds, st.sampled_from(["k-means++", "random"]))
def test_a_fit_is_that_of_the_points_written_out(drawn, seed, init):
    X, _, w = drawn
    R, K = rows_of(X, seed), min(3, len(np.unique(X, axis=0)))
    dense, sparse = (fitted(points, K, init=init, random_state=seed, n_init=2) for points in (X, R))
    np.testing.assert_allclose(sparse.inertia_, dense.inertia_, rtol=1e-9, atol=1e-12 * (X**2).sum())


def documents(N=60, D=30, seed=0):
    """Three subjects, each with words of its own."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(0.1, size=(N, D)).astype(float)
    for i in range(N):
        X[i, 10 * (i % 3):10 * (i % 3) + 10] += rng.poisson(1.0, size=10)
    return X


@each
def test_every_estimator_fits_and_answers_alike(cls):
    X = documents()
    w = 1.0 + np.arange(60) % 4
    dense, sparse = cls(3, random_state=0).fit(X, None, w), cls(3, random_state=0).fit(rows_of(X), None, w)
    np.testing.assert_array_equal(sparse.labels_, dense.labels_)
    np.testing.assert_allclose(sparse.cluster_centers_, dense.cluster_centers_, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(sparse.predict(rows_of(X)), dense.predict(X))
    np.testing.assert_array_equal(dense.predict(rows_of(X)), sparse.predict(X))
    np.testing.assert_allclose(sparse.transform(rows_of(X)), dense.transform(X), rtol=1e-12)
    np.testing.assert_allclose(sparse.score(rows_of(X), None, w), dense.score(X, None, w), rtol=1e-12)
    single = cls(3, random_state=0).fit(rows_of(X.astype(np.float32)), None, w)
    assert single.cluster_centers_.dtype == np.float32 and single.transform(rows_of(X)).dtype == np.float32
    np.testing.assert_array_equal(single.labels_, dense.labels_)
    assert len(set(dense.labels_)) == 3


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan", "hamerly", "auto"])
def test_every_search_measures_all_distances(algorithm):
    X = documents()
    model = KMeans(3, random_state=0, algorithm=algorithm).fit(rows_of(X))
    assert model.n_distances_ == (model.n_iter_ + 1) * 60 * 3
    np.testing.assert_array_equal(model.labels_, KMeans(3, random_state=0).fit(X).labels_)


def test_a_stream_may_be_sparse_now_and_then():
    X = documents()
    mixed, dense = MiniBatchKMeans(3, init=X[:3]), MiniBatchKMeans(3, init=X[:3])
    for i in range(0, 60, 20):
        mixed.partial_fit(rows_of(X[i:i + 20]) if i else X[:20])
        dense.partial_fit(X[i:i + 20])
    np.testing.assert_allclose(mixed.cluster_centers_, dense.cluster_centers_, rtol=1e-12, atol=1e-14)


def test_seeds_are_rows_of_the_matrix():
    X = documents()
    C, chosen = kmeans_plusplus(rows_of(X), 4, random_state=0)
    np.testing.assert_array_equal(C, X[chosen])
    np.testing.assert_array_equal(chosen, kmeans_plusplus(X, 4, random_state=0)[1])


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X = np.random.default_rng(0).poisson(0.2, size=(5000, 12)).astype(float)
    centres = []
    for threads in "1", "2":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        centres.append(KMeans(4, random_state=0).fit(rows_of(X)).cluster_centers_.tolist())
    assert centres[0] == centres[1]


@each
def test_nothing_but_zeros_is_one_cluster(cls):
    with pytest.warns(UserWarning, match="distinct clusters"):
        model = cls(2, random_state=0).fit(Rows(np.zeros(6, int), np.empty(0, np.int32), np.empty(0), (5, 4)))
    assert model.inertia_ == 0 and (model.cluster_centers_ == 0).all()


GOOD = Rows(np.array([0, 1, 2, 2]), np.array([0, 1], np.int32), np.array([1.0, 2.0]), (3, 2))


@each
@pytest.mark.parametrize("bad, message", [
    (GOOD._replace(data=np.array([1.0, np.nan])), "NaN"),
    (GOOD._replace(data=np.array([1.0, np.inf])), "infinity"),
    (GOOD._replace(data=np.array([1.0, 1e200])), "square"),
    (GOOD._replace(data=np.array([0.0, 1e-200])), "square"),
    (GOOD._replace(indices=np.array([0, 2])), "indices"),
    (GOOD._replace(indptr=np.array([0, 2, 2, 2]), indices=np.array([1, 1])), "twice"),
    (GOOD._replace(shape=(2, 2)), "indptr"),
])
def test_bad_rows(cls, bad, message):
    with pytest.raises(ValueError, match=message):
        cls(2).fit(bad)


@each
def test_other_columns_than_those_of_the_fit(cls):
    model = cls(2, random_state=0).fit(documents())
    with pytest.raises(ValueError, match="X has 2 features, but .* is expecting 30"):
        model.predict(GOOD)
    with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
        cls(4).fit(GOOD)


# --- where to start


def test_auto_tries_several_starts_where_they_need_luck():
    X, tried = documents(), []

    def start(X, n_clusters, random_state):
        tried.append(random_state.random())
        return X[random_state.choice(len(X), n_clusters, replace=False)]

    for cls, several in (KMeans, 10), (MiniBatchKMeans, 3), (BisectingKMeans, 2 * 10):
        tried.clear()
        cls(3, init=start, n_init="auto", random_state=0).fit(X)
        assert len(set(tried)) == several
        tried.clear()
        cls(3, init=start, random_state=0).fit(X)
        assert len(tried) == several / (10 if cls is not MiniBatchKMeans else 3)


def test_auto_is_one_start_where_it_is_chosen_with_care():
    X = documents()
    for options in dict(), dict(init=X[:3]):
        one, auto = KMeans(3, random_state=0, **options), KMeans(3, random_state=0, n_init="auto", **options)
        assert one.fit(X).cluster_centers_.tolist() == auto.fit(X).cluster_centers_.tolist()
    single = [KMeans(3, init="random", random_state=seed, max_iter=1, tol=1e9).fit(X).inertia_ for seed in range(9)]
    auto = [KMeans(3, init="random", n_init="auto", random_state=seed, max_iter=1, tol=1e9).fit(X).inertia_
            for seed in range(9)]
    assert np.mean(auto) < np.mean(single)


@each
def test_given_centres_are_one_start(cls):
    X, looked = documents(), []
    if cls is BisectingKMeans:
        with pytest.raises(ValueError, match="init"):
            cls(3, init=X[:3]).fit(X)
        return
    with pytest.warns(RuntimeWarning, match="performing only one init in place of n_init=5"):
        cls(3, init=X[:3], n_init=5, callback=lambda progress: looked.append(progress.iteration)).fit(X)
    assert looked.count(1) == 1


def test_a_mini_batch_fit_takes_the_best_of_its_starts():
    X = documents()
    starts = iter([X[[0, 3, 6]], X[[0, 1, 2]], X[[1, 4, 7]]])
    model = MiniBatchKMeans(3, init=lambda X, K, random_state: next(starts), n_init=3, max_iter=1, batch_size=1,
                            random_state=0)
    first = []
    model.callback = lambda progress: first.append(progress.estimator.cluster_centers_.copy()) or True
    model.fit(X)
    assert np.abs(first[0] - X[[0, 1, 2]]).max(axis=1).astype(bool).sum() <= 1, "one centre has moved towards one point"


@each
@pytest.mark.parametrize("options, message", [
    (dict(n_init="many"), "n_init='many': expected one of 'auto'"),
    (dict(n_init=True), "n_init=True"),
    (dict(init=lambda X, K, random_state: X[:K + 1]), "does not match the number of clusters"),
    (dict(init=lambda X, K, random_state: X[:K, :2]), "does not match the number of features of the data"),
])
def test_bad_starts(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls(3, **options).fit(documents())


def test_mini_batches_go_through_the_data_as_often_as_max_iter_says():
    model = MiniBatchKMeans(3, batch_size=7, max_iter=10, max_no_improvement=None, random_state=0).fit(documents())
    assert model.n_iter_ == 10 and model.n_steps_ == 10 * 60 // 7
