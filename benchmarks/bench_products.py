"""Products of matrices: ours, with panels made in the call or beforehand, NumPy's (its BLAS), and PyTorch's."""
import numpy as np

from benchmarks import Case, close, peer, test_contender
from scratchml.core.products import Panels, product

def factors(M, K, N, dtype, turned):
    """A (M, K) and B (K, N); `turned`: A is the transpose of rows, as in a gradient of weights, else B of weights."""
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=shape).astype(dtype) for shape in ((M, K), (K, N)))
    return (np.asfortranarray(A), B) if turned else (A, np.asfortranarray(B))


def ours(A, B, passes):
    """B is laid out once for all passes."""
    B = B if passes == 1 else Panels(B)
    for _ in range(passes):
        C = product(A, B)
    return C


def numpy(A, B, passes):
    for _ in range(passes):
        C = A @ B
    return C


def pytorch(threads):
    @peer("torch")
    def theirs(A, B, passes):
        import torch
        torch.set_num_threads(threads)
        return numpy(torch.from_numpy(A), torch.from_numpy(B), passes).numpy()
    return theirs


CONTENDERS = {"NumPy": numpy, "scratchml": ours, "PyTorch, 1 thread": pytorch(1), "PyTorch, 2 threads": pytorch(2)}


def case(M, K, N, dtype, turned=False, passes=1):
    name = f"{M:,} x {K:,} by {K:,} x {N:,}, {dtype}{', the first transposed' * turned}"
    return Case(name + f", {passes} times" * (passes > 1), lambda: (*factors(M, K, N, dtype, turned), passes),
                CONTENDERS,
                close(rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-3))


CASES = [case(4096, 256, 256, "float32"), case(4096, 256, 256, "float64"), case(512, 1280, 128, "float32", turned=True),
         case(64, 128, 512, "float32", passes=20)]
