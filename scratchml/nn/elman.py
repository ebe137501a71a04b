"""The plain recurrent layer: one state, one matrix, one curve, and what is wrong with that.

The new state is a curve of an affine map of the input and of the old state.  Nothing else carries anything from step to
step, so the gradient of a hundred steps is a product of a hundred times the same matrix with slopes of at most 1: it
dies away, unless the matrix makes it explode.  LSTM and GRU are answers to that; this is the question.

Symbols
    T, B, D, H       steps, sequences, inputs and hidden units
    x, X  (B, D)     the inputs of one step; X (T, B, D) of all
    h     (B, H)     the state before a step, or before the first
    W, U  (H, D)     weights of the input; U (H, H) of the state
    p, q  (H,)       their biases
    f                the curve, "tanh" or "relu"
    a     (B, H)     its argument
    y     (B, H)     the state after a step
    v     (B, H)     δy, the derivative of the loss by y; for all steps: that of the last state
    V     (T, B, H)  δy of every step, as far as it does not come from the step after
    Y     (T, B, H)  the state after each step
    Z     (T, B, H)  the state before each step
    A     (T, B, H)  δa of every step

Equations
    (1)  a = x Wᵀ + h Uᵀ + p + q                                                     argument
    (2)  y = f(a)                                                                    curve
    (3)  δa = v f'(a), which is v (1 - y²) for tanh, v [y > 0] for relu              argument_gradient
    (4)  h[t+1] = (2) of (1) of x[t], h[t], for t = 0 ... T-1                        elman
    (5)  δa[t] by (3), with δh = δa U for the step before, for t = T-1 ... 0         argument_gradients
    (6)  δW = Σ_t δa[t]ᵀ x[t], δU = Σ_t δa[t]ᵀ h[t], δp = δq = Σ_t,b δa, δx = δa W   weight_gradients

Choices
    x Wᵀ of (1) for all steps is one matrix product, and so are the sums of (6); a step is left with h Uᵀ, its curve,
    and δa U on the way back, in NumPy.  The forward pass keeps its operands and its result.
    Sequences of different lengths: packing.py.

Cost
    2 T B (D + H) H multiplications and additions forward, twice as many back.

>>> X, h = np.array([[[1.0]], [[-1.0]]]), np.zeros((1, 2))
>>> y, last = elman(X, h, np.array([[1.0], [0.5]]), np.eye(2), np.zeros(2), np.zeros(2), "tanh")
>>> y.round(4).tolist()
[[[0.7616, 0.4621]], [[-0.234, -0.0379]]]

Sources: J. Elman, "Finding structure in time", Cognitive Science 14 (1990); Y. Bengio, P. Simard and P. Frasconi,
"Learning long-term dependencies with gradient descent is difficult", IEEE Transactions on Neural Networks 5 (1994);
two biases where one would do are PyTorch's.
"""
import numpy as np

from scratchml.autograd import Fused
from scratchml.core.products import product
from scratchml.nn.lstm import recurrent_product
from scratchml.nn.packing import pack

# --- one step ------------------------------------------------------------------------------------


def argument(x, h, W, U, p, q):
    """(1)  a = x Wᵀ + h Uᵀ + p + q

    Shapes: x (B, D), h (B, H), W (H, D), U (H, H), p (H), q (H) -> (B, H)
    """
    return x @ W.T + h @ U.T + p + q


def curve(a, f):
    """(2)  y = f(a)

    Shapes: a (B, H), f -> (B, H)
    """
    return np.tanh(a) if f == "tanh" else np.maximum(a, 0)


def argument_gradient(v, y, f):
    """(3)  δa = v f'(a), which is v (1 - y²) for tanh, v [y > 0] for relu

    Shapes: v (B, H), y (B, H), f -> (B, H)
    """
    return v * (1 - y * y) if f == "tanh" else np.where(y > 0, v, 0)


