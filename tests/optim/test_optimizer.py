"""What an optimiser takes for parameters, and what it refuses, since nothing would move."""
from types import SimpleNamespace

import numpy as np
import pytest

from scratchml import optim
from scratchml.autograd import Tensor
from scratchml.optim import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_

EVERY = [SGD, Adam, AdamW, Adagrad, RMSprop]


def weight(values=(1.0, 2.0, 0.0), gradient=(3.0, 4.0, 0.0)):
    p = Tensor(np.array(values), requires_grad=True)
    p.grad = Tensor(np.array(gradient))
    return p


# --- one parameter

@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("given", [lambda p: p, lambda p: [p], lambda p: [{"params": p}], lambda p: [{"params": [p]}],
                                   lambda p: iter([p]), lambda p: {"w": p}.values(), lambda p: [{"params": iter([p])}],
                                   lambda p: ({"params": p} for _ in range(1))])
def test_one_tensor_is_one_parameter(make, given):
    alone, listed = weight(), weight()
    optimizer = make(given(alone), lr=1.0)
    optimizer.step()
    make([listed], lr=1.0).step()
    assert [len(group["params"]) for group in optimizer.param_groups] == [1]
    np.testing.assert_array_equal(alone.data, listed.data)
    assert alone.data[0] < 0.1 and alone.data[2] == 0


def test_a_step_of_one_tensor():
    p = weight()
    SGD(p, lr=1.0).step()
    assert p.data.tolist() == [-2, -2, 0]


def test_a_parameter_that_is_no_tensor():
    p = SimpleNamespace(data=np.ones(2), grad=np.array([1.0, 2.0]))
    SGD(p, lr=1.0).step()
    assert p.data.tolist() == [0, -1]


def test_clipping_of_one_tensor():
    p = weight()
    assert clip_grad_norm_(p, 1.0) == 5
    np.testing.assert_allclose(p.grad.data, [0.6, 0.8, 0], rtol=1e-6)
    p = weight()
    clip_grad_value_(p, 1.0)
    assert p.grad.data.tolist() == [1, 1, 0]
    hundred = weight(np.ones(100), np.ones(100))
    assert clip_grad_norm_(hundred, 1) == 10 and abs(np.linalg.norm(hundred.grad.data) - 1) < 1e-6


def test_an_infinite_limit_measures():
    p, q = weight(), weight(gradient=(np.inf, 0.0, 0.0))
    assert clip_grad_norm_([p], float("inf")) == 5 and p.grad.data.tolist() == [3, 4, 0]
    assert clip_grad_norm_(iter([p, q]), np.inf) == np.inf


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1.0, 1e153, 1e200, 1e300])
@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, np.inf])
def test_a_norm_whose_powers_leave_the_range(scale, order):
    p, q = weight(gradient=(3 * scale, -4 * scale, 0.0)), weight(gradient=(scale, 0.0, 0.0))
    expected = scale * np.linalg.norm([3.0, 4.0, 1.0], order)
    np.testing.assert_allclose(clip_grad_norm_([p, q], np.inf, order), expected, rtol=1e-14)
    if scale >= 1:                                       # by (9) a norm far below 10⁻⁶ becomes much less than the limit
        clip_grad_norm_([p, q], expected / 4, order)
        np.testing.assert_allclose(p.grad.data, [0.75 * scale, -scale, 0], rtol=1e-5)


# --- no parameters

LEAF = Tensor([1.0, 2.0], requires_grad=True)
layer = SimpleNamespace(parameters=lambda: [LEAF])
BAD = {
    "a result": (lambda: LEAF * 1, "expected leaves, got the result of an operation, of shape"),
    "results": (lambda: [LEAF, LEAF * 1], "expected leaves, got the result of an operation"),
    "a result in a group": (lambda: [{"params": [LEAF * 2]}], "expected leaves"),
    "a dictionary": (lambda: {"w": LEAF}, r"got a dictionary with the keys \['w'\]; give list\(d.values\(\)\)"),
    "a group alone": (lambda: {"params": [LEAF]}, r"a list of dictionaries, \[\{'params'"),
    "a dictionary in a group": (lambda: [{"params": {"w": LEAF}}], "got a dictionary with the keys"),
    "a module": (lambda: layer, r"got SimpleNamespace; give its .parameters\(\)"),
    "modules": (lambda: [layer], r"params\[0\]: expected a parameter.*got SimpleNamespace"),
    "names too": (lambda: [("w", LEAF)], r"got tuple; give parameters\(\), not named_parameters\(\)"),
    "a set": (lambda: {LEAF}, "got set, which has no order"), "a string": (lambda: "w", "got str"),
    "an array": (lambda: np.ones(2), "got ndarray"), "arrays": (lambda: [np.ones(2)], "got ndarray"),
    "nothing": (lambda: [], "at least one parameter, got none"), "None": (lambda: None, "got NoneType"),
    "None in a list": (lambda: [LEAF, None], r"params\[1\]: expected a parameter.*got NoneType"),
    "a group beside a Tensor": (lambda: [{"params": LEAF}, LEAF], "expected a dictionary with the key 'params'"),
    "a group without": (lambda: [{"lr": 1.0}], "expected a dictionary with the key 'params'"),
    "twice": (lambda: [LEAF, LEAF], "a parameter comes twice"),
    "twice in groups": (lambda: [{"params": LEAF}, {"params": LEAF}], "a parameter comes twice"),
}


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("bad, message", BAD.values(), ids=BAD)
def test_what_is_no_parameter(make, bad, message):
    with pytest.raises(ValueError, match=message):
        make(bad())


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
@pytest.mark.parametrize("bad", ["a dictionary", "a module", "an array", "arrays", "a string", "None", "a set"])
def test_what_cannot_be_clipped(clip, bad):
    make, message = BAD[bad]
    with pytest.raises(ValueError, match=message.replace("params", "parameters")):
        clip(make(), 1.0)


