"""Trees against all cuts of all rows, and what must hold whatever the data."""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.ranking import growing
from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.cuts import leaf_value, split_gain
from scratchml.ranking.trees import Tree, feature_importances, grow, predict_trees, tree_leaves, tree_text
from tests.reference import trees as reference
from tests.strategies.bins import KINDS, feature_table
from tests.strategies.distances import seeds
from tests.strategies.histograms import derivatives
from tests.strategies.trees import boosting_steps, example

FIELDS = ("feature", "threshold", "missing_left", "left", "right", "value", "count", "gain")
FREE = dict(min_child_samples=1, min_child_weight=0.0)
plain = [kind for kind in KINDS if kind not in {"infinite", "constant"}]


def grown(X, g, h, max_bin=255, **limits):
    return grow(binned(X, bin_edges(X, max_bin)), g, h, **limits)


def assert_same(one, other):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    assert one.stopped_by == other.stopped_by


def as_list(tree):
    return list(zip(*(getattr(tree, name).tolist() for name in FIELDS[:6])))


# --- equal to the definition

@given(boosting_steps(), st.integers(1, 7), st.sampled_from([-1, 2]), st.sampled_from([1, 3]),
       st.sampled_from([0.0, 0.6]), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 0.1]),
       st.sampled_from([0.0, 1.0]))
def test_grow(step, L, depth, samples, weight, least, α, λ):
    X, B, g, h = step
    edges = bin_edges(X, B)
    tree, leaf_of = grow(binned(X, edges), g, h, num_leaves=L, max_depth=depth, min_child_samples=samples,
                         min_child_weight=weight, min_split_gain=least, reg_alpha=α, reg_lambda=λ)
    nodes = reference.grow(X.tolist(), [e.tolist() for e in edges], g.tolist(), h.tolist(), L, depth, samples, weight,
                           least, α, λ)
    assert len(nodes) == len(tree.feature)
    for k, (f, t, m, left, right, v, rows) in enumerate(nodes):
        assert tree.value[k] == pytest.approx(v, rel=1e-12, abs=1e-300) and tree.count[k] == len(rows)
        if f is None:
            assert tree.feature[k] == tree.left[k] == tree.right[k] == -1 and (leaf_of[rows] == k).all()
        else:
            assert as_list(tree)[k][:5] == (f, t, m, left, right)


def random_tree(seed, D):
    X, (g, h) = feature_table(40, D, seed), derivatives(40, seed)
    return grown(X, g, h, num_leaves=seed % 9 + 1, **FREE)[0]


@given(seeds, st.integers(1, 150), st.sampled_from([np.float64, np.float32]))
def test_leaves_and_predictions(seed, N, dtype):
    trees = [random_tree(seed + k, 3) for k in range(3)]
    with np.errstate(over="ignore"):
        X = feature_table(N, 3, seed + 9).astype(dtype)
    lists, rows = [as_list(tree) for tree in trees], X.astype(float).tolist()
    assert tree_leaves(trees, X).tolist() == reference.tree_leaves(lists, rows)
    np.testing.assert_allclose(predict_trees(trees, X), reference.predict_trees(lists, rows), rtol=1e-13, atol=1e-15)


@given(boosting_steps())
def test_raw_rows_reach_the_leaves_that_they_trained(step):
    X, B, g, h = step
    tree, leaf_of = grown(X, g, h, B, **FREE)
    np.testing.assert_array_equal(tree_leaves([tree], X)[:, 0], leaf_of)
    moved = tree.value[leaf_of]
    np.testing.assert_array_equal(predict_trees([tree, tree.shrunk(0.5)], X), moved + 0.5 * moved)


# --- laws