# --- all steps -----------------------------------------------------------------------------------


def elman(X, h, W, U, p, q, f):
    """(4)  h[t+1] = (2) of (1) of x[t], h[t], for t = 0 ... T-1

    Returns h after every step, and after the last.

    Shapes: X (T, B, D), h (B, H), W (H, D), U (H, H), p (H), q (H), f -> (T, B, H), (B, H)
    """
    return elman_forward(X, h, W, U, p, q, f=f)[0]


def argument_gradients(Y, V, v, U, f):
    """(5)  δa[t] by (3), with δh = δa U for the step before, for t = T-1 ... 0

    Returns δa of every step, and δh of the state before the first.

    Shapes: Y (T, B, H), V (T, B, H), v (B, H), U (H, H), f -> (T, B, H), (B, H)
    """
    A, dh = _sweep_back(Y, V, v, U, f, pack(T=len(Y), B=Y.shape[1]))
    return A.reshape(Y.shape), dh


def weight_gradients(A, X, Z, W):
    """(6)  δW = Σ_t δa[t]ᵀ x[t], δU = Σ_t δa[t]ᵀ h[t], δp = δq = Σ_t,b δa, δx = δa W

    Returned in this order, the bias once.

    Shapes: A (T, B, H), X (T, B, D), Z (T, B, H), W (H, D) -> (H, D), (H, H), (H), (T, B, D)
    """
    rows = A.reshape(-1, A.shape[-1])
    return rows.T @ X.reshape(-1, X.shape[-1]), rows.T @ Z.reshape(-1, Z.shape[-1]), rows.sum(axis=0), A @ W


# --- (4) to (6) over packed sequences ------------------------------------------------------------


def elman_forward(x, h, W, U, p, q, *, f, packing=None, input_gradient=True):
    """Results and what `elman_backward` needs: (4) for `packing`, or for x (T, B, D) as it is if that is None.

    Results are h after each step, padded like x, and (B, H) the states after the last steps.  Without `input_gradient`
    the way back spares the product δx.
    """
    dtype = np.result_type(x, h, W, U, p, q)
    x, h, W, U, p, q = (np.asarray(array, dtype) for array in (x, h, W, U, p, q))
    packing = packing or pack(T=x.shape[0], B=x.shape[1])
    y, rows = packing.room(h.shape[1], dtype)
    from_x, states = packing.packed(x) @ W.T + (p + q), packing.sorted(h)
    for start, size in packing.steps():
        now = slice(start, start + size)
        rows[now] = curve(from_x[now] + states[:size] @ U.T, f)
        states = rows[now]
    return (packing.fill(y, rows), packing.at_last(rows)), (x, h, W, U, y, f, packing, input_gradient)


def _sweep_back(y, V, v, U, f, packing):
    """(5): δa of every packed row, (N, H), and δh before the first steps, the longest sequence first."""
    rows, V, dh = packing.packed(y), packing.packed(V), packing.sorted(v)
    A = np.empty_like(rows)
    for start, size in reversed(packing.steps()):
        now = slice(start, start + size)
        A[now] = argument_gradient(V[now] + dh[:size], rows[now], f)
        dh[:size] = A[now] @ U
    return A, dh


def elman_backward(saved, V, v):
    """(5) and (6): the gradients of the operands of `elman_forward`, from those of its results."""
    x, h, W, U, y, f, packing, input_gradient = saved
    A, dh = _sweep_back(y, V, v, U, f, packing)
    dx = None
    if input_gradient:
        dx, rows = packing.room(x.shape[-1], A.dtype)
        packing.fill(dx, product(A, W, out=rows))
    b, dU = A.sum(axis=0), recurrent_product(A, h, packing.packed(y), packing)
    return dx, packing.unsorted(dh), product(A.T, packing.packed(x)), dU, b, b.copy()


fused_elman = Fused(elman_forward, elman_backward, fresh=True)
