"""Every operation against NumPy and against finite differences, once and twice; ties, kinks, bad arguments."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from scratchml.autograd import Tensor, composed, grad, gradcheck, gradgradcheck, ops
from scratchml.autograd.plain import Plain
from scratchml.autograd.table import only
from tests.strategies.autograd import AT_THE_EDGE, NAMES, cases

each_operation = pytest.mark.parametrize("name", NAMES)


class Ours:
    """The operations, and how they take arrays of int and bool."""
    indices = staticmethod(np.array)
    mask = staticmethod(np.asarray)

    def __getattr__(self, name):
        return getattr(ops if hasattr(ops, name) else composed, name)


def tensors(arrays):
    return tuple(Tensor(array, requires_grad=True) for array in arrays)


# --- all operations

@each_operation
@settings(max_examples=15)
@given(st.data())
def test_derivatives_agree_with_finite_differences(name, data):
    f, arrays = data.draw(cases(name))
    assert gradcheck(lambda *xs: f(Ours(), *xs), tensors(arrays), rtol=1e-6)


@each_operation
@settings(max_examples=8)
@given(st.data())
def test_second_derivatives_agree_with_finite_differences(name, data):
    f, arrays = data.draw(cases(name))
    many = sum(array.size for array in arrays) > 12
    assert gradgradcheck(lambda *xs: f(Ours(), *xs), tensors(arrays), rtol=1e-6, fast_mode=many)


@each_operation
@settings(max_examples=15)
@given(st.data())
def test_float32_stays_float32(name, data):
    f, arrays = data.draw(cases(name, dtype=np.float32))
    xs = tensors(arrays)
    y = f(Ours(), *xs)
    assert type(y.detach().numpy()) is np.ndarray and y.dtype == np.float32
    for x, g in zip(xs, grad(y, xs, grad_outputs=np.ones(y.shape))):
        assert g.dtype == np.float32 and g.shape == x.shape


@each_operation
@settings(max_examples=10)
@given(st.data())
def test_values_and_arrays_are_those_without_a_graph(name, data):
    f, arrays = data.draw(cases(name))
    before = [array.copy() for array in arrays]
    watched = f(Ours(), *tensors(arrays))
    np.testing.assert_array_equal(f(Ours(), *map(Tensor, arrays)).numpy(), watched.data)
    watched.sum().backward()
    for array, kept in zip(arrays, before):
        np.testing.assert_array_equal(array, kept)


# --- at the edge

def test_an_index_that_takes_nothing():
    x = Tensor(np.ones((5, 3)), requires_grad=True)
    for at in (np.zeros(0, int), np.zeros((2, 0), int), []):
        x[at].sum().backward()
        assert not x.grad.data.any()


@pytest.mark.parametrize("name", AT_THE_EDGE)
def test_nothing_is_lost_at_infinities_kinks_and_ties(name):
    """No warning, no NaN; gradients of all are tested in tests/peers."""
    f, array = AT_THE_EDGE[name]
    x = Tensor(array, requires_grad=True)
    y = f(Ours(), x)
    assert not np.isnan(y.data).any()
    g, = grad(y, x, grad_outputs=np.ones(y.shape))
    assert not np.isnan(g.data).any()


@pytest.mark.parametrize("f, at, expected", [
    (lambda x: x.relu(), [0.0], [0]), (lambda x: x.abs(), [0.0, -0.0], [0, 0]),
    (lambda x: ops.leaky_relu(x, 0.3), [0.0], [0.3]),
    (lambda x: x.clamp(-1, 2), [-1.0, 2.0, 2.5], [1, 1, 0]), (lambda x: x ** 0, [0.0], [0]),
    (lambda x: x.max(), [3.0, 1, 3, 3], [1 / 3, 0, 1 / 3, 1 / 3]),
    (lambda x: x.amin(0), [3.0, 1, 3, 1], [0, 1 / 2, 0, 1 / 2]),
    (lambda x: x.reshape(2, 2).amax(1), [3.0, 1, 2, 2], [1, 0, 1 / 2, 1 / 2]),
    (lambda x: x.reshape(2, 2).max((0, 1), True), [3.0, 1, 2, 3], [1 / 2, 0, 0, 1 / 2]),
    (lambda x: ops.maximum(x, 2.0), [1.0, 2, 3], [0, 1 / 2, 1]),
    (lambda x: ops.minimum(2.0, x), [1.0, 2, 3], [1, 1 / 2, 0]),
    (lambda x: x.logsumexp(), [-np.inf, -np.inf], [0, 0]), (lambda x: x.logsumexp(), [-np.inf, 0.0], [0, 1]),
    (lambda x: x.max(), [1.0, np.nan, 2], [0, 1, 0]), (lambda x: x[[0, 0]] * x[0], [3.0, 5.0], [12, 0]),
])
def test_stated_derivatives(f, at, expected):
    x = Tensor(at, requires_grad=True)
    f(x).sum().backward()
    np.testing.assert_allclose(x.grad.data, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_masked_hands_back_zero_whatever_it_is(dtype):
    """The rest comes back bit for bit; masks may broadcast, entries lie anywhere in memory."""
    special = np.array([np.inf, -np.inf, np.nan, -0.0, -3.5, 1e-40], dtype)
    g = np.stack([special, special[::-1]], axis=1)[::-1]
    for x, mask in ((g, g == g), (g, g > 0), (g.T, np.arange(6) % 2 == 0), (g, np.array([[True], [False]] * 3)),
                    (special[2:3].reshape(()), np.array(False)), (g[:0], np.array([True, False]))):
        expected = np.where(mask, x, x.dtype.type(0))
        found = only(Tensor(x), mask).data
        assert found.dtype == dtype and found.shape == x.shape and found.tobytes() == expected.tobytes()


def test_a_power_of_zero_by_its_exponent():
    a, b = Tensor([0.0, 0.0, 2.0], requires_grad=True), Tensor([2.0, 0.0, 3.0], requires_grad=True)
    (a ** b).sum().backward()
    np.testing.assert_allclose(a.grad.data, [0, 0, 12])
    np.testing.assert_allclose(b.grad.data, [0, 0, 8 * np.log(2)])


def test_values_at_infinity():
    low = Tensor([-np.inf, -np.inf])
    assert low.logsumexp().item() == -np.inf and Tensor([np.inf, 1.0]).logsumexp().item() == np.inf
    np.testing.assert_array_equal(Tensor([-1e4, 1e4]).sigmoid().data, [0, 1])
    np.testing.assert_array_equal(ops.softplus(Tensor([-1e4, 1e4])).data, [0, 1e4])
    np.testing.assert_allclose(ops.softplus(Tensor([-40.0])).data, np.exp(-40), rtol=1e-15)


# --- against NumPy

A, B = np.random.default_rng(0).normal(size=(2, 2, 3))
VALUES = {
    "neg": (lambda a, b: -a, -A), "sub": (lambda a, b: a - b, A - B), "div": (lambda a, b: a / b, A / B),
    "add": (lambda a, b: a + b, A + B), "mul": (lambda a, b: a * b, A * B),
    "pow": (lambda a, b: a.abs() ** b, abs(A) ** B),
    "exp": (lambda a, b: a.exp(), np.exp(A)), "log": (lambda a, b: a.abs().log(), np.log(abs(A))),
    "log1p": (lambda a, b: a.abs().log1p(), np.log1p(abs(A))), "sqrt": (lambda a, b: a.abs().sqrt(), np.sqrt(abs(A))),
    "tanh": (lambda a, b: a.tanh(), np.tanh(A)), "sigmoid": (lambda a, b: a.sigmoid(), 1 / (1 + np.exp(-A))),
    "relu": (lambda a, b: a.relu(), A * (A > 0)),
    "leaky_relu": (lambda a, b: a.leaky_relu(), np.where(A > 0, A, A / 100)),
    "softplus": (lambda a, b: a.softplus(), np.log1p(np.exp(A))),
    "clamp": (lambda a, b: a.clamp(-0.5, 0.6), A.clip(-0.5, 0.6)),
    "clamp above": (lambda a, b: a.clamp(max=0.1), np.minimum(A, 0.1)), "clamp below": (
        lambda a, b: a.clamp(min=0.1), np.maximum(A, 0.1)),
    "maximum": (lambda a, b: ops.maximum(a, b), np.maximum(A, B)),
    "minimum": (lambda a, b: ops.minimum(a, b), np.minimum(A, B)),
    "where": (lambda a, b: ops.where(A > B, a, b), np.maximum(A, B)), "masked_fill": (
        lambda a, b: a.masked_fill(A < 0, 0), A * (A > 0)),
    "sum": (lambda a, b: a.sum(), A.sum()), "mean": (lambda a, b: a.mean(1, True), A.mean(1, keepdims=True)),
    "var": (lambda a, b: a.var(0), A.var(0, ddof=1)), "max": (lambda a, b: a.amax(1), A.max(1)), "min": (
        lambda a, b: a.min((0, 1)), A.min()),
    "cumsum": (lambda a, b: a.cumsum(1), A.cumsum(1)),
    "logsumexp": (lambda a, b: a.logsumexp(0), np.log(np.exp(A).sum(0))),
    "softmax": (lambda a, b: a.softmax(1), np.exp(A) / np.exp(A).sum(1, keepdims=True)),
    "log_softmax": (lambda a, b: a.log_softmax(-1), A - np.log(np.exp(A).sum(1, keepdims=True))),
    "matmul": (lambda a, b: a @ b.T, A @ B.T), "mT": (lambda a, b: a.mT, A.T), "einsum": (
        lambda a, b: ops.einsum("ij,ij->i", a, b), (A * B).sum(1)),
    "reshape": (lambda a, b: a.reshape(3, -1), A.reshape(3, 2)), "permute": (lambda a, b: a.permute(1, 0), A.T),
    "transpose": (lambda a, b: a.transpose(0, -1), A.T), "unsqueeze": (lambda a, b: a.unsqueeze(-1), A[:, :, None]),
    "squeeze": (lambda a, b: a[:1].squeeze(), A[0]), "expand": (lambda a, b: a.expand(4, -1, 3), np.stack([A] * 4)),
    "flip": (lambda a, b: a.flip((0, 1)), A[::-1, ::-1]), "index": (lambda a, b: a[1, [0, 0, 2]], A[1, [0, 0, 2]]),
    "gather": (lambda a, b: a.gather(0, np.array([[1, 0, 1]])), [[A[1, 0], A[0, 1], A[1, 2]]]),
    "concatenate": (lambda a, b: ops.concatenate([a, b], 1), np.hstack([A, B])), "stack": (
        lambda a, b: ops.stack([a, b], -1), np.dstack([A, B])),
    "split": (lambda a, b: ops.split(a, 2, 1)[1], A[:, 2:]), "pad": (
        lambda a, b: ops.pad(a, (1, 0, 0, 2), 5.0), np.pad(A, [(0, 2), (1, 0)], constant_values=5)),
}


@pytest.mark.parametrize("f, expected", VALUES.values(), ids=VALUES)
def test_values(f, expected):
    y = f(Tensor(A), Tensor(B))
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y.data, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("ours, numpys", [
    (lambda x: x.argmax(1), lambda a: a.argmax(1)), (lambda x: x.argmin(), lambda a: a.argmin()),
    (lambda x: ops.argmax(x, 0, True), lambda a: a.argmax(0, keepdims=True)),
    (lambda x: x > 0, lambda a: a > 0), (lambda x: x >= x, lambda a: a >= a), (lambda x: x < 0.5, lambda a: a < 0.5),
    (lambda x: x <= 0.5, lambda a: a <= 0.5), (lambda x: x == x, lambda a: a == a),
    (lambda x: x != 0, lambda a: a != 0),
    (lambda x: 0.5 < x, lambda a: a > 0.5), (lambda x: np.zeros((2, 3)) < x, lambda a: a > 0),
])
def test_what_has_no_derivative_is_a_plain_array(ours, numpys):
    a = np.random.default_rng(0).normal(size=(2, 3))
    result = ours(Tensor(a, requires_grad=True))
    assert not isinstance(result, Tensor)
    np.testing.assert_array_equal(result, numpys(a))


PLAIN = [np.exp, np.log1p, np.sqrt, np.abs, np.tanh, np.negative, np.square, np.positive, np.sum, np.mean, np.var,
         np.max, np.min, np.cumsum, np.ravel, np.transpose, np.squeeze, np.flip]
WITH_ARGUMENTS = {
    "add": lambda x: np.add(x, 1.0), "array + x": lambda x: np.arange(3.0) + x,
    "array @ x": lambda x: np.ones((2, 2)) @ x,
    "array - x": lambda x: np.ones((2, 1)) - x, "array / x": lambda x: np.ones((2, 1)) / x,
    "array * x": lambda x: np.arange(3) * x,
    "array ** x": lambda x: np.full(3, 2.0) ** x, "number * x": lambda x: np.float64(3) * x,
    "x @ array": lambda x: x @ np.ones((3, 2)),
    "x ** array": lambda x: x ** np.array([1.0, 2, 3]), "x - array": lambda x: x - np.arange(3),
    "x + list": lambda x: x + [1, 2, 3],
    "sum": lambda x: np.sum(x, axis=0, keepdims=True), "mean": lambda x: np.mean(x, 1),
    "var": lambda x: np.var(x, axis=1, ddof=1),
    "max": lambda x: np.max(x, axis=1), "min": lambda x: np.min(x, 0, keepdims=True),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "clip": lambda x: np.clip(x, 0.3, 0.8), "where": lambda x: np.where(np.eye(2, 3) > 0, x, 2.0),
    "power": lambda x: np.power(x, 3),
    "reshape": lambda x: np.reshape(x, (3, 2)), "permuted": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, 1), "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "concatenate": lambda x: np.concatenate([x, np.ones((2, 1))], axis=1), "stack": lambda x: np.stack([x, x], axis=2),
    "dot": lambda x: np.dot(np.ones((4, 2)), x), "einsum": lambda x: np.einsum("ij,ik->jk", x, x),
    "divide": lambda x: np.divide(1, x),
    "maximum": lambda x: np.maximum(x, 0.5), "minimum": lambda x: np.minimum(0.5, x),
    "matmul": lambda x: np.matmul(x, np.ones((3, 1))),
    "subtract": lambda x: np.subtract(1, x), "multiply": lambda x: np.multiply(x, x), "flip": lambda x: np.flip(x, 1),
    "abs": abs,
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0), axis=0),
}


@pytest.mark.parametrize("f", [*PLAIN, *WITH_ARGUMENTS.values()], ids=[*(f.__name__ for f in PLAIN), *WITH_ARGUMENTS])
def test_numpys_functions_work(f):
    a = np.random.default_rng(0).uniform(0.1, 1, (2, 3))
    x = Tensor(a, requires_grad=True)
    y = f(x)
    assert isinstance(y, Tensor) and y.requires_grad
    np.testing.assert_allclose(y.data, f(a), rtol=1e-14)
    assert gradcheck(f, x)


@pytest.mark.parametrize("f, message", [
    (np.sinh, "sinh of a Tensor: it has no row"), (lambda x: np.float_power(x, 2), "float_power"),
    (np.sort, "sort of a Tensor: it has no row"), (np.linalg.det, "det of a Tensor"),
    (np.add.reduce, "only a plain call"), (lambda x: np.exp(x, out=np.empty((2, 3))), "out is not supported"),
    (lambda x: np.sum(x, where=np.eye(2, 3) > 0), "these arguments are not supported"),
    (np.asarray, r"t.detach\(\).numpy\(\)"),
    (np.array, "not turned into an array in silence"),
    (lambda x: np.dot(x, np.ones((2, 3, 2))), "dot of a Tensor: matmul"),
    (lambda x: np.ones((2, 3)).__iadd__(x), "out is not supported"), (np.float64, "in silence|only"),
    (lambda x: np.zeros((2, 3)).__setitem__(slice(None), x), "in silence"), (np.median, "median of a Tensor"),
])
def test_numpys_functions_refuse(f, message):
    with pytest.raises(TypeError, match=message):
        f(Tensor(np.ones((2, 3)), requires_grad=True))


def test_numpys_questions_are_answered():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    assert np.shape(x) == (2, 3) and np.argmax(x) == 0
    assert np.isfinite(x).all() and np.allclose(x, 1) and np.greater(x, 0).all()
    np.testing.assert_array_equal(np.asarray(Tensor([1.0, 2.0])), [1, 2])


# --- kinds of operands

def test_numbers_take_the_dtype_of_the_tensor():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    for y in (x * 2, 2.0 * x, x + np.float64(1), x / True, x ** 2, 2 ** x, x * np.arange(2), np.float64(2) * x,
              x.masked_fill([True, False], 0), ops.where(np.array([True, False]), x, 0.0), ops.maximum(0.5, x),
              ops.concatenate([[1, 2], x])):
        assert y.dtype == np.float32
    assert (x * np.ones(2)).dtype == np.float64 and x.to(np.float64).dtype == np.float64 and x.to("float32") is x


# --- bad arguments

X = Tensor(np.ones((2, 3)))


@pytest.mark.parametrize("f, message", [
    (lambda: X.sum(2), r"dim=2: expected a whole number from -2 to 1, for 2 dimension\(s\)"),
    (lambda: X.sum((0, -2)), "names a dimension twice"),
    (lambda: X.softmax(0.5), "dim=0.5: expected a whole number"),
    (lambda: X.permute(0, 0), r"dims=\(0, 0\): expected each of 2 dimensions once"),
    (lambda: X @ X, r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit"),
    (lambda: X @ 2.0, r"matmul: shapes \(2, 3\) and \(\)"),
    (lambda: X.clamp(), "clamp: expected min, max or both"),
    (lambda: ops.where(np.ones(3), X, X), "expected an array of bool, got dtype float64"),
    (lambda: X.masked_fill(np.ones(3, int), 0), "expected an array of bool, got dtype int64"),
    (lambda: X[X], "got a Tensor of floats"),
    (lambda: X.gather(0, [0, 1]), r"expected an array of int with 2 dimension\(s\), got int64 with 1"),
    (lambda: ops.stack([]), "at least one, got none"),
    (lambda: ops.concatenate([]), "at least one, got none"),
    (lambda: ops.stack([X, X[0]]), r"expected one shape, got \[\(2, 3\), \(3,\)\]"),
    (lambda: X.split([1, 1], 1), r"split_size=\[1, 1\]: sums to 2, dimension 1 has length 3"),
    (lambda: ops.pad(X, (1,)), "expected a pair"),
    (lambda: ops.pad(X, (1, -1)), "whole numbers >= 0"),
    (lambda: X.to(np.float16), "expected float32, float64, a type of whole numbers or bool"),
    (lambda: ops.einsum("ij,jk", X), r"has 2 operand\(s\), 1 came"),
    (lambda: ops.einsum("ijk->i", X), r"operand 0 has shape \(2, 3\)"),
    (lambda: ops.einsum("ii->i", X), "'i' stands for 2 and for 3"), (lambda: X.split(0), "split_size=0"),
    (lambda: X.reshape(4), "reshape"),
])
def test_bad_arguments(f, message):
    with pytest.raises(ValueError, match=message):
        f()


# --- arguments as they come

@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
@pytest.mark.parametrize("pick", [lambda x, i: x[i], lambda x, i: x[i, np.zeros_like(i)], lambda x, i: x[:, i[:2]],
                                  lambda x, i: ops.gather(x, 0, i[:, None])])
def test_narrow_whole_numbers_as_indices(dtype, pick):
    at = np.array([104, 101, 108, 108, 111], dtype)
    x = Tensor(np.random.default_rng(0).normal(size=(300, 300)), requires_grad=True)
    ours, = grad(pick(x, at).sum(), x)
    wide, = grad(pick(x, at.astype(np.int64)).sum(), x)
    assert ours.data.sum() in (5 * 300, 5, 2 * 300)
    np.testing.assert_array_equal(ours.data, wide.data)


def test_an_index_beyond_every_signed_number():
    with pytest.raises(IndexError):
        Tensor(np.ones(3), requires_grad=True)[np.array([2**64 - 1], np.uint64)]


@pytest.mark.parametrize("f, expected", [
    (lambda x: x.sum(0), 2), (lambda x: x.mean(-1), 2), (lambda x: x.max(), 2), (lambda x: x.amin((0,)), 2),
    (lambda x: x.logsumexp(0), 2), (lambda x: x.softmax(0), 1), (lambda x: x.log_softmax(-1), 0),
    (lambda x: x.cumsum(0), 2), (lambda x: x.var(False), 0),
])
def test_a_number_has_a_dimension_0(f, expected):
    y = f(Tensor(2.0, requires_grad=True))
    assert y.shape == () and y.item() == expected
    y.backward()


def test_over_nothing():
    nothing = Tensor(np.ones((3, 0)))
    assert nothing.softmax(1).shape == nothing.log_softmax(1).shape == (3, 0)
    assert nothing.logsumexp(1).data.tolist() == [-np.inf] * 3
    assert nothing.sum(1).data.tolist() == [0, 0, 0] and nothing.T.softmax(0).shape == (0, 3)
    for f in (ops.amax, ops.amin, ops.argmax, ops.argmin):
        with pytest.raises(ValueError, match=r"nothing to take it of, over dimension\(s\) \(1,\) of shape \(3, 0\)"):
            f(nothing, 1)
    assert ops.amax(nothing, 0).shape == (0,)


@pytest.mark.parametrize("use, message", [
    (lambda x: ops.concatenate(x), r"expected a sequence of Tensors, got one, of shape \(2, 2\)"),
    (lambda x: ops.stack(x), "expected a sequence of Tensors, got one"),
    (lambda x: x.softmax(True), "dim=True: expected a whole number"), (lambda x: x.sum(False), "dim=False"),
    (lambda x: x.sum().sum(1), "dim=1: expected a Tensor with dimensions, got one number"),
    (lambda x: x.permute(iter([1, 0])), "expected a whole number"),
])
def test_arguments_that_are_none(use, message):
    with pytest.raises(ValueError, match=message):
        use(Tensor(np.ones((2, 2))))


def test_iterators_are_read_once():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert [y.shape for y in x.split(iter([1, 2]), 1)] == [(2, 1), (2, 2)]
    assert ops.pad(x, iter([1, 2])).shape == (2, 6)
    assert ops.concatenate(iter([x, x])).shape == ops.stack((t for t in (x, x))).reshape(4, 3).shape == (4, 3)


def test_the_variance_that_is_unbiased_or_not():
    x = Tensor(np.array([[1.0, 2.0], [4.0, 9.0]]))
    assert x.var(False).item() == np.var(x.data) and x.var(True).item() == np.var(x.data, ddof=1)
    np.testing.assert_array_equal(x.var(1, unbiased=False).data, np.var(x.data, 1))
    np.testing.assert_array_equal(x.var(0, False).data, np.var(x.data, 0))


def test_bounds_of_many_numbers():
    x, low = Tensor([1.0, 2.0, 3.0], requires_grad=True), Tensor([2.0, 0.0, 3.0], requires_grad=True)
    y = x.clamp(low, np.array([9.0, 1.0, 9.0]))
    assert y.data.tolist() == [2, 1, 3]
    y.sum().backward()
    assert x.grad.data.tolist() == [0, 0, 1] and low.grad.data.tolist() == [1, 0, 0]


def test_nothing_equals_none():
    x = Tensor([1.0, 2.0])
    assert (x == None) is False and (x != None) is True                       # noqa: E711
    with pytest.raises(TypeError):
        x < None


@pytest.mark.parametrize("equation, first, second", [
    ("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk->ki", (3, 4), (4, 5)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("jbi,kjb->ikb", (4, 2, 3), (5, 4, 2)), ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 2, 5)),
    ("ijab,bajk->ik", (3, 4, 2, 5), (5, 2, 4, 3)), ("...ij,...jk->...ik", (2, 3, 4), (1, 4, 5)),
    ("ij,jk->i", (3, 4), (4, 5)),
    ("ij,ij->i", (3, 4), (3, 4)), ("i,j->ij", (3,), (4,)), ("ij,jk->ik", (3, 0), (0, 5)), ("ij,j->i", (3, 4), (4,))])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_einsum_of_two_is_that_of_numpy(equation, first, second, dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-9, 9, size=shape).astype(dtype) for shape in (first, second))
    got, expected = ops.einsum(equation, Tensor(a), Tensor(b)).numpy(), np.einsum(equation, a, b)
    np.testing.assert_array_equal(got, expected)         # whole numbers: no order of summing rounds
    assert got.dtype == expected.dtype and got.flags.c_contiguous


# --- entries that are taken

def gathered(x, dim, at):
    """The definition of gather, entry by entry."""
    y = np.empty(at.shape, x.dtype)
    for place in np.ndindex(*at.shape):
        y[place] = x[(*place[:dim], at[place], *place[dim + 1:])]
    return y


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("kind", ["whole", "negative", "narrow", "turned", "of 32 bits"])
def test_gather_and_its_gradient_are_their_definitions(dim, kind):
    rng = np.random.default_rng(dim)
    x, shape = rng.normal(size=(3, 4, 5)), [3, 4, 5]
    shape[dim] = 6                                       # more than there are: some are taken twice
    if kind == "narrow":
        shape[dim - 1] -= 1
    at = rng.integers(-2 if kind == "negative" else 0, (3, 4, 5)[dim], size=shape)
    if kind == "turned":
        x, at = np.asfortranarray(x), np.asfortranarray(at)
    at = at.astype(np.int32) if kind == "of 32 bits" else at
    table = Tensor(x, requires_grad=True)
    y = table.gather(dim, at)
    np.testing.assert_array_equal(y.data, gathered(x, dim, at))
    g, expected = rng.normal(size=y.shape), np.zeros(x.shape)
    y.backward(g)
    for place in np.ndindex(*at.shape):
        expected[(*place[:dim], at[place], *place[dim + 1:])] += g[place]
    np.testing.assert_allclose(table.grad.data, expected, rtol=1e-14, atol=1e-14)
    assert gradcheck(lambda t: t.gather(dim, at) ** 2, table) and gradgradcheck(lambda t: t.gather(dim, at) ** 3, table)


def test_rows_that_are_taken():
    rng = np.random.default_rng(0)
    x, at = rng.normal(size=(20, 3)).astype(np.float32), rng.integers(-20, 20, size=(5, 8))
    for kept in (x, np.asfortranarray(x), x[::2].repeat(2, axis=0)[::1]):
        table = Tensor(kept, requires_grad=True)
        y = table[at]
        np.testing.assert_array_equal(y.data, kept[at])
        g, expected = rng.normal(size=y.shape).astype(np.float32), np.zeros_like(x)
        y.backward(g)
        for place in np.ndindex(*at.shape):
            expected[at[place]] += g[place]
        np.testing.assert_array_equal(table.grad.data, expected)
    for wrong in (lambda: table[np.array([20])], lambda: table.gather(0, np.array([[20, 0, 0]])),
                  lambda: table.gather(1, np.array([[-4]])), lambda: table.gather(1, np.full((20, 1), -4)),
                  lambda: table.gather(1, np.full((20, 1), 3))):
        with pytest.raises(IndexError, match="out of bounds"):
            wrong()
    assert table[np.empty(0, int)].shape == (0, 3) and table.gather(1, np.empty((20, 0), int)).shape == (20, 0)


@pytest.mark.parametrize("index", [[0.0, 1.0], [True, False]])
@pytest.mark.parametrize("name", ["index_add", "index_fill", "scatter", "scatter_add"])
def test_places_are_whole_numbers(name, index):
    x = Tensor(np.arange(4.0).reshape(2, 2))
    index = np.array([index] if "scatter" in name else index)
    with pytest.raises(ValueError, match="index: expected an array of int"):
        getattr(x, name)(0, index, 7.0)


@pytest.mark.parametrize("x", [Tensor([1.0, 2.0]), Plain([1, 2])])
def test_what_is_scattered_is_given_once(x):
    for given, word in (({}, "neither"), ({"src": 1, "value": 2}, "both")):
        with pytest.raises(ValueError, match=f"expected one of src and value, got {word}"):
            x.scatter_(0, np.array([1]), **given)


@given(st.lists(st.floats(-9, 9, width=16), min_size=1, max_size=9), st.floats(0, 1))
def test_a_quantile_lies_in_proportion_between_two_entries(values, q):
    x = np.array([values, values[::-1]]).T
    np.testing.assert_allclose(Tensor(x).quantile(q).item(), np.quantile(x, q), atol=1e-12)
    np.testing.assert_allclose(Tensor(x).quantile(np.array([q, 1 - q]), dim=0).numpy(), np.quantile(x, [q, 1 - q], 0),
                               atol=1e-12)


@pytest.mark.parametrize("shape, dim", [((0,), None), ((0,), -1), ((0, 3), 0), ((3, 0), 1), ((3, 0), None)])
def test_a_quantile_of_nothing_is_refused(shape, dim):
    with pytest.raises(ValueError, match="quantile: nothing to take it of, over dimension"):
        Tensor(np.empty(shape)).quantile([0.1, 0.5], dim)


def test_quantiles_of_no_rows_are_none():
    assert Tensor(np.empty((0, 3))).quantile(0.5, 1).shape == (0,)


def test_a_number_is_each_quantile_of_its_own():
    assert Tensor(3.0).quantile(0.2).item() == 3 and Tensor(3.0).quantile([0.2, 1], 0, True).tolist() == [3, 3]


def test_pairs_of_rows_stand_in_their_order():
    x = Tensor([[0.0], [1.0], [3.0], [7.0]])             # with four the order by rows is not that by columns
    assert composed.pdist(x).tolist() == [1, 3, 7, 2, 6, 4]
    assert composed.pdist(Tensor([[0.0, 0.0], [3.0, 4.0]]), 1).tolist() == [7]
    assert composed.pdist(x[:1]).shape == (0,)
    with pytest.raises(ValueError, match=r"pdist: expected shape \(N, D\)"):
        composed.pdist(x[0])
