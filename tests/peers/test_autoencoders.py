"""Autoencoders beside PyTorch, weight by weight, and among scikit-learn's tools."""
import warnings

import numpy as np
import pytest

from benchmarks import bench_variational as bench
from scratchml.core.estimator import ConvergenceWarning
from scratchml.preprocessing import MinMaxScaler, StandardScaler
from scratchml.reduction import Autoencoder, VariationalAutoencoder, variational
from tests.strategies.autoencoder import spread

each = pytest.mark.parametrize("cls", [Autoencoder, VariationalAutoencoder], ids=lambda cls: cls.__name__)


@pytest.mark.parametrize("make, sizes", [(bench.plain, (9, 7, 5, 2)), (bench.variational, (9, 7, 3))],
                         ids=["plain", "variational"])
def test_loss_slopes_and_steps_are_those_of_pytorch(make, sizes, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(bench, "LENGTH", 1e-3)
    monkeypatch.setattr(variational, "BOUND", 2.0 ** 20)                       # PyTorch's network has none
    ours, optimizer, (theirs, steps), X, ε = make.__wrapped__(13, sizes)
    weights = dict(theirs.named_parameters())
    for _ in range(3):
        np.testing.assert_allclose(bench.scratchml(ours, optimizer, None, X, ε),
                                   bench.pytorch(ours, optimizer, (theirs, steps), X, ε), rtol=1e-5)
        for p, q in zip(ours.parameters(), weights.values(), strict=True):
            np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=0,
                                       atol=1e-5 * max(1, np.abs(p.grad.data).max()))
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=2e-5)


@each
def test_a_grid_search_and_a_pipeline_take_it(cls):
    sklearn = pytest.importorskip("sklearn", minversion="1.9.1")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    X = spread(60, 5)
    model = cls(random_state=0, hidden=(8,), epochs=40, batch_size=20, learning_rate=0.02)
    grid = GridSearchCV(make_pipeline(StandardScaler(), model), {f"{cls.__name__.lower()}__n_components": [1, 3]}, cv=3,
                        error_score="raise").fit(X)
    scores = grid.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and grid.transform(X).shape[1] in (1, 3)
    assert sklearn.base.clone(grid.best_estimator_[-1]).get_params() == grid.best_estimator_[-1].get_params()
    if cls is Autoencoder:
        assert scores[1] > scores[0]


@each
def test_frames_go_in_and_come_out(cls):
    pytest.importorskip("sklearn")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(spread(30, 3).astype(np.float32), columns=["a", "b", "c"], index=range(7, 37))
    out = cls(random_state=0, hidden=(4,), epochs=2).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == [f"{cls.__name__.lower()}{i}" for i in range(2)] and out.index.equals(frame.index)
    assert (out.dtypes == np.float32).all()
    model = cls(random_state=0, hidden=(4,), epochs=2).fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[["b", "a", "c"]])
    missing = frame.astype(object)
    missing.iloc[3, 1] = pandas.NA
    with pytest.raises(ValueError, match="NaN"):
        model.fit(missing)


@each
def test_at_defaults_it_warns_of_nothing(cls):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = cls(random_state=0).fit(MinMaxScaler().fit_transform(spread(40, 4)))
    assert model.n_iter_ == 200
