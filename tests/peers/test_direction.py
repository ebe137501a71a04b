"""The ladder against the same layers of PyTorch, and noise by copies against scikit-learn's regressions."""
import numpy as np
import pytest

from scratchml.nn import ActivityL2, Dropout, cross_entropy, penalty
from scratchml.timeseries import direction_windows, ladder, noise_by_copies


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_rung_is_that_of_pytorch(step):
    """Scores and gradients of one batch; of what is dropped, nothing."""
    torch = pytest.importorskip("torch")
    net = ladder(step, 10, random_state=0)
    layers, prices = [], []

    def price(module, inputs, output):
        prices.append(0.01 * (output * output).sum() / len(output))

    for layer in net:
        if isinstance(layer, ActivityL2):
            layers.append(torch.nn.Identity())
            layers[-1].register_forward_hook(price)
        elif isinstance(layer, Dropout):
            layer.p = 0.0
            layers.append(torch.nn.Dropout(0.0))
        else:
            layers.append(getattr(torch.nn, type(layer).__name__)(*[getattr(layer, name) for name in layer.settings]))
    theirs = torch.nn.Sequential(*layers)
    theirs.load_state_dict({name: torch.tensor(np.array(value)) for name, value in net.state_dict().items()})
    X, up, _ = direction_windows(np.random.default_rng(0).normal(size=70), 10)
    X = X.astype(np.float32)
    ours, scores = net(X), theirs(torch.from_numpy(X))
    np.testing.assert_allclose(ours.data, scores.detach().numpy(), rtol=0, atol=2e-5)
    (cross_entropy(ours, up) + penalty(net)).backward()
    (torch.nn.functional.cross_entropy(scores, torch.from_numpy(up)) + sum(prices)).backward()
    assert len(prices) == (2 if step > 2 else 0)
    for (name, p), q in zip(net.named_parameters(), theirs.parameters()):
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=0, atol=2e-5, err_msg=name)
    for (name, p), q in zip(net.named_buffers(), theirs.buffers()):
        np.testing.assert_allclose(p, q.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_of_scikit_learn_on_copies_is_its_ridge_regression(fit_intercept):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * [1, 2, 3, 0.5, 1] + 1
    y = X @ rng.normal(size=5) + rng.normal(size=60)
    plain = linear_model.LinearRegression(fit_intercept=fit_intercept).fit(*noise_by_copies(X, y, 0.4))
    ridge = linear_model.Ridge(60 * 0.4**2, fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(plain.coef_, ridge.coef_, rtol=0, atol=1e-12)
    assert plain.intercept_ == pytest.approx(ridge.intercept_, abs=1e-12)
