"""The engine against PyTorch: a training step, a deep network and its memory; small operations against NumPy alone."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.autograd import Tensor

CALLS = 1000
rng = np.random.default_rng(0)


def weights(*sizes):
    """Float32 matrices (D, H) and biases (H,), one after the other."""
    return [array.astype(np.float32) for D, H in zip(sizes, sizes[1:])
            for array in (rng.normal(size=(D, H)) / np.sqrt(D), np.zeros(H))]


# --- a training step of a perceptron, in elementary operations

def digits_like(*sizes):
    X, y = rng.normal(size=(64, sizes[0])).astype(np.float32), rng.integers(sizes[-1], size=64)
    return X, y, weights(*sizes), 20


def logits(h, p):
    for k in range(0, len(p), 2):
        h = (h.relu() if k else h) @ p[k] + p[k + 1]
    return h


def formula(X, y, p, steps):
    """The gradient by hand, for one hidden layer."""
    W, b, U, c = (array.copy() for array in p)
    rows = np.arange(len(y))
    for _ in range(steps):
        h = np.maximum(X @ W + b, 0)
        z = h @ U + c
        z -= z.max(1, keepdims=True)
        z -= np.log(np.exp(z).sum(1, keepdims=True))
        loss = -z[rows, y].mean()
        dz = np.exp(z)
        dz[rows, y] -= 1
        dz /= len(y)
        dh = (dz @ U.T) * (h > 0)
        for array, gradient in ((W, X.T @ dh), (b, dh.sum(0)), (U, h.T @ dz), (c, dz.sum(0))):
            array -= np.float32(0.1) * gradient
    return float(loss)


def ours(X, y, p, steps):
    p, x, rows = [Tensor(array.copy(), requires_grad=True) for array in p], Tensor(X), np.arange(len(y))
    for _ in range(steps):
        loss = -logits(x, p).log_softmax(1)[rows, y].mean()
        loss.backward()
        for parameter in p:
            parameter.data -= np.float32(0.1) * parameter.grad.data
            parameter.grad = None
    return loss.item()


def pytorch(threads):
    @peer("torch")
    def theirs(X, y, p, steps):
        import torch
        torch.set_num_threads(threads)
        p, x, y = [torch.tensor(array, requires_grad=True) for array in p], torch.tensor(X), torch.tensor(y)
        rows = torch.arange(len(y))
        for _ in range(steps):
            loss = -logits(x, p).log_softmax(1)[rows, y].mean()
            loss.backward()
            with torch.no_grad():
                for parameter in p:
                    parameter -= 0.1 * parameter.grad
                    parameter.grad = None
        return loss.item()
    return theirs


# --- a deep network: how much is kept for the sweep

def deep():
    return rng.normal(size=(4096, 256)).astype(np.float32), weights(*[256] * 17)


def our_deep(X, p):
    p, h = [Tensor(array, requires_grad=True) for array in p], Tensor(X)
    for k in range(0, len(p), 2):
        h = (h @ p[k] + p[k + 1]).tanh()
    (h * h).mean().backward()
    return p[0].grad.data


def torch_deep(threads):
    @peer("torch")
    def theirs(X, p):
        import torch
        torch.set_num_threads(threads)
        p, h = [torch.tensor(array, requires_grad=True) for array in p], torch.tensor(X)
        for k in range(0, len(p), 2):
            h = (h @ p[k] + p[k + 1]).tanh()
        (h * h).mean().backward()
        return p[0].grad.numpy()
    return theirs


# --- small operations: what a Tensor costs beyond NumPy

SMALL = {
    "add": (lambda a, b: a + b, np.add), "multiply": (lambda a, b: a * b, np.multiply),
    "relu": (lambda a, b: a.relu(), lambda a, b: np.maximum(a, 0)),
    "times 2": (lambda a, b: a * 2.0, lambda a, b: a * 2.0),
}


def repeated(f, wrap=lambda array: array, unwrap=lambda y: y):
    def loop(A, B):
        a, b = wrap(A), wrap(B)
        for _ in range(CALLS):
            y = f(a, b)
        return unwrap(y)
    return loop


def small_case(name):
    operation, numpys = SMALL[name]

    @peer("torch")
    def theirs(A, B):
        import torch
        return repeated(operation, lambda a: torch.tensor(a, requires_grad=True), lambda y: y.detach().numpy())(A, B)
    ours = repeated(operation, lambda a: Tensor(a, requires_grad=True), lambda y: y.data)
    return Case(f"{name} of 3 x 4, forward, {CALLS:,} times", lambda: (rng.random((3, 4)) + 1, rng.random((3, 4)) + 1),
                {"NumPy alone": repeated(numpys), "scratchml": ours, "PyTorch": theirs}, close(rtol=1e-14))


CASES = [
    Case("20 training steps, perceptron 64-128-10, batch 64, float32", lambda: digits_like(64, 128, 10),
         {"formula": formula, "scratchml": ours, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)},
         close(rtol=1e-4)),
    Case("sweep through 16 layers of tanh, 4,096 x 256, float32", deep,
         {"scratchml": our_deep, "PyTorch, 2 threads": torch_deep(2), "PyTorch, 1 thread": torch_deep(1)},
         close(rtol=1e-3, atol=1e-7)),
    *map(small_case, SMALL),
]