@given(boosting_steps(), st.sampled_from([0.0, 2.0]))
def test_a_stump_is_the_best_of_all(step, λ):
    """Every feature, threshold and way for the missing ones, tried on the rows themselves."""
    X, _, g, h = step
    tree, _ = grown(X, g, h, num_leaves=2, reg_lambda=λ, **FREE)
    best = 0.0
    for f, m in itertools.product(range(X.shape[1]), (False, True)):
        for t in np.append(X[~np.isnan(X[:, f]), f], np.inf):
            left = np.where(np.isnan(X[:, f]), m, X[:, f] <= t)
            sums = g[left].sum(), h[left].sum(), g[~left].sum(), h[~left].sum()
            if 0 < left.sum() < len(g) and min(sums[1], sums[3]) > 0:
                best = max(best, split_gain(*sums, 0.0, λ))
    assert tree.gain[0] == pytest.approx(best, rel=1e-5, abs=1e-9 * np.abs(g).max())


@given(boosting_steps(), st.sampled_from([0.0, 0.2]), st.sampled_from([0.0, 3.0]))
def test_leaf_values_minimise_the_loss_and_gains_add_up(step, α, λ):
    X, B, g, h = step
    tree, leaf_of = grown(X, g, h, B, reg_alpha=α, reg_lambda=λ, **FREE)
    for k in np.unique(leaf_of):
        G, H = g[leaf_of == k].sum(), h[leaf_of == k].sum()
        assert tree.value[k] == pytest.approx(leaf_value(G, H, α, λ), rel=1e-6, abs=1e-9 * np.abs(g).max())
    if α == 0:
        def loss(leaf):                                  # λ counts once a leaf
            v = tree.value[leaf]
            return (g * v + h * v**2 / 2).sum() + λ / 2 * (tree.value[np.unique(leaf)] ** 2).sum()
        won = 2 * (loss(0 * leaf_of) - loss(leaf_of))
        assert won == pytest.approx(tree.gain.sum(), rel=1e-5, abs=1e-6 * abs(loss(leaf_of)))


@given(boosting_steps())
def test_the_order_of_rows_does_not_matter(step):
    X, B, g, h = step
    mixed = np.random.default_rng(0).permutation(len(g))
    (one, leaf_of), (other, mixed_leaf_of) = grown(X, g, h, B, **FREE), grown(X[mixed], g[mixed], h[mixed], B, **FREE)
    assert_same(one, other)
    np.testing.assert_array_equal(leaf_of[mixed], mixed_leaf_of)


@given(seeds)
def test_permuted_features_permute_the_tree(seed):
    X, (g, h) = np.random.default_rng(seed).normal(size=(80, 3)), derivatives(80, seed)
    mixed = np.random.default_rng(seed).permutation(3)
    limits = dict(num_leaves=5, min_child_samples=9)
    (one, leaf_of), (other, same) = grown(X, g, h, **limits), grown(X[:, mixed], g, h, **limits)
    np.testing.assert_array_equal(one.value[leaf_of], other.value[same])         # two features may part few rows alike
    assert one.feature[0] == (mixed[other.feature[0]] if other.feature[0] >= 0 else -1)


@given(seeds)
def test_a_monotone_scale_leaves_the_tree(seed):
    X, (g, h) = feature_table(40, 3, seed, kinds=("normal", "ties", "one frequent")), derivatives(40, seed)
    scaled = np.column_stack([np.exp(X[:, 0]), X[:, 1] ** 3 * 1e9, np.arctan(X[:, 2])])
    (one, leaf_of), (other, same) = grown(X, g, h, 7, **FREE), grown(scaled, g, h, 7, **FREE)
    np.testing.assert_array_equal(leaf_of, same)
    for name in set(FIELDS) - {"threshold"}:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@given(boosting_steps(), st.sampled_from([-300, 5, 350]), st.sampled_from([-200, 300]))
def test_the_size_of_the_loss_does_not_matter(step, i, j):
    X, B, g, h = step

    def limits(i, j):
        weight, gain, α, λ = np.ldexp([0.6, 0.3, 0.1, 1.0], [j, 2 * i - j, i, j]).tolist()
        return dict(min_child_samples=1, min_child_weight=weight, min_split_gain=gain, reg_alpha=α, reg_lambda=λ)
    one, leaf_of = grown(X, g, h, B, **limits(0, 0))
    other, same = grown(X, np.ldexp(g, i), np.ldexp(h, j), B, **limits(i, j))
    np.testing.assert_array_equal(leaf_of, same)
    np.testing.assert_array_equal(np.ldexp(one.value, i - j), other.value)


