"""The descent against its definition, and t-SNE as a whole: what every map must be, whatever the data."""
import os

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.core.distances import cosine_distances, euclidean, manhattan, squared_euclidean
from scratchml.core.progress import Progress
from scratchml.core.sparse import sparse_rows
from scratchml.metrics import edit_distance
from scratchml.reduction import PCA, TSNE
from scratchml.reduction.affinities import conditional, packed_affinities, precisions, unpacked
from scratchml.reduction.placement import place
from scratchml.reduction.sne import sne_cost, symmetric_cost, tsne_cost
from scratchml.reduction.tsne import gains, move, step
from tests.reference import tsne as reference
from tests.strategies.distances import BAD_TABLES, layouts, table
from tests.strategies.tsne import fit_arguments, states

EPS = np.finfo(float).eps
COSTS = ("tsne", "symmetric", "sne")
each_cost = pytest.mark.parametrize("cost", COSTS)
few = settings(max_examples=10)
slow_without_compiler = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="too many pairs")


def blobs(size=8, D=4):
    """Three groups, their members next to each other."""
    middles = np.array([[0.0, 0, 0, 9], [9, 0, 1, 9], [0, 12, 2, 8]])[:, :D]
    return np.repeat(middles, size, axis=0) + np.random.default_rng(0).normal(size=(3 * size, D))


def quick(**options):
    """A short fit, for what holds of every fit."""
    return TSNE(**{"perplexity": 3.0, "max_iter": 60, "random_state": 0, **options})


# --- equal to the definition

@given(states())
def test_gains_grow_where_the_coordinate_keeps_going_the_same_way(drawn):
    G, V, D = drawn
    np.testing.assert_allclose(gains(G, V, D), reference.gains(G, V, D), rtol=2 * EPS)


@given(states(), st.floats(1, 1e3), st.floats(0, 0.9))
def test_a_step_is_momentum_and_gradient(drawn, η, α):
    G, V, D = drawn
    np.testing.assert_allclose(step(V, G, D, η, α), reference.step(V, G, D, η, α), rtol=0,
                               atol=4 * EPS * (1 + η * 3) * (np.abs(V).max() + np.abs(D).max()))


@given(states())
def test_a_move_ends_in_the_middle(drawn):
    _, V, Y = drawn
    rounding = dict(rtol=0, atol=8 * EPS * len(Y) * (np.abs(Y).max() + np.abs(V).max()))
    np.testing.assert_allclose(move(Y, V), reference.move(Y, V), **rounding)
    np.testing.assert_allclose(move(Y, V).mean(axis=0), 0, **rounding)


def test_on_a_slope_gains_grow_and_across_a_valley_they_shrink():
    """The published mistake has it the other way round."""
    slope, valley, G = np.array([[1.0]]), np.array([[-1.0]]), np.ones((1, 1))
    down = step(np.zeros((1, 1)), G, slope, 1.0, 0.5)
    assert gains(G, down, slope) == 1.2 and gains(G, down, valley) == 0.8
    assert gains(np.full((1, 1), 0.0101), down, valley) == 0.01


@pytest.mark.parametrize("n_iter", [1, 3, 12])
def test_a_fit_takes_the_steps_of_the_definition(n_iter):
    """A force is within 1e-6 of its terms, which are below 1; twelve steps of η g <= 7 add that up, and pass it on."""
    X = blobs()
    Y = np.random.default_rng(1).normal(size=(24, 2))
    Y -= Y.mean(axis=0)
    model = TSNE(perplexity=5, init=Y, learning_rate=2.0, early_exaggeration=1.5, max_iter=n_iter).fit(X)
    expected = reference.descend(unpacked(packed_affinities(X, 5)[0]), Y, 2.0, 1.5, n_iter)
    np.testing.assert_allclose(model.embedding_, expected, rtol=0, atol=1e-4)