@pytest.mark.parametrize("betas", [0.9, (0.9,), iter([0.9, 0.99]), (0.9, 0.99, 0.999), None])
def test_two_betas(betas):
    with pytest.raises(ValueError, match="expected two numbers"):
        Adam(LEAF, betas=betas)


# --- gradients whose squares are infinite

@pytest.mark.parametrize("make", [lambda p: Adam(p, lr=0.1), lambda p: AdamW(p, lr=0.1, weight_decay=0.0),
                                  lambda p: RMSprop(p, lr=0.1), lambda p: RMSprop(p, lr=0.1, centered=True),
                                  lambda p: RMSprop(p, lr=0.1, momentum=0.5), lambda p: Adam(p, lr=0.1, amsgrad=True)])
@pytest.mark.parametrize("dtype, large, ordinary", [(np.float32, 2e19, 1e15), (np.float32, 3e38, 1e15),
                                                    (np.float64, 1e160, 1e150), (np.float64, -1e300, -1e150)])
def test_one_large_gradient_leaves_nothing_behind(make, dtype, large, ordinary):
    """A step of these methods does not depend on the scale of the gradients, so a smaller one says what is right."""
    moved = []
    for g in (large, ordinary):
        p = Tensor(np.zeros(3, dtype), requires_grad=True)
        optimizer = make(p)
        for later in range(200):
            p.grad = Tensor(np.array([0.0 if later else g, 1.0, -1.0], dtype))
            optimizer.step()
            assert np.isfinite(p.data).all()
        moved.append(p.data.copy())
    np.testing.assert_allclose(*moved, rtol=1e-4)
    assert abs(moved[0][0]) > 0.09


def test_the_coordinate_goes_on_once_the_large_gradient_is_forgotten():
    p = Tensor(np.zeros(1, np.float32), requires_grad=True)
    optimizer = Adam(p, lr=0.1, betas=(0.5, 0.5))
    for k in range(160):
        p.grad = Tensor(np.array([1.0 if k else 2e19], np.float32))
        optimizer.step()
    before = p.data.copy()
    optimizer.step()
    np.testing.assert_allclose(before - p.data, 0.1, rtol=1e-3)


@pytest.mark.parametrize("dtype, large", [(np.float32, 2e19), (np.float64, 1e200)])
def test_adagrad_moves_with_a_large_gradient_and_stays_finite(dtype, large):
    p = Tensor(np.zeros(1, dtype), requires_grad=True)
    optimizer = Adagrad(p, lr=0.1)
    for k in range(9):
        p.grad = Tensor(np.array([large], dtype))
        optimizer.step()
        assert np.isfinite(optimizer.state[0]["sum"]).all()
        if not k:
            np.testing.assert_allclose(p.data, -0.1, rtol=1e-6)


@pytest.mark.parametrize("make", EVERY)
def test_an_infinite_gradient_is_not_made_finite(make):
    p = weight(gradient=(np.inf, 1.0, 1.0))
    with np.errstate(invalid="ignore"):
        make(p).step()
    assert not np.isfinite(p.data[0]) and np.isfinite(p.data[1:]).all()


# --- groups that come later, and a closure

def test_a_group_that_comes_later():
    p, q = weight(), weight()
    optimizer = SGD(p, lr=1.0, momentum=0.5)
    optimizer.step()
    optimizer.add_param_group({"params": q, "lr": 0.5})
    optimizer.step()
    assert p.data.tolist() == [1 - 3 - 4.5, 2 - 4 - 6, 0] and q.data.tolist() == [1 - 1.5, 0, 0]
    for bad, message in (({"params": p}, "comes twice"), ({"params": weight(), "beta": 1}, "no setting beta"),
                         ([weight()], "a dictionary with the key 'params'"), ({"params": weight() * 1}, "leaves")):
        with pytest.raises(ValueError, match=message):
            optimizer.add_param_group(bad)
    assert len(optimizer.param_groups) == 2


def test_a_closure_computes_the_gradient():
    p = Tensor([2.0], requires_grad=True)
    optimizer = SGD(p, lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss
    assert optimizer.step(closure).item() == 4 and p.data.tolist() == [1] and optimizer.step() is None


@pytest.mark.parametrize("given", [lambda: weight(), lambda: SimpleNamespace(data=np.ones(2), grad=np.ones(2))])
def test_gradients_are_forgotten_or_zero(given):
    p = given()
    optimizer = SGD(p)
    optimizer.zero_grad(set_to_none=False)
    assert not optim.optimizer.gradient(p).any()
    optimizer.zero_grad()
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is None