@pytest.mark.parametrize("N, D", [(400, 9), (600, 3)])
def test_threads_do_not_matter(N, D, monkeypatch):
    X, (g, h) = feature_table(N, D, 3, kinds=("normal", "ties", "one frequent")), derivatives(N, 3)
    monkeypatch.setattr(growing, "ALONE", 7)
    monkeypatch.setattr(growing, "CUTS", 2)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        tree, leaf_of = grown(X, g, h, 50, num_leaves=12)
        found.append((tree, leaf_of, predict_trees([tree], X)))
    for tree, leaf_of, F in found[1:]:
        assert_same(tree, found[0][0])
        np.testing.assert_array_equal(leaf_of, found[0][1])
        np.testing.assert_array_equal(F, found[0][2])


@given(seeds, st.sampled_from([2, 9]), st.sampled_from([4, 255]))
@settings(max_examples=10)
def test_boosting_never_raises_the_squared_loss(seed, L, B):
    X = feature_table(60, 3, seed)
    y = np.random.default_rng(seed).normal(size=60) * 3
    table, F, losses = binned(X, bin_edges(X, B)), np.zeros(60), []
    for _ in range(8):
        losses.append(((y - F) ** 2).sum())
        tree, leaf_of = grow(table, F - y, np.ones(60), num_leaves=L, min_child_samples=5)
        F += tree.value[leaf_of]
    assert (np.diff(losses) <= 1e-12 * losses[0]).all() and losses[-1] <= losses[0]


# --- samples of rows and features