@slow_without_compiler
def test_exaggeration_ends_and_momentum_rises_after_250_iterations():
    X = blobs(4)
    Y = np.random.default_rng(1).normal(size=(12, 2))
    Y -= Y.mean(axis=0)
    P = unpacked(packed_affinities(X, 3)[0])
    for n_iter in (250, 260):
        model = TSNE(perplexity=3, init=Y, learning_rate=0.01, early_exaggeration=1.5, max_iter=n_iter).fit(X)
        expected = reference.descend(P, Y, 0.01, 1.5, n_iter)
        np.testing.assert_allclose(model.embedding_, expected, rtol=0, atol=1e-4)


@slow_without_compiler
@pytest.mark.parametrize("init, seed, dtype", [("random", 3, np.float64), ("random", 5, np.float32),
                                               ("pca", 2, np.float32)])
def test_a_map_that_shrinks_at_first_keeps_its_plane(init, seed, dtype):
    """Of few points with many neighbours; where their offset was left beside them, they ended on a line."""
    X = np.random.RandomState(seed).randn(8, 2).astype(dtype)
    model = TSNE(perplexity=6.4, init=init, random_state=seed, max_iter=600).fit(X)
    along, across = np.linalg.svd(model.embedding_, compute_uv=False)
    assert across > 0.1 * along


# --- what every fit leaves

@each_cost
@pytest.mark.parametrize("F", [1, 2, 3])
def test_the_cost_is_that_of_the_map(cost, F):
    X = blobs()
    model = quick(n_components=F, cost=cost, max_iter=120).fit(X)
    assert model.embedding_.shape == (24, F) and model.n_iter_ == 120
    P = unpacked(packed_affinities(X, 3.0)[0])
    if cost == "sne":
        Δ = squared_euclidean(X, X)
        expected = sne_cost(conditional(Δ, precisions(Δ, 3.0)), model.embedding_)
    else:
        expected = {"tsne": tsne_cost, "symmetric": symmetric_cost}[cost](P, model.embedding_)
    np.testing.assert_allclose(model.kl_divergence_, expected, rtol=1e-5)
    assert len(model.kl_history_) == 4 and model.kl_history_[-1] == model.kl_divergence_       # 0, 50, 100, 120
    np.testing.assert_allclose(model.perplexities_, 3, rtol=1e-5)
    np.testing.assert_allclose(model.embedding_.mean(axis=0), 0, atol=1e-12 * np.abs(model.embedding_).max() * 120)


@slow_without_compiler
@each_cost
@pytest.mark.parametrize("F", [1, 2, 3])
def test_groups_stay_together(cost, F):
    X = blobs()
    model = TSNE(F, cost=cost, perplexity=5, max_iter=500, learning_rate=5.0 if cost == "tsne" else "auto").fit(X)
    d = euclidean(model.embedding_, model.embedding_)
    group = np.repeat(np.arange(3), 8)
    same = group[:, None] == group
    assert (np.where(same, d, -np.inf).max(axis=1) < np.where(same, np.inf, d).min(axis=1)).all()
    assert model.kl_divergence_ < 0.5 * model.kl_history_[0]


@slow_without_compiler
@given(kind=st.sampled_from(("normal", "duplicates", "constant column", "constant", "integer grid", "offset 1e6",
                             "scaled 1e-8")),
       N=st.integers(4, 10), cost=st.sampled_from(COSTS), init=st.sampled_from(("pca", "random")))
@few
def test_maps_are_finite(kind, N, cost, init):
    X = table(N, 3, N, kind)
    model = quick(cost=cost, init=init, perplexity=2.0).fit(X)
    assert np.isfinite(model.embedding_).all() and 0 <= model.kl_divergence_ < np.inf
    assert (model.perplexities_ > 1.99).all()


@slow_without_compiler
@each_cost
def test_four_points_and_far_outliers_give_finite_maps(cost):
    far = np.vstack([table(9, 3, 0), [[1e6, 0, 0], [0, -1e8, 0]]])
    for X in (table(4, 2, 0), far):
        model = quick(cost=cost, max_iter=300, perplexity=2).fit(X)
        assert np.isfinite(model.embedding_).all() and np.isfinite(model.kl_divergence_)


