"""Optimisers against the definition, by equation and over trajectories; laws, state, clipping, bad settings."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml import optim
from scratchml.autograd import Tensor
from scratchml.optim import first_order
from scratchml.optim.first_order import (SGD, Adagrad, Adam, AdamW, RMSprop, adam_direction, clip, clip_grad_norm_,
                                         clip_grad_value_, descend, nesterov_direction, running_mean, scaled, shrink,
                                         velocity, with_decay)
from tests.reference import first_order as reference
from tests.strategies.first_order import NAMES, seeds, trajectories

# A line of arithmetic rounds at most ten times.
ROUNDING = dict(rtol=10 * np.finfo(float).eps, atol=1e-300)
fractions = st.floats(0, 0.999)


def optimiser(name):
    return getattr(optim, name.split()[0])


def parameter(x):
    return SimpleNamespace(data=np.array(x), grad=None)


# --- equal to the definition

@given(seeds, fractions, fractions, st.integers(1, 50), st.floats(0, 10))
def test_every_equation_is_its_definition(seed, p, q, t, c):
    rng = np.random.default_rng(seed)
    x, g, s = rng.normal(size=4), rng.normal(size=4), rng.random(4)
    for ours, theirs in [
        (with_decay(g, x, p), reference.with_decay(g, x, p)), (velocity(x, g, p, q), reference.velocity(x, g, p, q)),
        (nesterov_direction(g, x, p), reference.nesterov_direction(g, x, p)),
        (descend(x, g, p), reference.descend(x, g, p)),
        (running_mean(x, g, p), reference.running_mean(x, g, p)), (shrink(x, p, q), reference.shrink(x, p, q)),
        (scaled(g, s, q + 0.01), reference.scaled(g, s, q + 0.01)), (clip(g, c, p), reference.clip(g, c, p)),
    ]:
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=4 * np.finfo(float).eps * (abs(x) + abs(g)).max())
    ours, theirs = (f(g, s, t, p, q, 0.01) for f in (adam_direction, reference.adam_direction))
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


DEFINITIONS = {"SGD": reference.sgd, "Adam": reference.adam, "Adagrad": reference.adagrad, "RMSprop": reference.rmsprop,
               "RMSprop centred": reference.rmsprop,
               "AdamW": lambda *args, **kwargs: reference.adam(*args, decoupled=True, **kwargs)}


@pytest.mark.parametrize("kind", ["array", "Tensor"])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(st.data())
def test_trajectories_are_those_of_the_definition(name, kind, data):
    options, x, gs = data.draw(trajectories(name))
    p = Tensor(x.copy(), requires_grad=True) if kind == "Tensor" else parameter(x)
    model = optimiser(name)([p], **options)
    for g in gs:
        p.grad = Tensor(g) if kind == "Tensor" else g
        model.step()
    expected = [DEFINITIONS[name](x[i], gs[:, i], **options) for i in range(len(x))]
    # Eight steps of ten roundings each; the running mean of squares divides by 1 - β, at least 0.001.
    np.testing.assert_allclose(p.data, expected, rtol=1e-11, atol=1e-11)


# --- laws

@pytest.mark.parametrize("name, make", {
    "SGD": lambda p: SGD(p, lr=0.1), "momentum": lambda p: SGD(p, lr=0.02, momentum=0.9),
    "Adam": lambda p: Adam(p, lr=0.1),
    "nesterov": lambda p: SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "AdamW": lambda p: AdamW(p, lr=0.1, weight_decay=0),
    "Adagrad": lambda p: Adagrad(p, lr=1.0), "RMSprop": lambda p: RMSprop(p, lr=0.01)}.items())
def test_goes_to_the_bottom_of_a_bowl(name, make):
    x = Tensor([3.0, -2.0], requires_grad=True)
    model = make([x])
    for _ in range(600):
        model.zero_grad()
        ((x - [1.0, 2.0]) ** 2 * [1.0, 4.0]).sum().backward()
        model.step()
    np.testing.assert_allclose(x.data, [1, 2], atol=0.03)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adagrad", "RMSprop"])
@given(seeds, st.integers(-6, 6))
def test_adaptive_steps_do_not_depend_on_the_scale_of_the_gradient(name, seed, exponent):
    gs = np.random.default_rng(seed).normal(size=(4, 3))
    ends = []
    for scale in (1.0, 2.0 ** exponent):                 # exact in floating point
        p = parameter(np.ones(3))
        model = optimiser(name)([p], eps=0.0)
        for g in gs:
            p.grad = g * scale
            model.step()
        ends.append(p.data)
    np.testing.assert_array_equal(*ends)


def test_first_step_of_adam_is_the_step_length():
    p = parameter([1.0, 1.0])
    p.grad = np.array([1e-3, -50.0])
    Adam([p], lr=0.25, eps=0.0).step()
    np.testing.assert_allclose(p.data, [0.75, 1.25], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (37,), (5, 7)])
def test_one_pass_of_adam_is_its_equations_to_the_bit(dtype, shape):
    rng = np.random.default_rng(0)
    p, m, s = parameter(rng.normal(size=shape).astype(dtype)), 0, 0
    model = Adam([p], lr=0.03, betas=(0.8, 0.99), eps=1e-3)
    for t in range(1, 6):
        x, p.grad = p.data.copy(), (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 3, shape)).astype(dtype)
        m, s = running_mean(dtype(m), p.grad, 0.8), running_mean(dtype(s), p.grad * p.grad, 0.99)
        model.step()
        np.testing.assert_array_equal(p.data, descend(x, adam_direction(m, s, t, 0.8, 0.99, 1e-3), 0.03))
        for found, expected in zip((model.state[0]["exp_avg"], model.state[0]["exp_avg_sq"]), (m, s)):
            assert found.dtype == dtype and found.shape == shape and (found == expected).all()


@pytest.mark.parametrize("make, decays, shrinks", [(Adam, True, False), (AdamW, False, True)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decay_in_the_one_pass_is_its_equation_to_the_bit(make, decays, shrinks, dtype):
    """And gradients too large to be squared; the gradient itself stays as it is, and the array is the same one."""
    rng, most = np.random.default_rng(1), np.sqrt(np.finfo(dtype).max) / 2
    p, m, s = parameter(rng.normal(size=(3, 5)).astype(dtype)), 0, 0
    array, model = p.data, make([p], lr=0.03, betas=(0.8, 0.99), weight_decay=0.7)
    for t, largest in enumerate((1.0, 0.6 * most, 1.5 * most, 1e3 * most, 1.0), 1):
        x, g = p.data.copy(), rng.normal(size=(3, 5)).astype(dtype)
        g[1, 2], g[2, 4] = largest, -largest
        p.grad, kept = g, g.copy()
        g = np.clip(with_decay(g, x, 0.7) if decays else g, -most, most)
        m, s = running_mean(dtype(m), g, 0.8), running_mean(dtype(s), g * g, 0.99)
        model.step()
        y = shrink(x, 0.03, 0.7) if shrinks else x
        np.testing.assert_array_equal(p.data, descend(y, adam_direction(m, s, t, 0.8, 0.99, 1e-8), 0.03))
        assert p.data is array and (p.grad == kept).all()


@pytest.mark.parametrize("change", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2]])
def test_adam_moves_a_parameter_however_it_lies_in_memory(change):
    whole, turned = (parameter(made(np.arange(6.0).reshape(2, 3))) for made in (np.array, change))
    for p in (whole, turned):
        model = Adam([p], lr=0.1)
        for g in ([[1, 2, 3], [4, 5, 6]], [[0, -9, 0], [1, 1, 1]]):
            p.grad = np.array(g, float)
            model.step()
    np.testing.assert_array_equal(whole.data, turned.data)


def test_a_parameter_without_dimensions_is_moved_as_one_of_one_entry():
    one, row = parameter(np.float32(2.0)), parameter(np.array([2.0], np.float32))
    models = Adam([one], lr=0.1), Adam([row], lr=0.1)
    for g in (0.3, -7.0, 1e-4):
        for p, model in zip((one, row), models):
            p.grad = np.full(p.data.shape, g, np.float32)
            model.step()
    assert one.data.shape == () and one.data == row.data[0]


@pytest.mark.parametrize("amsgrad, dtype", [(False, np.float64), (True, np.float32)])
def test_what_the_one_pass_of_adam_is_not_made_for_goes_by_the_equations(amsgrad, dtype):
    """Gradients in another precision than the parameter, and the largest s so far in place of the last."""
    p, m, s, most = parameter(np.array([1.0, -2.0], np.float32)), 0, 0, 0
    model = Adam([p], lr=0.03, amsgrad=amsgrad)
    for t, g in enumerate([[3.0, 0.1], [0.1, 0.2], [0.01, -5.0]], 1):
        x, p.grad = p.data.copy(), np.array(g, dtype)
        m, s = running_mean(dtype(m), p.grad, 0.9), running_mean(dtype(s), p.grad * p.grad, 0.999)
        most = np.maximum(most, s) if amsgrad else s
        model.step()
        expected = descend(x, adam_direction(m, most, t, 0.9, 0.999, 1e-8), 0.03)
        np.testing.assert_array_equal(p.data, expected.astype(np.float32))
        assert model.state[0]["exp_avg"].dtype == dtype


def test_adam_goes_on_in_another_precision_and_another_order_of_memory():
    rng = np.random.default_rng(0)
    x, gs = rng.normal(size=(3, 4)), rng.normal(size=(4, 3, 4))
    plain, other = parameter(x), parameter(np.asfortranarray(x, np.float32))
    models = Adam([plain], lr=0.1), Adam([other], lr=0.1)
    for t, g in enumerate(gs):
        if t == 2:
            other.data = np.asfortranarray(other.data, np.float64)
        if t == 3:
            other.data = np.asfortranarray(other.data[::-1])[::-1]
        for p, model in zip((plain, other), models):
            p.grad = np.asfortranarray(g, p.data.dtype)
            model.step()
    assert models[1].state[0]["exp_avg"].dtype == np.float64
    np.testing.assert_allclose(other.data, plain.data, rtol=1e-5)


def test_decay_of_adamw_is_not_divided_but_that_of_adam_is():
    for cls, expected in ((AdamW, 10 - 0.1 * 0.5 * 10), (Adam, 10 - 0.1)):
        p = parameter([10.0])
        p.grad = np.zeros(1)
        cls([p], lr=0.1, weight_decay=0.5).step()
        np.testing.assert_allclose(p.data, expected, rtol=1e-8)


# --- what is moved

def test_parameters_without_a_gradient_are_left_alone():
    a, b = parameter([1.0]), parameter([1.0])
    model = Adam([a, b])
    a.grad = np.ones(1)
    model.step()
    assert b.data.tolist() == [1] and list(model.state) == [0] and a.data[0] < 1


def test_the_array_itself_is_moved():
    array = np.ones(3, np.float32)
    x = Tensor(array, requires_grad=True)
    x.sum().backward()
    AdamW([x]).step()
    assert np.shares_memory(x.data, array) and array[0] < 1 and array.dtype == np.float32


def test_a_graph_made_before_the_step_is_not_swept():
    x = Tensor([1.0, 2.0], requires_grad=True)
    early = (x * x).sum()
    (x * x).sum().backward()
    SGD([x], lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        early.backward()


def test_the_callers_gradients_stay_as_they_are():
    for name in NAMES:
        p, g = parameter(np.ones(2)), np.array([1.0, 2.0])
        p.grad = g
        model = optimiser(name)([p], **({"momentum": 0.9} if "SGD" in name else {}))
        for _ in range(3):
            model.step()
        assert g.tolist() == [1, 2]


def test_groups_have_settings_of_their_own():
    a, b = parameter([1.0]), parameter([1.0])
    model = SGD([{"params": [a], "lr": 0.5}, {"params": [b]}], lr=0.25)
    a.grad = b.grad = np.ones(1)
    model.step()
    assert (a.data[0], b.data[0]) == (0.5, 0.75)
    model.zero_grad()
    assert a.grad is None and b.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_state_restored_goes_on_with_the_same_bits(name):
    rng = np.random.default_rng(0)
    gs, options = rng.normal(size=(6, 2, 3)), {"momentum": 0.9} if name[:3] in ("SGD", "RMS") else {}
    whole, half = [[parameter(np.ones(3)), parameter(np.zeros(3))] for _ in range(2)]
    first, second = optimiser(name)(whole, **options), optimiser(name)(half, **options)

    def steps(model, parameters, gs):
        for pair in gs:
            for p, g in zip(parameters, pair):
                p.grad = g
            model.step()
    steps(first, whole, gs)
    steps(second, half, gs[:3])
    kept = second.state_dict()
    restored = optimiser(name)(half, lr=77.0)
    restored.load_state_dict(kept)
    steps(restored, half, gs[3:])
    for a, b in zip(whole, half):
        np.testing.assert_array_equal(a.data, b.data)


def test_kept_state_is_a_copy():
    p = parameter([1.0])
    p.grad = np.ones(1)
    model = Adam([p])
    model.step()
    kept = model.state_dict()
    before = kept["state"][0]["exp_avg"].copy()
    model.step()
    kept["param_groups"][0]["lr"] = 5.0
    np.testing.assert_array_equal(kept["state"][0]["exp_avg"], before)
    assert kept["state"][0]["step"] == 1 and kept["param_groups"][0]["params"] == [0]
    assert model.param_groups[0]["lr"] == 1e-3


def test_state_of_other_parameters_is_refused():
    model = Adam([parameter([1.0])])
    with pytest.raises(ValueError, match=r"expected groups of \[1\] parameter\(s\), got \[2\]"):
        model.load_state_dict(Adam([parameter([1.0]), parameter([1.0])]).state_dict())
    other = Adam([p := parameter([1.0, 2.0])])
    p.grad = np.ones(2)
    other.step()
    for wrong, message in [([], "expected a dictionary"), ({"state": {}}, "keys 'state' and 'param_groups'"),
                           (SGD([parameter([1.0])]).state_dict(), "the settings differ in betas, .*than Adam"),
                           ({**model.state_dict(), "state": {1: {}}}, "state of parameter 1, of 1")]:
        with pytest.raises(ValueError, match=message):
            model.load_state_dict(wrong)
    with pytest.raises(ValueError, match=r"exp_avg of parameter 0 has shape \(2,\), the parameter \(1,\)"):
        model.load_state_dict(other.state_dict())


# --- clipping

@given(seeds, st.floats(0.01, 20), st.sampled_from([1.0, 2.0, 3.0, np.inf]))
def test_gradients_are_clipped_together(seed, limit, norm_type):
    rng = np.random.default_rng(seed)
    ps = [parameter(np.zeros((2, 3))), parameter(np.zeros(4)), parameter(np.zeros(1))]
    for p in ps[:2]:
        p.grad = rng.normal(size=p.data.shape)
    before = np.concatenate([p.grad.ravel() for p in ps[:2]])
    n = clip_grad_norm_(ps, limit, norm_type)
    after = np.concatenate([p.grad.ravel() for p in ps[:2]])
    stated = abs(before).max() if norm_type == np.inf else (abs(before) ** norm_type).sum() ** (1 / norm_type)
    np.testing.assert_allclose(n, stated, rtol=1e-13)
    np.testing.assert_allclose(after, reference.clip(before, n, limit), rtol=1e-13)
    assert np.linalg.norm(after, norm_type) <= limit * (1 + 1e-12) and ps[2].grad is None


def test_clipping_of_tensors():
    x = Tensor(np.float32([3.0, 4.0]), requires_grad=True)
    (x * x / 2).sum().backward()
    assert clip_grad_norm_([x], 1.0) == 5
    np.testing.assert_allclose(x.grad.data, [0.6, 0.8], rtol=1e-6)
    clip_grad_value_([x], 0.7)
    np.testing.assert_allclose(x.grad.data, [0.6, 0.7], rtol=1e-6)
    assert x.grad.dtype == np.float32 and clip_grad_norm_([], 1.0) == 0


def test_the_norm_of_float32_is_that_of_float64():
    """Where squares overflow or vanish in float32, for what is read-only or lies by columns."""
    x = parameter(np.zeros((2, 2), np.float32))
    for scale in (2.0**-100, 1.0, 2.0**100):
        x.grad = np.asfortranarray(np.float32([[3, 0], [0, 4]]) * np.float32(scale))
        x.grad.flags.writeable = False
        assert clip_grad_norm_([x], np.inf) == 5 * scale
    assert clip_grad_norm_([x], 6 * scale) == 5 * scale
    assert x.grad.tolist() == [[3 * scale, 0], [0, 4 * scale]]
    thirds = parameter(np.zeros(100, np.float32))
    thirds.grad = np.float32(np.arange(100) / 3)
    np.testing.assert_allclose(clip_grad_norm_([thirds], np.inf), np.sqrt((thirds.grad.astype(float)**2).sum()), 1e-14)
    clip_grad_norm_([x], scale)
    np.testing.assert_allclose(x.grad, np.array([[0.6, 0], [0, 0.8]]) * scale, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_an_error(value):
    a, b = parameter([1.0]), parameter([1.0])
    a.grad, b.grad = np.ones(1), np.array([value])
    with pytest.raises(ValueError, match=r"that of gradient\(s\) \[1\] not finite"):
        clip_grad_norm_([a, b], 1.0)
    assert a.grad.tolist() == [1]


def test_clipping_before_the_step_of_a_generator_of_parameters():
    ps = [parameter([0.0]) for _ in range(2)]
    for p in ps:
        p.grad = np.array([9.0])
    clip_grad_value_((p for p in ps), 2.0)
    assert [p.grad[0] for p in ps] == [2, 2]


# --- bad settings

P = [parameter([1.0])]


@pytest.mark.parametrize("make, message", [
    (lambda: SGD([]), "params: expected at least one parameter"), (lambda: SGD(P * 2), "comes twice"),
    (lambda: SGD(P, lr=-1), "lr=-1: expected"),
    (lambda: SGD(P, momentum=1.0), "momentum=1.0: expected a number of at least 0 and below 1"),
    (lambda: Adam(P, betas=(0.9, 1.0)), r"betas\[1\]=1.0"),
    (lambda: SGD(P, nesterov=True), "nesterov=True: expected momentum > 0"), (lambda: Adam(P, eps=np.nan), "eps=nan"),
    (lambda: SGD(P, momentum=0.5, nesterov=True, dampening=0.1), "dampening=0.1"),
    (lambda: RMSprop(P, alpha=1.5), "alpha=1.5"),
    (lambda: Adam([{"params": P, "momentum": 0.9}]), "Adam has no setting momentum"),
    (lambda: Adagrad(P, weight_decay="a"), "weight_decay='a'"),
    (lambda: clip_grad_norm_(P, -1.0), "max_norm=-1.0"), (lambda: clip_grad_norm_(P, 1.0, 0), "norm_type=0"),
    (lambda: clip_grad_value_(P, np.inf), "clip_value=inf"),
])
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_gradient_of_another_shape():
    p = parameter([1.0, 2.0])
    p.grad = np.ones(1)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(2,\), its gradient \(1,\)"):
        SGD([p]).step()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, dict(weight_decay=0.1), dict(momentum=0.7), dict(momentum=0.7, dampening=0.2),
                                     dict(momentum=0.7, weight_decay=0.1), dict(momentum=0.7, nesterov=True)])
def test_the_loop_of_sgd_has_the_bits_of_its_equations(dtype, options):
    rng = np.random.default_rng(2)
    start, gs = rng.normal(size=(3, 37)).astype(dtype), rng.normal(size=(4, 3, 37)).astype(dtype)
    whole, turned = (parameter(start.copy()) for _ in range(2))
    turned.data = np.asfortranarray(start)               # no loop over memory takes this one
    models = [SGD(p, lr=0.3, **options) for p in (whole, turned)]
    address = np.asarray(whole.data).ctypes.data
    for g in gs:
        for p, model in zip((whole, turned), models):
            p.grad = g.copy()
            model.step()
            assert (p.grad == g).all() and p.data.dtype == dtype
        np.testing.assert_array_equal(whole.data, turned.data)
    assert np.asarray(whole.data).ctypes.data == address
    for name in ("momentum_buffer",) if "momentum" in options else ():
        np.testing.assert_array_equal(models[0].state[0][name], models[1].state[0][name])


def test_sgd_of_a_velocity_of_zeros_whose_gradient_is_infinite():
    p = parameter(np.array([np.inf, 1.0]))
    p.grad = np.array([0.0, np.inf])
    SGD(p, lr=0.5).step()
    assert p.data.tolist() == [np.inf, -np.inf]          # 0 times an infinite weight is not added
