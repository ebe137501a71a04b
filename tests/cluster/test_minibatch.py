"""k-means on batches: each step against its definition, and each centre against the mean of all that it has seen."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.cluster import KMeans, MiniBatchKMeans
from scratchml.cluster.kmeans import assign, inertia
from scratchml.cluster.minibatch import seen, smoothed, step
from scratchml.core.estimator import ConvergenceWarning
from tests.reference import minibatch as reference
from tests.strategies.distances import BAD_TABLES, layouts, table
from tests.strategies.kmeans import blobs, clustered

EPS = np.finfo(float).eps


# --- equal to the definition

@given(clustered(12, 4), st.sampled_from([0.0, 3.5]))
def test_a_step_moves_each_centre_towards_its_points(drawn, before):
    X, w, C, y = drawn
    v = seen(w, y, np.full(len(C), before))
    np.testing.assert_allclose(v, reference.seen(w, y, np.full(len(C), before)), rtol=(len(X) + 2) * EPS)
    atol = 4 * (len(X) + 4) * EPS * max(np.abs(X).max(), np.abs(C).max())
    np.testing.assert_allclose(step(X, w, y, C, v), reference.step(X, w, y, C, v), rtol=0, atol=atol)


@given(*[st.floats(0, 1e6, allow_subnormal=False)] * 2, st.floats(0, 1))
def test_smoothing_is_a_weighted_mean(m, j, a):
    np.testing.assert_allclose(smoothed(m, j, a), reference.smoothed(m, j, a), rtol=1e-12, atol=8 * EPS * max(m, j))


# --- laws

@pytest.mark.parametrize("weighted", [False, True])
def test_a_centre_is_the_mean_of_all_that_it_has_seen(weighted):
    X, rng = blobs(3, 40), np.random.default_rng(0)
    order = rng.permutation(120)
    w = rng.random(120) if weighted else np.ones(120)
    model, labels = MiniBatchKMeans(3, init=X[[0, 40, 80]]), np.empty(120, int)
    for batch in np.split(order, 8):
        C = model.cluster_centers_ if hasattr(model, "counts_") else X[[0, 40, 80]]
        model.partial_fit(X[batch], sample_weight=w[batch])
        labels[batch] = model.labels_
        np.testing.assert_array_equal(model.labels_, assign(X[batch], C))
        np.testing.assert_allclose(model.inertia_, inertia(X[batch], w[batch], C, model.labels_), rtol=1e-12)
    for k in range(3):
        mine = labels == k
        np.testing.assert_allclose(model.cluster_centers_[k], np.average(X[mine], axis=0, weights=w[mine]), rtol=1e-12)
        np.testing.assert_allclose(model.counts_[k], w[mine].sum(), rtol=1e-12)
    assert model.n_steps_ == 8


def test_finds_what_k_means_finds_on_clear_clusters():
    X = blobs(5, 200)
    full = KMeans(5, random_state=0, n_init=5).fit(X)
    model = MiniBatchKMeans(5, batch_size=50, random_state=1).fit(X)
    assert full.inertia_ <= model.inertia_ < 1.05 * full.inertia_
    np.testing.assert_array_equal(model.labels_, assign(X, model.cluster_centers_))
    J = inertia(X, np.ones(1000), model.cluster_centers_, model.labels_)
    np.testing.assert_allclose(model.inertia_, J, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.n_iter_ == -(-model.n_steps_ * 50 // 1000) and model.n_steps_ < 100 * 20


def test_points_without_weight_do_not_count():
    X = np.concatenate([blobs(2, 60), np.full((30, 2), 1e3)])
    w = np.repeat([1.0, 0.0], [120, 30])
    model = MiniBatchKMeans(2, random_state=0, batch_size=40).fit(X, sample_weight=w)
    assert np.abs(model.cluster_centers_).max() < 100
    assert model.counts_.sum() == model.n_steps_ * 40    # nor are they drawn


def test_stops_when_nothing_improves_or_moves():
    X = blobs(3, 100)

    def fitted(**options):
        return MiniBatchKMeans(3, batch_size=20, random_state=0, **options).fit(X)
    assert fitted(max_no_improvement=2).n_steps_ < fitted(max_no_improvement=50).n_steps_ < 1500
    never = fitted(max_no_improvement=None, max_iter=4)
    assert never.n_steps_ == 60 and never.n_iter_ == 4
    assert fitted(max_no_improvement=None, max_iter=4, tol=0.5).n_steps_ < 60


def test_callback_sees_every_batch_and_can_stop():
    X, losses = blobs(3, 100), []

    def look(progress):
        losses.append(progress.loss)
        assert progress.iteration == len(losses) == progress.estimator.n_steps_
        return len(losses) == 3
    model = MiniBatchKMeans(3, batch_size=20, random_state=0, callback=look).fit(X)
    assert len(losses) == 3 and model.n_steps_ == 3 and model.labels_.shape == (300,)


def test_interrupted_fit_keeps_the_last_batch():
    def interrupt(progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt
    X = blobs(3, 100)
    model = MiniBatchKMeans(3, batch_size=20, random_state=0, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    same = MiniBatchKMeans(3, batch_size=20, random_state=0, callback=lambda p: p.iteration == 2).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, same.cluster_centers_)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    X, results = table(2300, 3, 0), []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        model = MiniBatchKMeans(4, random_state=0, batch_size=2200, callback=lambda p: p.iteration == 3).fit(X)
        results.append((model.cluster_centers_.tolist(), model.labels_.tolist(), model.inertia_))
    assert results[0] == results[1]


def test_single_precision_and_every_layout():
    X = blobs(3, 30)
    model = MiniBatchKMeans(3, random_state=0).fit(X)
    for name, same in layouts(X).items():
        np.testing.assert_array_equal(MiniBatchKMeans(3, random_state=0).fit(same).cluster_centers_,
                                      model.cluster_centers_, err_msg=name)
    single = MiniBatchKMeans(3, random_state=0).fit(X.astype(np.float32))
    assert single.cluster_centers_.dtype == np.float32
    np.testing.assert_allclose(single.inertia_, model.inertia_, rtol=1e-4)


def test_says_when_there_are_too_few_distinct_points():
    with pytest.warns(ConvergenceWarning, match="distinct"):
        model = MiniBatchKMeans(3, random_state=0).fit([[0.0], [0], [1], [1]])
    assert np.isfinite(model.cluster_centers_).all()


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    for use in (MiniBatchKMeans(2).fit, MiniBatchKMeans(2).partial_fit):
        with pytest.raises(ValueError, match=message):
            use(bad)


@pytest.mark.parametrize("options, message", [
    (dict(n_clusters=0), "n_clusters=0"),
    (dict(n_clusters=6), "n_clusters=6"),
    (dict(batch_size=0), "batch_size=0"),
    (dict(max_iter=0), "max_iter=0"),
    (dict(max_no_improvement=0), "max_no_improvement=0"),
    (dict(tol=-1), "tol=-1"),
    (dict(init="best"), "init='best'"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        MiniBatchKMeans(**{"n_clusters": 2, **options}).fit(table(5, 2, 0))


def test_a_stream_keeps_its_number_of_features():
    model = MiniBatchKMeans(2, random_state=0).partial_fit(table(5, 2, 0))
    with pytest.raises(ValueError, match="3 features.*2 features"):
        model.partial_fit(table(5, 3, 0))
    with pytest.raises(ValueError, match="n_samples=1.*n_clusters=2"):
        MiniBatchKMeans(2).partial_fit([[1.0, 2]])


@pytest.mark.parametrize("dtype, value", [(np.float32, 1e-13), (np.float32, 1e-44), (np.float64, 1e-200)])
def test_a_tiny_row_alone(dtype, value):
    X, row = np.random.default_rng(0).random((50, 3)).astype(dtype), np.array([[value, 0, 0]], dtype)
    model = MiniBatchKMeans(2, random_state=0).fit(X)
    assert model.predict(row)[0] == model.predict(np.vstack([row, X]))[0]
    C, v = model.cluster_centers_.astype(float), model.counts_
    model.partial_fit(row)
    k = model.labels_[0]
    np.testing.assert_allclose(model.cluster_centers_[k], C[k] * v[k] / (v[k] + 1), rtol=1e-6)


def test_a_stream_may_begin_with_next_to_nothing():
    X = np.array([[1e-14, 0], [0, 1e-14], [3, 4], [3, 4]], np.float32)
    model = MiniBatchKMeans(2, random_state=0).partial_fit(X[:2]).partial_fit(X[2:])
    assert np.isfinite(model.cluster_centers_).all() and model.counts_.sum() == 4


def test_float32_centres_take_steps_below_their_spacing():
    seconds = np.full((1000, 10, 1), 1.7e9, np.float32)  # there float32 has only multiples of 128
    seconds[0] += 1024
    model = MiniBatchKMeans(1, init=seconds[0, :1])
    for batch in seconds:
        model.partial_fit(batch)
    assert model.cluster_centers_.dtype == np.float32 and model.cluster_centers_[0, 0] == np.float32(1.7e9)
    assert model.set_params(init=seconds[1, :1]).fit(seconds[0]).cluster_centers_[0, 0] == np.float32(1.7e9) + 1024


def test_a_fit_with_points_without_weight_is_one_without_these_points():
    X, rng = blobs(3, 40), np.random.default_rng(0)
    w = np.where(rng.random(120) < 0.9, 0.0, rng.random(120))
    X[w == 0] += 5
    for batch_size, K in ((4, 3), (1024, 3), (1024, np.count_nonzero(w))):
        model = MiniBatchKMeans(K, batch_size=batch_size, random_state=1).fit(X, sample_weight=w)
        same = MiniBatchKMeans(K, batch_size=batch_size, random_state=1).fit(X[w > 0], sample_weight=w[w > 0])
        np.testing.assert_array_equal(model.cluster_centers_, same.cluster_centers_)
        assert model.n_steps_ == same.n_steps_ and model.inertia_ == pytest.approx(same.inertia_)
        assert len(model.labels_) == 120


@pytest.mark.parametrize("weighted, B", [(False, 16), (True, 16), (False, 100)])
def test_what_is_reported_is_the_smoothed_inertia_of_the_batches(weighted, B):
    X, told, rng = blobs(3, 40), [], np.random.default_rng(7)
    w = np.random.default_rng(1).uniform(0.5, 2, 120) if weighted else np.ones(120)
    model = MiniBatchKMeans(3, init=X[[0, 40, 80]], batch_size=B, random_state=7, callback=told.append).fit(X, None, w)
    rng.choice(120, min(3 * B, 120), replace=False)      # for the start, which was given
    C, v, m = X[[0, 40, 80]], np.zeros(3), None
    for progress in told:
        batch = rng.integers(120, size=B)
        y = assign(X[batch], C)
        j = inertia(X[batch], w[batch], C, y) / w[batch].sum()
        m = j if m is None else m + min(1, 2 * B / 121) * (j - m)
        assert progress.loss == pytest.approx(m, rel=1e-9)
        v = seen(w[batch], y, v)
        C = step(X[batch], w[batch], y, C, v)
    np.testing.assert_allclose(model.cluster_centers_, C, rtol=1e-9)
    losses = [progress.loss for progress in told]
    lows = [i for i, m in enumerate(losses) if m < min(losses[:i], default=np.inf)]
    assert model.n_steps_ == len(told) == lows[-1] + 1 + 10 and max(np.diff(lows), default=0) <= 10


@pytest.mark.parametrize("units", [1.0, 1e4])
def test_a_fit_stops_at_the_first_batch_in_which_the_centres_hardly_move(units):
    X, centres = (blobs(3, 100) + [0, 50]) * units, []   # the mean variance of the features, not that of all numbers

    def fitted(tol):
        centres.clear()
        model = MiniBatchKMeans(3, init=X[[0, 100, 200]], batch_size=20, max_no_improvement=None, tol=tol,
                                random_state=3)
        model.callback = lambda progress: centres.append(model.cluster_centers_.copy())
        return model.fit(X).n_steps_
    assert fitted(0.0) == 1500
    shifts = ((np.diff([X[[0, 100, 200]], *centres], axis=0)) ** 2).sum(axis=(1, 2)) / X.var(axis=0).mean()
    for batch in (5, 40, 200):
        least = shifts[:batch].min()
        assert fitted(least * (1 + 1e-9)) == np.argmin(shifts[:batch]) + 1 < fitted(least * (1 - 1e-9))


def test_centres_that_move_by_just_the_tolerance_have_settled():
    X = np.array([[-1.0], [1], [-1], [1]])               # of variance 1, and a first batch of one moves by 1
    assert MiniBatchKMeans(1, init=[[0.0]], batch_size=1, tol=1.0, random_state=0).fit(X).n_steps_ == 1


def test_no_new_low_is_no_improvement_where_nothing_is_left_to_improve():
    X = np.repeat([[0.0], [3], [9]], 20, axis=0)
    assert MiniBatchKMeans(3, init=X[::20], batch_size=5, max_no_improvement=4).fit(X).n_steps_ == 1 + 4


@pytest.mark.filterwarnings("ignore::scratchml.core.estimator.ConvergenceWarning")
def test_so_few_points_have_weight_that_a_sample_may_have_none():
    X, w = np.arange(4000.0)[:, None], np.zeros(4000)
    w[[5, 3900]] = 1
    for seed in range(3):
        model = MiniBatchKMeans(3, batch_size=20, random_state=seed).fit(X, sample_weight=w)
        assert {5.0, 3900.0} <= set(model.cluster_centers_.ravel().tolist())


@pytest.mark.parametrize("options, size", [({}, 15), (dict(batch_size=1), 12), (dict(init_size=7), 7),
                                           (dict(init_size=1000), 60)])
def test_a_start_is_drawn_from_so_many_points(options, size):
    X, sizes = table(60, 2, 0), []

    def start(sample, K, random_state):
        sizes.append(len(sample))
        return sample[:K]

    MiniBatchKMeans(4, init=start, **{"batch_size": 5, **options}).fit(X)
    assert sizes == [size]


def test_a_sample_with_fewer_points_than_centres_is_drawn_larger():
    X = table(60, 2, 0)
    with pytest.warns(RuntimeWarning, match="init_size=3 should be .* n_clusters=4: .* drawn from 12 points"):
        model = MiniBatchKMeans(4, init_size=3, batch_size=5, random_state=0).fit(X)
    same = MiniBatchKMeans(4, init_size=12, batch_size=5, random_state=0).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, same.cluster_centers_)
    with pytest.raises(ValueError, match="init_size=0"):
        MiniBatchKMeans(4, init_size=0).fit(X)


def test_of_several_starts_the_one_of_the_least_inertia_is_taken():
    X = blobs(3, 40)
    good, bad = X[[0, 40, 80]], X[[0, 0, 1]] + [0.0, 50]
    for order in ((bad, good, bad), (good, bad, bad)):
        starts = iter(order)
        options = dict(batch_size=20, random_state=0, callback=lambda progress: True)
        model = MiniBatchKMeans(3, init=lambda X, K, random_state: next(starts), n_init=3, **options).fit(X)
        np.testing.assert_array_equal(model.cluster_centers_,
                                      MiniBatchKMeans(3, init=good, **options).fit(X).cluster_centers_)


def test_light_points_have_the_inertia_of_their_weight():
    X = blobs(3, 40)
    models = [MiniBatchKMeans(3, init=X[[0, 40, 80]]).partial_fit(X, sample_weight=np.full(120, w))
              for w in (1.0, 1e-4)]
    assert models[1].inertia_ == pytest.approx(1e-4 * models[0].inertia_, rel=1e-9)


def test_a_first_batch_knows_the_number_of_starts():
    with pytest.raises(ValueError, match="n_init=0"):
        MiniBatchKMeans(4, n_init=0).partial_fit(table(60, 2, 0))