@each_cost
def test_constant_data_are_one_point_from_pca_and_cost_nothing(cost):
    model = quick(cost=cost).fit(np.full((6, 2), 0.1))
    assert not model.embedding_.any() and model.kl_divergence_ < 1e-7
    np.testing.assert_allclose(model.perplexities_, 5, rtol=1e-9)


def test_two_points():
    model = quick(perplexity=1, n_components=1).fit([[0.0, 0], [1, 2]])
    assert np.isfinite(model.embedding_).all() and model.kl_divergence_ < 1e-7


def test_precomputed_distances_give_the_map_of_their_points():
    X = blobs(4)
    Y = np.random.default_rng(0).normal(size=(12, 2))
    one = quick(init=Y, learning_rate=1.0).fit(X)
    other = quick(init=Y, learning_rate=1.0, metric="precomputed").fit(euclidean(X, X))
    np.testing.assert_allclose(other.embedding_, one.embedding_, rtol=0, atol=1e-4)


def test_manhattan_distances_are_those_that_can_be_computed_before():
    X, Y = blobs(), np.random.default_rng(0).normal(size=(24, 2))
    one = quick(init=Y, learning_rate=1.0, metric="manhattan").fit(X)
    other = quick(init=Y, learning_rate=1.0, metric="precomputed").fit(manhattan(X, X))
    np.testing.assert_allclose(one.embedding_, other.embedding_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.transform(X[:3] + 1), other.transform(manhattan(X[:3] + 1, X)), rtol=0, atol=1e-9)
    assert np.abs(one.embedding_ - quick(init=Y, learning_rate=1.0).fit(X).embedding_).max() > 0.1


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_rows_have_the_map_of_what_they_stand_for(metric, dtype):
    X = (blobs() * (np.random.default_rng(1).random((24, 4)) < 0.7)).astype(dtype)
    X[~X.any(axis=1), 0] = 1
    init = np.random.default_rng(0).normal(size=(24, 2))
    written, kept = (quick(init=init, learning_rate=1.0, metric=metric).fit(Z) for Z in (X, sparse_rows(X)))
    np.testing.assert_allclose(kept.embedding_, written.embedding_, rtol=0, atol=1e-5)
    for model in (written, kept):                        # as `transform` takes either
        places = [model.transform(Z) for Z in (X[:3] + 1, sparse_rows(X[:3] + 1))]
        np.testing.assert_allclose(*places, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(model.transform(sparse_rows(X)), model.embedding_)


def test_sparse_rows_start_from_pca_and_have_to_have_directions():
    X = blobs() * (np.random.default_rng(1).random((24, 4)) < 0.7)
    X[5] = 0
    start = quick(max_iter=1, learning_rate=1e-9).fit(sparse_rows(X)).embedding_
    np.testing.assert_allclose(start, quick(max_iter=1, learning_rate=1e-9).fit(X).embedding_, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="row 5 is all zeros"):
        quick(metric="cosine").fit(sparse_rows(X))


def test_sparse_distances_are_refused():
    X = blobs()
    with pytest.raises(TypeError, match="sparse distances.* of all pairs"):
        quick(metric="precomputed", init="random").fit(sparse_rows(euclidean(X, X)))
    model = quick(metric="precomputed", init="random").fit(euclidean(X, X))
    with pytest.raises(TypeError, match="sparse distances.* of all pairs"):
        model.transform(sparse_rows(euclidean(X[:2], X)))


def test_cosine_distances_are_those_that_can_be_computed_before():
    X, Y = table(12, 3, 0), np.random.default_rng(0).normal(size=(12, 2))
    one = quick(init=Y, learning_rate=1.0, metric="cosine").fit(X)
    other = quick(init=Y, learning_rate=1.0, metric="precomputed").fit(cosine_distances(X, X))
    np.testing.assert_allclose(other.embedding_, one.embedding_, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosine_does_not_see_lengths(dtype):
    """Powers of two change no digit; the start from PCA does not see them either."""
    X = table(12, 3, 0).astype(dtype)
    lengths = 2.0 ** np.random.default_rng(0).integers(-60, 60, size=(12, 1))
    Y, same = (quick(metric="cosine").fit((X * factor).astype(dtype)).embedding_ for factor in (1, lengths))
    np.testing.assert_array_equal(same, Y)
    assert Y.dtype == dtype


def test_equal_directions_have_no_distance():
    """As many as the perplexity reaches, of lengths that round the direction: they are picked alike."""
    X = np.vstack([np.outer([1, 3, 0.7, 1e200, 1e-200], [0.3, 0.1, 0.9]), table(7, 3, 0)])
    np.testing.assert_allclose(quick(metric="cosine").fit(X).perplexities_[:5], 4, rtol=1e-9)


def test_a_row_of_zeros_has_no_direction():
    X = table(12, 3, 0)
    X[7] = 0
    with pytest.raises(ValueError, match="row 7.*no direction.*'euclidean'"):
        quick(metric="cosine").fit(X)
    with pytest.raises(ValueError, match="row 0.*no direction"):
        quick(metric="cosine").fit(X[:7]).transform(X[7:8])


def test_distances_of_any_kind_will_do():
    """Of words, which are no points: the number of edits between them, many of them equal."""
    words = ["tsne", "tsn", "sne", "pca", "pcb", "ca", "map", "maps", "mop"]
    D = np.array([[edit_distance(a, b) for b in words] for a in words], float)
    model = quick(metric="precomputed", init="random", perplexity=2, max_iter=300).fit(D)
    Y = model.embedding_
    d = euclidean(Y, Y)
    assert np.isfinite(Y).all() and d[0, 1] < d[0, 3] and d[3, 4] < d[3, 6] and d[6, 7] < d[6, 0]


# --- places for new points

def fitted(**options):
    X = np.vstack([blobs(8), blobs(8)[::-1] + 0.1])
    return X, TSNE(perplexity=5, learning_rate=5.0, max_iter=350, random_state=0, **options).fit(X)


@slow_without_compiler
@pytest.mark.parametrize("F", [1, 2, 3])
def test_new_points_land_in_their_group(F):
    X, model = fitted(n_components=F)
    new = blobs(8) - 0.05
    Z = model.transform(new)
    group = np.repeat(np.arange(3), 8)
    of_data = np.concatenate([group, group[::-1]])
    assert Z.shape == (24, F)
    np.testing.assert_array_equal(of_data[squared_euclidean(Z, model.embedding_).argmin(axis=1)], group)


@slow_without_compiler
def test_places_are_those_of_the_chapter_placement():
    X, model = fitted()
    new = blobs(2) + 0.3
    expected = place(squared_euclidean(new, X), model.embedding_, 5.0)
    np.testing.assert_array_equal(model.transform(new), expected)
    np.testing.assert_array_equal(model.transform(new[3:4]), expected[3:4])


def test_points_of_the_data_keep_their_places():
    for options in (dict(), dict(metric="cosine"), dict(metric="precomputed", init="random")):
        X = blobs(4) if "init" not in options else euclidean(blobs(4), blobs(4))
        model = quick(**options).fit(X)
        np.testing.assert_array_equal(model.transform(X), model.embedding_)
        np.testing.assert_array_equal(model.transform(X[5:7]), model.embedding_[5:7])
    single = quick().fit(blobs(4).astype(np.float32))
    assert single.transform(blobs(4)).dtype == np.float32


@slow_without_compiler
def test_new_points_by_their_distances():
    X, model = fitted()
    new = blobs(2) + 0.3
    by_distance = TSNE(perplexity=5, learning_rate=5.0, max_iter=350, metric="precomputed", init="random",
                       random_state=0).fit(euclidean(X, X))
    by_distance.embedding_ = model.embedding_
    np.testing.assert_allclose(by_distance.transform(euclidean(new, X)), model.transform(new), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="2 features.*48"):
        by_distance.transform(euclidean(new, X[:2]))
    with pytest.raises(ValueError, match="positive distances"):
        by_distance.transform(-euclidean(new, X))


@slow_without_compiler
def test_more_points_than_a_block_holds():
    X, model = fitted()
    new = np.random.default_rng(0).normal(size=(300, 4)) * 5
    np.testing.assert_array_equal(model.transform(new)[250:], model.transform(new[250:]))


def test_the_data_may_be_overwritten_and_parameters_changed_after_fit():
    X = blobs(4)
    model = quick().fit(X)
    new = blobs(1) + 0.3
    before = model.transform(new)
    X[:] = 0
    model.set_params(metric="cosine", cost="sne", perplexity=2)
    np.testing.assert_array_equal(model.transform(new), before)


def test_a_failed_fit_leaves_the_map_and_its_data():
    model = quick().fit(blobs(4))
    before = model.transform(blobs(1) + 0.3)
    with pytest.raises(ValueError):
        model.set_params(perplexity=100).fit(blobs(4) * 2)
    np.testing.assert_array_equal(model.transform(blobs(1) + 0.3), before)


@pytest.mark.parametrize("bad, message", [
    (np.full((2, 4), np.nan), "NaN"), (np.zeros((2, 3)), "3 features.*4"), (np.full((2, 4), 1e200), "scale"),
    (np.zeros(4), "2D"),
])
def test_bad_new_points(bad, message):
    model = quick(max_iter=5).fit(blobs(4))
    with pytest.raises(ValueError, match=message):
        model.transform(bad)


def test_maps_of_a_gaussian_take_no_new_points():
    with pytest.raises(ValueError, match="cost='sne'.*cost='tsne'"):
        quick(cost="sne", max_iter=5).fit(blobs(4)).transform(blobs(1))
    with pytest.raises(ValueError, match="not fitted"):
        TSNE().transform(blobs(1))


# --- where it starts

def test_it_starts_from_pca_with_a_standard_deviation_of_a_ten_thousandth():
    X = blobs()
    start = quick(max_iter=1, learning_rate=1e-9).fit(X).embedding_
    Z = PCA(2).fit_transform(X)
    np.testing.assert_allclose(start, Z * (1e-4 / Z[:, 0].std()), rtol=1e-6, atol=1e-12)


def test_it_starts_from_normal_numbers_that_the_seed_decides():
    X = table(200, 2, 0)
    start = quick(max_iter=1, learning_rate=1e-9, init="random").fit(X).embedding_
    np.testing.assert_allclose(start.std(axis=0), 1e-4, rtol=0.2)                # 4 standard errors of 1 / √400
    other = quick(max_iter=1, learning_rate=1e-9, init="random", random_state=1).fit(X).embedding_
    assert not np.allclose(start, other)


def test_a_given_start_is_taken_as_it_is_and_left_alone():
    X, Y = blobs(), np.random.default_rng(0).normal(size=(24, 2))
    before = Y.copy()
    for name, same in layouts(Y).items():
        start = quick(max_iter=1, learning_rate=1e-9, init=same).fit(X).embedding_
        np.testing.assert_allclose(start, Y - Y.mean(axis=0), rtol=0, atol=1e-8, err_msg=name)
    np.testing.assert_array_equal(Y, before)


def test_the_automatic_learning_rate():
    def rate(N, **options):
        return quick(max_iter=1, **options).fit(table(N, 2, 0)).learning_rate_
    assert rate(40) == 20 and rate(100) == 50 and rate(240) == 50 and rate(240, early_exaggeration=1.0) == 60
    assert rate(48, cost="symmetric") == rate(48, cost="sne") == 1 and rate(40, learning_rate=7) == 7


# --- while it runs

def test_a_callback_sees_every_fifty_iterations():
    seen = []

    def look(progress):
        assert isinstance(progress, Progress) and progress.estimator is model
        assert progress.loss == model.kl_divergence_ == model.kl_history_[-1] and model.n_iter_ == progress.iteration
        np.testing.assert_allclose(tsne_cost(P, model.embedding_), progress.loss, rtol=1e-5)
        seen.append(progress.iteration)

    X = blobs(4)
    P = unpacked(packed_affinities(X, 3.0)[0])
    model = quick(max_iter=130, callback=look)
    model.fit(X)
    assert seen == [50, 100, 130] and len(model.kl_history_) == 4


def test_a_callback_can_stop():
    model = quick(max_iter=200, callback=lambda progress: progress.iteration == 100).fit(blobs(4))
    assert model.n_iter_ == 100
    np.testing.assert_array_equal(model.embedding_, quick(max_iter=100).fit(blobs(4)).embedding_)


def test_an_interrupted_fit_keeps_the_last_round():
    def interrupt(progress):
        if progress.iteration == 100:
            raise KeyboardInterrupt
    model = quick(max_iter=200, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(blobs(4))
    assert model.n_iter_ == 100 and len(model.kl_history_) == 3
    np.testing.assert_array_equal(model.embedding_, quick(max_iter=100).fit(blobs(4)).embedding_)


def test_it_stops_where_the_gradient_is_small_but_not_before_exaggeration_ends():
    assert quick(max_iter=1000, min_grad_norm=1e9).fit(blobs(2)).n_iter_ == 300


def test_it_stops_without_progress():
    """A rate so small that nothing moves: the KL of iteration 300 is the last that was better."""
    frozen = dict(init=np.random.default_rng(0).normal(size=(6, 2)), learning_rate=1e-300, min_grad_norm=0.0)
    assert quick(max_iter=1000, n_iter_without_progress=120, **frozen).fit(blobs(2)).n_iter_ == 450
    assert quick(max_iter=400, n_iter_without_progress=120, **frozen).fit(blobs(2)).n_iter_ == 400


def test_progress_is_a_cost_below_all_before(monkeypatch):
    costs = iter([9.0] * 6 + [5, 4, 4, 3, 3.5, 3, 3, 2])  # of the start, five early ones, iteration 300, 350, ...
    monkeypatch.setattr("scratchml.reduction.tsne.StudentPairs.cost", lambda pairs, Y: next(costs))
    model = quick(max_iter=1000, n_iter_without_progress=120, learning_rate=1e-9, init="random").fit(blobs(2))
    assert model.n_iter_ == 600 and model.kl_history_[-5:] == [4, 3, 3.5, 3, 3]      # the last low was that of 450


def test_is_silent_unless_asked(capfd):
    quick().fit(blobs(2))
    assert capfd.readouterr() == ("", "")
    quick(verbose=1).fit(blobs(2))
    assert capfd.readouterr().err.count("\n") == 2


# --- the same again

@each_cost
def test_any_number_of_threads_gives_the_same_bits(cost, monkeypatch):
    X, found = blobs(14), []
    for threads in ("1", "2"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        model = quick(cost=cost, max_iter=20).fit(X)
        found.append((model.embedding_.tobytes(), model.kl_history_, model.perplexities_.tobytes()))
    assert found[0] == found[1]


def test_fit_transform_is_the_map_and_its_columns_have_names():
    X = blobs(4)
    model = quick()
    np.testing.assert_array_equal(model.fit_transform(X), quick().fit(X).embedding_)
    assert model.get_feature_names_out().tolist() == ["tsne0", "tsne1"]


def test_single_precision_stays_single():
    model = quick().fit(blobs(4).astype(np.float32))
    assert model.embedding_.dtype == np.float32 and quick().fit(blobs(4)).embedding_.dtype == np.float64


def test_the_sample_data_suit_the_defaults():
    assert len(fit_arguments()[0]) > 31


# --- bad input

@pytest.mark.parametrize("bad, message", BAD_TABLES)
def test_bad_tables(bad, message):
    with pytest.raises(ValueError, match=message):
        TSNE(perplexity=1).fit(bad)


@pytest.mark.parametrize("options, message", [
    (dict(n_components=0), "n_components=0"),
    (dict(n_components=4), "n_components=4.*1, 2 or 3.*PCA"),
    (dict(n_components=3), "n_components=3.*min.*= 2.*init='random'"),
    (dict(perplexity=0.5), "perplexity=0.5"),
    (dict(perplexity=7.5), r"perplexity=7.5.*n_samples \(8\).*at most 7.*lower perplexity"),
    (dict(perplexity=np.nan), "perplexity=nan"),
    (dict(perplexity="many"), "perplexity='many'"),
    (dict(cost="kl"), "cost='kl'.*'tsne'.*'symmetric'.*'sne'"),
    (dict(early_exaggeration=0.5), "early_exaggeration=0.5"),
    (dict(learning_rate=0), "learning_rate=0"),
    (dict(learning_rate=-1.0), "learning_rate=-1.0"),
    (dict(learning_rate="fast"), "learning_rate='fast'.*'auto'"),
    (dict(max_iter=0), "max_iter=0"),
    (dict(n_iter_without_progress=0), "n_iter_without_progress=0"),
    (dict(min_grad_norm=-1.0), "min_grad_norm=-1.0"),
    (dict(init="spectral"), "init='spectral'.*'pca', 'random'"),
    (dict(init=np.zeros((7, 2))), r"init.*\(8, 2\).*\(7, 2\)"),
    (dict(init=np.full((8, 2), np.nan)), "init.*NaN"),
    (dict(init=np.full((8, 2), 1e30)), "init.*scale"),
    (dict(metric="chebyshev"), "metric='chebyshev'.*'euclidean', 'manhattan', 'cosine', 'precomputed'"),
    (dict(metric="precomputed"), "square"),
    (dict(random_state="seed"), "'seed'"),
])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        TSNE(**{"perplexity": 2, "max_iter": 5, **options}).fit(table(8, 2, 0))


@pytest.mark.parametrize("change, message", [
    (lambda D: -D, "positive"),
    (lambda D: D + np.triu(np.ones(D.shape)), r"symmetric.*X\[0, 1\].*\(X \+ X.T\) / 2"),
    (lambda D: D[:, :-1], "square"),
])
def test_bad_distances(change, message):
    D = euclidean(table(5, 2, 0), table(5, 2, 0))
    with pytest.raises(ValueError, match=message):
        quick(metric="precomputed", init="random", perplexity=2).fit(change(D))


def test_distances_have_no_axes_to_start_from():
    with pytest.raises(ValueError, match="init='pca'.*precomputed.*init='random'"):
        quick(metric="precomputed", perplexity=2).fit(np.ones((5, 5)) - np.eye(5))


def test_one_sample_has_no_neighbour():
    with pytest.raises(ValueError, match="1 sample"):
        TSNE().fit([[1.0, 2]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")    # of kernels run as plain Python
def test_a_map_that_explodes_names_the_learning_rate():
    with pytest.raises(ValueError, match="learning_rate=1e\\+300.*lower learning_rate"):
        quick(cost="symmetric", learning_rate=1e300).fit(blobs(4))


def test_has_to_be_fitted_first():
    with pytest.raises(ValueError, match="not fitted"):
        TSNE().get_feature_names_out()


# --- few points

def few(N, seed, D=384):
    """Points in three clusters, in many dimensions."""
    rng = np.random.default_rng(seed)
    return (2 * rng.normal(size=(3, D)))[rng.integers(3, size=N)] + rng.normal(size=(N, D))


@slow_without_compiler
@pytest.mark.parametrize("N, perplexity, D, most", [(30, 10, 384, 0.0301), (10, 3, 384, 0.0548), (10, 3, 5, 0.1032),
                                                    (20, 5, 10, 0.1083), (6, 2, 3, 0.0686)])
def test_few_points_come_to_rest(N, perplexity, D, most):
    """The bounds are the means of scikit-learn's exact method on the same twelve sets."""
    runs = [TSNE(perplexity=perplexity, random_state=0).fit(few(N, seed, D)) for seed in range(12)]
    assert np.mean([run.kl_divergence_ for run in runs]) <= most
    for run in runs:
        assert (np.diff(run.kl_history_[6:]) <= 1e-5).all()              # of the second phase: nothing is thrown about


@pytest.mark.parametrize("N, exaggeration, rates", [(6, 12.0, (0.5, 3)), (6, 1.0, (6, 3)), (120, 2.0, (50, 50))])
def test_the_rate_that_few_points_take(N, exaggeration, rates, monkeypatch):
    taken = []
    monkeypatch.setattr("scratchml.reduction.tsne.step", lambda V, G, D, η, α: taken.append(η) or α * V - η * G * D)
    model = TSNE(perplexity=2, early_exaggeration=exaggeration, max_iter=253).fit(few(N, 0, 3))
    assert model.learning_rate_ == rates[1] and taken == [rates[0]] * 250 + [rates[1]] * 3
    del taken[:]
    TSNE(perplexity=2, learning_rate=7.0, max_iter=10).fit(few(N, 0, 3))
    assert taken == [7.0] * 10


# --- what comes in, once more

def test_the_map_is_a_frame_where_sklearn_asks_for_frames():
    sklearn, pandas = pytest.importorskip("sklearn"), pytest.importorskip("pandas")
    X = table(60, 4, 0)
    plain = TSNE(perplexity=5, max_iter=50).fit_transform(X)
    with sklearn.config_context(transform_output="pandas"):
        for init in ("pca", "random", plain):
            Y = TSNE(perplexity=5, max_iter=50, init=init, random_state=0).fit_transform(X)
            assert isinstance(Y, pandas.DataFrame) and Y.shape == (60, 2)
        same = TSNE(perplexity=5, max_iter=50).fit_transform(pandas.DataFrame(X, index=np.arange(60) + 7))
        np.testing.assert_array_equal(same, plain)
        assert same.index[0] == 7
    assert isinstance(TSNE(perplexity=5, max_iter=50).set_output(transform="pandas").fit_transform(X), pandas.DataFrame)


@pytest.mark.parametrize("rounding", [1e-17, 1e-9, 0.9e-5])
def test_a_distance_a_little_below_zero_is_zero(rounding):
    X = table(20, 3, 0)
    X[1], X[5] = X[0], X[4]
    exact = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    rounded = exact.copy()
    rounded[0, 1] = rounded[1, 0] = rounded[4, 5] = rounded[7, 7] = -rounding * exact.max()
    one, other = (TSNE(perplexity=5, max_iter=50, metric="precomputed", init="random", random_state=0).fit(distances)
                  for distances in (exact, rounded))
    np.testing.assert_array_equal(other.embedding_, one.embedding_)
    assert (rounded < 0).any()                           # the caller's matrix is left alone


def test_a_distance_that_is_negative_is_refused():
    exact = np.sqrt(((table(20, 3, 0)[:, None] - table(20, 3, 0)) ** 2).sum(axis=2))
    for share in (2e-5, 1):
        wrong = exact.copy()
        wrong[3, 4] = wrong[4, 3] = -share * exact.max()
        with pytest.raises(ValueError, match="Negative values.*similarities"):
            TSNE(perplexity=5, metric="precomputed", init="random").fit(wrong)
    for wrong in (-exact, -np.ones((4, 4))):
        with pytest.raises(ValueError, match="Negative values"):
            TSNE(perplexity=2, metric="precomputed", init="random").fit(wrong)


@pytest.mark.parametrize("scale", [1e-30, 1e-13, 1e25])
def test_float32_of_any_size(scale):
    X = table(40, 3, 0)
    one, other = (TSNE(perplexity=5, max_iter=100).fit(rows) for rows in (X.astype(np.float32),
                                                                         (scale * X).astype(np.float32)))
    np.testing.assert_allclose(other.perplexities_, one.perplexities_, rtol=1e-5)
    np.testing.assert_allclose(other.kl_divergence_, one.kl_divergence_, rtol=0.05)
