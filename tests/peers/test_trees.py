"""First trees beside LightGBM's and XGBoost's on features of few values, so that bins are the same."""
import numpy as np
import pytest

from scratchml.ranking.bins import bin_edges, binned
from scratchml.ranking.trees import grow, predict_trees, tree_leaves


def data(seed, missing=0.0, N=300):
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 12, (N, 4)).astype(float)
    y = np.where(X[:, 0] > 3, X[:, 1], -X[:, 2]) + 0.3 * rng.normal(size=N)
    return np.where(rng.random(X.shape) < missing, np.nan, X), y


def ours(X, y, **limits):
    return grow(binned(X, bin_edges(X)), -y, np.ones(len(y)), num_leaves=12, **limits)[0]


def assert_same_parts(one, other):
    """Two numberings (N,) of the same parts."""
    assert len(set(zip(one.tolist(), other.tolist()))) == len(set(one.tolist())) == len(set(other.tolist()))


LIMITS = [dict(min_child_samples=5), dict(min_child_samples=1), dict(min_child_samples=20, reg_lambda=3.0),
          dict(min_child_samples=5, max_depth=3), dict(min_child_samples=3, min_child_weight=17.0),
          dict(min_child_samples=3, min_split_gain=40.0), dict(min_child_samples=3, reg_alpha=2.0)]


@pytest.mark.parametrize("missing", [0, 0.15])
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_lightgbm(limits, missing):
    lightgbm = pytest.importorskip("lightgbm")
    for seed in range(3):
        X, y = data(seed, missing)
        model = lightgbm.LGBMRegressor(n_estimators=1, num_leaves=12, learning_rate=1.0, boost_from_average=False,
                                       n_jobs=1, min_data_in_bin=1, verbose=-1, **limits).fit(X, y)
        tree = ours(X, y, **limits)
        leaves = model.predict(X, pred_leaf=True).ravel().astype(int)
        assert_same_parts(tree_leaves([tree], X)[:, 0], leaves)
        np.testing.assert_allclose(predict_trees([tree], X), model.predict(X), rtol=1e-5, atol=1e-5)
        frame = model.booster_.dump_model()["tree_info"][0]["tree_structure"]
        gains, to_come = [], [frame]
        while to_come:
            node = to_come.pop()
            if "split_gain" in node:
                gains.append((node["split_gain"], node["internal_count"]))
                to_come += [node["left_child"], node["right_child"]]
        inner = tree.feature >= 0
        expected = sorted(zip(tree.gain[inner], tree.count[inner]))
        np.testing.assert_allclose(sorted(gains), expected, rtol=1e-4)


@pytest.mark.parametrize("missing", [0, 0.15])
@pytest.mark.parametrize("limits", [dict(min_child_weight=5.0), dict(min_child_weight=7.0, reg_lambda=2.0),
                                    dict(min_child_weight=5.0, reg_alpha=2.0)], ids=str)
def test_xgboost(limits, missing):
    xgboost = pytest.importorskip("xgboost")
    for seed in range(3):
        X, y = data(seed, missing)
        model = xgboost.XGBRegressor(n_estimators=1, learning_rate=1.0, grow_policy="lossguide", max_leaves=12,
                                     max_depth=0, base_score=0.0, tree_method="hist", n_jobs=1,
                                     **{"reg_lambda": 0.0, **limits}).fit(X, y)
        tree = ours(X, y, min_child_samples=1, **limits)
        assert_same_parts(tree_leaves([tree], X)[:, 0], model.apply(X).ravel().astype(int))
        np.testing.assert_allclose(predict_trees([tree], X), model.predict(X), rtol=1e-5, atol=1e-5)
