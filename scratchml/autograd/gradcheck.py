"""Is this gradient right?  Two checks against the definition of a derivative.

`gradcheck` compares the gradients that the sweep gives with central differences, (f(x + h e) - f(x - h e)) / 2h:
first for every entry of every input and every entry of every output, then along random directions, all inputs at
once. `gradgradcheck` does the same with the gradient in the place of f.

A central difference has an error of about h²|f'''| / 6 from the curvature and of eps |f| / h from rounding; h near the
cube root of eps, 6e-6 in float64, balances them, and leaves about ten digits.  In float32 it would leave three, so the
inputs must be float64.  Stay off kinks: at a corner a central difference is the mean of both slopes.

>>> from scratchml.autograd import Fused, Tensor, gradcheck
>>> def sin(x):
...     return np.sin(x), x
>>> gradcheck(Fused(sin, lambda x, g: -np.cos(x) * g), Tensor([0.0, 1.0], requires_grad=True))
Traceback (most recent call last):
    ...
scratchml.autograd.gradcheck.GradcheckError: sin: derivative of output 0 at [0] by input 0 at [0]: expected 1, got -1

Source: PyTorch's functions of the same names.
"""
import numpy as np

from scratchml.autograd.tensor import Tensor, grad


class GradcheckError(AssertionError):
    """A gradient differs from the central difference."""


def gradcheck(f, inputs, *, eps=6e-6, rtol=1e-5, atol=1e-7, directions=3, fast_mode=False):
    """True if the gradients of a function agree with central differences.

    Raises GradcheckError that names the function, input, index, the value expected and the one that came; ValueError
    for inputs of which none requires a gradient, or one that does is not float64.

    Parameters
    ----------
    f : callable
        A function of Tensors that returns a Tensor or a tuple of them.
    inputs : Tensor or tuple
        Arguments of `f`; those Tensors that require a gradient are checked, of shape (N, D) or any other.
    eps : float, default=6e-6
        The step, times max(1, |x|).
    rtol : float, default=1e-5
        Relative tolerance, on top of `atol`: atol + rtol |expected|.
    atol : float, default=1e-7
        Absolute tolerance.
    directions : int, default=3
        How many random directions are tried.
    fast_mode : bool, default=False
        Whether to try random directions only, which takes 2 `directions` calls of `f` whatever the sizes.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("inputs: expected at least one Tensor with requires_grad=True, got none")
    for i in checked:
        if inputs[i].dtype != np.float64:
            raise ValueError(f"inputs[{i}]: expected float64, got {inputs[i].dtype}, whose differences are "
                             "too coarse")
    if not fast_mode:
        _by_coordinates(f, inputs, checked, eps, rtol, atol)
    _by_directions(f, inputs, checked, eps, rtol, atol, directions)
    return True


def gradgradcheck(f, inputs, **options):
    """`gradcheck` of the gradient of a function: are derivatives of derivatives right?

    The gradient is weighted with random numbers, one for each entry of the outputs, (N, D) for (N, D), and
    differentiated by these as well.  Errors are those of `gradcheck`.

    Parameters
    ----------
    f : callable
        A function of Tensors that returns a Tensor or a tuple of them.
    inputs : Tensor or tuple
        Arguments of `f`, as in `gradcheck`.
    **options : object
        What `gradcheck` takes besides.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    rng = np.random.default_rng(0)
    weights = [Tensor(rng.normal(size=y.shape), requires_grad=True) for y in _outputs(f, inputs)]

    def gradient(*arguments):
        given, weights = arguments[:len(inputs)], arguments[len(inputs):]
        total = sum((y * w).sum() for y, w in zip(_outputs(f, given), weights))
        return grad(total, [x for x in given if isinstance(x, Tensor) and x.requires_grad], create_graph=True,
                    materialize_grads=True)
    gradient.__name__ = f"gradient of {_name(f)}"
    return gradcheck(gradient, (*inputs, *weights), **options)


def _name(f):
    return getattr(f, "__name__", None) or getattr(f, "name", None) or type(f).__name__


def _outputs(f, inputs):
    y = f(*inputs)
    return y if isinstance(y, tuple) else (y,)


def _values(f, inputs, moved):
    """The outputs as arrays, where `moved` {i: array} stands in for some of the inputs."""
    arguments = [Tensor(moved[i], requires_grad=True) if i in moved else x for i, x in enumerate(inputs)]
    return [y.detach().numpy() for y in _outputs(f, arguments)]


def _central(f, inputs, directions, h):
    """The derivative of every output along `directions` {i: array}, as arrays."""
    ahead = _values(f, inputs, {i: inputs[i].data + h * d for i, d in directions.items()})
    behind = _values(f, inputs, {i: inputs[i].data - h * d for i, d in directions.items()})
    return [(a - b) / (2 * h) for a, b in zip(ahead, behind)]


def _by_coordinates(f, inputs, checked, eps, rtol, atol):
    got = _jacobian(f, inputs, checked)
    for i in checked:
        for at in np.ndindex(inputs[i].shape):
            e = np.zeros(inputs[i].shape)
            e[at] = 1
            expected = _central(f, inputs, {i: e}, eps * max(1.0, abs(inputs[i].data[at])))
            for k, column in enumerate(expected):
                for out in np.ndindex(column.shape):
                    _compare(column[out], got[k, i][out + at], rtol, atol, f"{_name(f)}: derivative of output {k} at "
                             f"{list(out)} by input {i} at {list(at)}")


def _jacobian(f, inputs, checked):
    """{(k, i): the derivatives of output k by input i, of both shapes one after the other}, by sweeps."""
    rows = {}
    for k, y in enumerate(_outputs(f, inputs)):
        for i in checked:
            rows[k, i] = np.zeros(y.shape + inputs[i].shape)
        for out in np.ndindex(y.shape):
            e = np.zeros(y.shape)
            e[out] = 1
            gradients = grad(y, [inputs[i] for i in checked], grad_outputs=e, retain_graph=True, materialize_grads=True)
            for i, g in zip(checked, gradients):
                rows[k, i][out] = g.data
    return rows


def _by_directions(f, inputs, checked, eps, rtol, atol, directions):
    rng = np.random.default_rng(0)
    for _ in range(directions):
        v = {i: rng.normal(size=inputs[i].shape) for i in checked}
        length = np.sqrt(sum((d ** 2).sum() for d in v.values())) or 1.0
        v = {i: d / length for i, d in v.items()}
        scale = max(1.0, *(float(abs(inputs[i].data).max(initial=0)) for i in checked))
        expected = got = 0.0
        for y, slope in zip(_outputs(f, inputs), _central(f, inputs, v, eps * scale)):
            u = rng.normal(size=y.shape)
            expected += float((u * slope).sum())
            gradients = grad(y, [inputs[i] for i in checked], grad_outputs=u, retain_graph=True, materialize_grads=True)
            got += sum(float((g.data * v[i]).sum()) for i, g in zip(checked, gradients))
        _compare(expected, got, rtol, atol, f"{_name(f)}: derivative along a random direction")


def _compare(expected, got, rtol, atol, what):
    if not abs(expected - got) <= atol + rtol * abs(expected):           # not: so that NaN is an error
        raise GradcheckError(f"{what}: expected {expected:.10g}, got {got:.10g}")
