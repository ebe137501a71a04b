"""The engine against PyTorch: a training step, a deep network and its memory, entries that are taken, SGD; small
operations against NumPy alone."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.autograd import Tensor
from scratchml.nn import functional
from scratchml.optim import SGD

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


# --- entries that are taken, and their gradient added up

TAKEN = {
    "rows": (lambda x, at: x[at], (30_000, 64), lambda: rng.integers(30_000, size=(256, 16))),
    "gather along rows": (lambda x, at: x.gather(1, at), (4096, 512), lambda: rng.integers(512, size=(4096, 64))),
    "gather along columns": (lambda x, at: x.gather(0, at), (64, 20_000), lambda: rng.integers(64, size=(32, 20_000))),
    "embedding": (lambda x, at: functional.embedding(at, x), (30_000, 64),
                  lambda: rng.integers(30_000, size=(256, 16))),
}


def taken_case(name, sweep):
    take, shape, places = TAKEN[name]

    def data():
        X, at = rng.normal(size=shape).astype(np.float32), places()
        return X, at, rng.normal(size=at.shape + shape[1:] * (name in ("rows", "embedding"))).astype(np.float32)

    def ours(X, at, G):
        x = Tensor(X, requires_grad=True)
        y = take(x, at)
        return _swept(x, y, Tensor(G)) if sweep else y.data

    @peer("torch")
    def theirs(X, at, G):
        import torch
        torch.set_num_threads(1)
        x, at = torch.from_numpy(X).requires_grad_(), torch.from_numpy(at)
        y = torch.nn.functional.embedding(at, x) if name == "embedding" else take(x, at)
        return _swept(x, y, torch.from_numpy(G)).numpy() if sweep else y.detach().numpy()
    return Case(f"{name} of {shape[0]:,} x {shape[1]:,}{', and the sweep' * sweep}", data,
                {"scratchml": ours, "PyTorch, 1 thread": theirs}, close(rtol=1e-4, atol=1e-5))


def _swept(x, y, g):
    y.backward(g)
    return x.grad.data


# --- steps of SGD

def sgd_case(**options):
    def data():
        return rng.normal(size=1_000_000).astype(np.float32), rng.normal(size=1_000_000).astype(np.float32)

    def ours(x, g):
        p = Tensor(x.copy(), requires_grad=True)
        p.grad = Tensor(g)
        return _steps(SGD([p], lr=1e-3, **options), p)

    @peer("torch")
    def theirs(x, g):
        import torch
        torch.set_num_threads(1)
        p = torch.from_numpy(x.copy()).requires_grad_()
        p.grad = torch.from_numpy(g)
        return _steps(torch.optim.SGD([p], lr=1e-3, **options), p)
    return Case(f"50 steps of SGD, 1,000,000 float32 {options or ''}", data,
                {"scratchml": ours, "PyTorch, 1 thread": theirs}, close(rtol=1e-4, atol=1e-5))


def _steps(optimizer, p):
    for _ in range(50):
        optimizer.step()
    return np.asarray(p.detach())


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
    *(taken_case(name, sweep) for name in TAKEN for sweep in (False, True)),
    sgd_case(), sgd_case(weight_decay=0.01), sgd_case(momentum=0.9),
    sgd_case(momentum=0.9, nesterov=True, weight_decay=0.01),
    *map(small_case, SMALL),
]