@given(boosting_steps(), seeds)
def test_a_sample_of_rows_and_features(step, seed):
    X, B, g, h = step
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(g))[:max(1, len(g) // 2)]
    features = rng.permutation(X.shape[1])[:max(1, X.shape[1] - 1)]
    table = binned(X, bin_edges(X, B))
    tree, leaf_of = grow(table, g, h, rows=rows, features=features, **FREE)
    assert tree.count[0] == len(rows) and set(tree.feature) <= {-1, *features}
    np.testing.assert_array_equal(leaf_of, tree_leaves([tree], X)[:, 0])
    if np.abs(g[rows]).max() == np.abs(g).max() and h[rows].max() == h.max():        # the same whole numbers
        others = np.setdiff1d(np.arange(len(g)), rows)
        g[others] = h[others] = 0
        assert_same(grow(table, g, h, rows=rows, features=features, **FREE)[0], tree)


def test_all_rows_are_the_default():
    X, (g, h) = feature_table(40, 3, 0), derivatives(40, 0)
    table = binned(X, bin_edges(X))
    mixed = grow(table, g, h, rows=np.arange(40)[::-1], features=[2, 0, 1], **FREE)[0]
    assert_same(grow(table, g, h, **FREE)[0], mixed)


# --- limits, and why it stopped

STEP = np.arange(40.0)[:, None], np.where(np.arange(40) < 15, -1.0, 1.0), np.ones(40)


@pytest.mark.parametrize("limits, leaves, stopped_by", [
    (dict(), 2, ()), (dict(min_child_samples=16), 2, ("min_child_samples",)),
    (dict(min_child_samples=21), 1, ("min_child_samples",)),
    (dict(min_child_weight=21), 1, ("min_child_weight",)), (dict(min_split_gain=1e6), 1, ("min_split_gain",)),
    (dict(num_leaves=1), 1, ("num_leaves",)), (dict(num_leaves=2), 2, ("num_leaves",)),
    (dict(max_depth=1), 2, ("max_depth",)), (dict(reg_alpha=100), 1, ()),
])
def test_it_says_what_stopped_it(limits, leaves, stopped_by):
    X, g, h = STEP
    tree, _ = grown(X, g, h, **{**FREE, **limits})
    assert (tree.n_leaves, tree.stopped_by) == (leaves, stopped_by)


def test_too_few_rows_for_two_children_say_so():
    tree, leaf_of = grown(STEP[0][:39], *(part[:39] for part in STEP[1:]))
    assert tree.stopped_by == ("min_child_samples",) and (leaf_of == 0).all() and tree.n_leaves == 1


@given(boosting_steps(), st.integers(1, 4), st.integers(2, 6))
def test_limits_are_kept(step, depth, samples):
    X, B, g, h = step
    tree, leaf_of = grown(X, g, h, B, num_leaves=6, max_depth=depth, min_child_samples=samples, min_child_weight=0.5)
    assert tree.n_leaves <= 6
    for k in np.unique(leaf_of) if tree.n_leaves > 1 else ():
        assert (leaf_of == k).sum() >= samples and h[leaf_of == k].sum() >= 0.5 - 1e-6 * h.max()
    depths = {0: 0}
    for k in np.flatnonzero(tree.feature >= 0):
        depths[tree.left[k]] = depths[tree.right[k]] = depths[k] + 1
    assert max(depths.values()) <= depth


# --- borders

@pytest.mark.parametrize("g, h", [(np.zeros(30), np.ones(30)), (np.zeros(30), np.zeros(30)), (np.ones(30), np.ones(30)),
                                  (np.full(30, 0.1), np.full(30, 0.3)), (np.ones(30), np.zeros(30))])
def test_nothing_to_win_gives_one_leaf(g, h):
    tree, leaf_of = grown(np.random.default_rng(0).normal(size=(30, 2)), g, h, min_child_samples=1, min_child_weight=0)
    assert tree.n_leaves == 1 and np.isfinite(tree.value).all() and (leaf_of == 0).all()
    assert tree.value[0] == pytest.approx(-g.sum() / h.sum() if g.any() and h.any() else 0)


def test_missing_values_alone_can_be_a_question():
    x = np.array([1.0, 1, np.nan, 1, np.nan])[:, None]
    tree, leaf_of = grown(x, np.isnan(x[:, 0]) * 1.0 - 0.5, np.ones(5), **FREE)
    assert tree.threshold[0] == np.inf and not tree.missing_left[0] and leaf_of.tolist() == [1, 1, 2, 1, 2]
    assert predict_trees([tree], [[np.inf], [-5.0], [np.nan]]).tolist() == [0.5, 0.5, -0.5]
    assert tree_text(tree).startswith("x0 is known: 5 rows")


@pytest.mark.parametrize("missing_as, side", [(0, True), (9, False)])
def test_missing_values_go_where_they_win_most(missing_as, side):
    x = np.arange(10.0)
    g = np.where(x < 5, 1.0, -1.0)
    x[missing_as] = np.nan
    tree, _ = grown(x[:, None], g, np.ones(10), num_leaves=2, **FREE)
    assert tree.missing_left[0] == side and sorted(tree.value[1:]) == [-1, 1]


def test_unseen_missing_values_go_with_more_rows():
    for y in (STEP[1], -STEP[1]):
        tree, _ = grown(STEP[0], y, STEP[2], **FREE)
        assert not tree.missing_left[0]
    flipped, _ = grown(-STEP[0], *STEP[1:], **FREE)
    assert flipped.missing_left[0]


def test_float32_beyond_the_grid_of_its_values():
    one = np.float32(1)
    x = np.repeat([one, np.nextafter(one, np.float32(2))], 5)[:, None]
    tree, leaf_of = grown(x, np.repeat([1.0, -1], 5), np.ones(10), **FREE)
    assert predict_trees([tree], x).tolist() == [-1] * 5 + [1] * 5


@pytest.mark.parametrize("change, message", [
    (dict(gradients=np.zeros(3)), "gradients: expected an array of shape"),
    (dict(hessians=-np.ones(40)), "hessians: expected numbers"),
    (dict(gradients=np.full(40, np.nan)), "gradients: Input contains NaN"), (dict(num_leaves=0), "num_leaves=0"),
    (dict(num_leaves=2.5), "num_leaves=2.5"), (dict(max_depth=0), "max_depth=0: expected at least 1, or -1"),
    (dict(max_depth=-2), "max_depth=-2"), (dict(min_child_samples=-1), "min_child_samples"),
    (dict(min_child_weight=-1.0), "min_child_weight"), (dict(min_split_gain=np.nan), "min_split_gain"),
    (dict(reg_alpha=-1), "reg_alpha"), (dict(reg_lambda="1"), "reg_lambda"),
    (dict(rows=[0, 0]), "rows: expected distinct"),
    (dict(rows=[40]), "rows: expected distinct numbers from 0 to 39"), (dict(rows=[-1, 3]), "rows: expected distinct"),
    (dict(rows=np.ones(40, bool)), "rows: expected an array"),
    (dict(rows=[]), "rows"), (dict(rows=iter([1])), "rows: expected an array of whole numbers"),
    (dict(features=[1]), "features: expected distinct"), (dict(features=[0.0]), "features"),
    (dict(gradients=np.full(40, 1e200), hessians=np.full(40, 1e-200)), "cannot be held in float64"),
])
def test_bad_arguments(change, message):
    X, g, h = STEP
    arguments = {"gradients": g, "hessians": h, **FREE, **change}
    with pytest.raises(ValueError, match=message):
        grow(binned(X, bin_edges(X)), **arguments)


def test_rows_with_too_few_features_are_refused():
    tree, _ = grown(np.column_stack([np.zeros(40), STEP[0][:, 0]]), *STEP[1:], **FREE)
    for function in (predict_trees, tree_leaves):
        with pytest.raises(ValueError, match="expected at least 2 features, as a tree asks for them, got 1"):
            function([tree], [[1.0]])


def test_no_trees_and_a_single_one():
    tree, _ = grown(*STEP, **FREE)
    assert predict_trees([], np.ones((3, 2))).tolist() == [0, 0, 0] and tree_leaves([], np.ones((3, 2))).shape == (3, 0)
    assert predict_trees(iter([tree]), STEP[0]).tolist() == predict_trees([tree], STEP[0]).tolist()
    with pytest.raises(TypeError, match="trees: expected a list of trees, got a Tree; pass"):
        predict_trees(tree, STEP[0])
    with pytest.raises(TypeError, match="trees: expected a list of trees, got str among them"):
        predict_trees([tree, "tree"], STEP[0])


# --- about trees

def test_importances():
    tree = Tree(np.array([2, 0, -1, 2, -1, -1, -1]), np.zeros(7), np.zeros(7, bool),
                np.array([1, 3, -1, 5, -1, -1, -1]), np.array([2, 4, -1, 6, -1, -1, -1]), np.zeros(7), np.ones(7, int),
                np.array([8.0, 4, 0, 1, 0, 0, 0]))
    assert feature_importances([tree, tree], 4).tolist() == [2, 0, 4, 0]
    assert feature_importances([tree, tree], 4, "gain").tolist() == [8, 0, 18, 0]
    assert feature_importances([], 2).tolist() == [0, 0]
    with pytest.raises(ValueError, match="kind='cover'"):
        feature_importances([tree], 4, "cover")
    with pytest.raises(ValueError, match="n_features=2: expected at least 3, as a tree asks for them"):
        feature_importances([tree], 2)


def test_text_names_every_node():
    tree = example("trees")[-1]
    lines = tree_text(tree, ["a", "b", "c"]).splitlines()
    assert len(lines) == len(tree.feature)
    assert sum(line.count("(") for line in lines) == tree.n_leaves == 5
    depths = [len(line) - len(line.lstrip()) for line in lines]
    assert depths[0] == 0 and all(b <= a + 4 and b % 4 == 0 for a, b in zip(depths, depths[1:]))
    for names in (["a"], "abc"):
        with pytest.raises(ValueError, match="names: expected a list of at least 3 names"):
            tree_text(tree, names)
