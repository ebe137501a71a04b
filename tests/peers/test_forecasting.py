"""Errors of forecasts agree with scikit-learn's and skforecast's."""
import numpy as np
import pytest

from scratchml import metrics as ours

theirs = pytest.importorskip("sklearn.metrics")
rng = np.random.default_rng(3)
y, f, x = rng.normal(5, 1, 90), rng.normal(5, 1, 90), rng.normal(5, 1, 60)


@pytest.mark.parametrize("name", ["mean_absolute_error", "mean_squared_error", "root_mean_squared_error",
                                  "mean_absolute_percentage_error"])
def test_as_scikit_learn(name):
    assert getattr(ours, name)(y, f) == pytest.approx(getattr(theirs, name)(y, f), rel=1e-13)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
def test_pinball(alpha):
    assert ours.mean_pinball_loss(y, f, alpha) == pytest.approx(theirs.mean_pinball_loss(y, f, alpha=alpha), rel=1e-13)


@pytest.mark.filterwarnings("ignore")                    # on import
def test_as_skforecast():
    metrics = pytest.importorskip("skforecast.metrics")
    for name in ("mean_absolute_scaled_error", "root_mean_squared_scaled_error"):
        assert getattr(ours, name)(y, f, x) == pytest.approx(getattr(metrics, name)(y, f, x), rel=1e-13)
    assert 100 * ours.symmetric_mean_absolute_percentage_error(y, f) == \
        pytest.approx(metrics.symmetric_mean_absolute_percentage_error(y, f), rel=1e-13)
    assert ours.calculate_coverage(y, f - 1, f + 1) == metrics.calculate_coverage(y, f - 1, f + 1)
