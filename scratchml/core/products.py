"""The product of two matrices, with the sums in registers.

Nearly all of the time of a neural network goes into products of matrices, and a product is little more than a question
of which numbers lie near the processor when.  M N sums of K terms need 2 M N K numbers, and memory cannot give one for
each multiplication.  So sums are made a tile at a time, R rows high and W columns wide: W numbers of B and R of A serve
for R W multiplications, and the tile itself stays in registers until its sums are done.  For that, the W numbers of
each row of B must lie side by side: B is laid out in panels of W columns first, once for all tiles.  Where one matrix
is multiplied by many others, as the weights of a recurrent network are at each step, it is once for all of these too.

Symbols
    A, B  (M, K), (K, N)  the factors
    C  (M, N)             their product
    R, W                  rows and columns of a tile
    P  (Q, K, W)          B in Q = ⌈N/W⌉ panels
    S, T  (G, M, K), (G, K, N)  stacks of factors, as the heads of attention have them
    D  (G, M, N)          the products of their G pairs

Equations
    (1)  C_mn = Σ_k A_mk B_kn                                                         product
    (2)  C_mn ← C_mn + Σ_k A_mk B_kn                                                  add_product
    (3)  P_pkj = B_kn with n = p W + j, and 0 for n ≥ N                               in_panels
    (4)  D_gmn = Σ_k S_gmk T_gkn                                                      product_of_each

Choices
    W fills two vector registers, and R is so large that the tile leaves registers for the factors: 12 x 32 numbers of
    float32 with AVX-512, 6 x 16 with AVX2.  Rows that are left over go in fours (or twos), and then one by one.
    k runs over 256 at a time, so that a panel stays in the nearest cache while all rows pass by it; the sums of such
    blocks are added up.  So from panels a sum has the same order of additions, and thus the same bits, for any number
    of threads, for any other rows of A, and at any place of a row among them.  Each thread gets one piece of the rows
    of A, or a few equal ones: to fetch the next takes Python's lock, for which threads wait.
    Where A has few rows, panels would take longer than they save, and NumPy multiplies; so do types other than float32
    and float64, or two that differ.  A caller of many products asks `laid_out` whether panels pay for all of them.
    Overflow gives inf, and inf - inf NaN; NumPy warns of it, panels do not.

Cost
    M N K multiplications and additions; M K + K N numbers read from memory, and K N written for the panels.

>>> A, B = np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([[1.0, 0, 1], [0, 1, 1]])
>>> product(A, Panels(B)).tolist() == (A @ B).tolist()
True
>>> add_product(A, B, np.full((3, 3), 0.5)).tolist()
[[1.5, 2.5, 3.5], [3.5, 4.5, 7.5], [5.5, 6.5, 11.5]]

Source: K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM Trans. Mathematical
Software 34 (2008), sections 4 and 5.
"""
import math

import numpy as np

from scratchml.core.instructions import LOW, PANEL, TALL, multiply_tile
from scratchml.core.jit import kernel, n_threads, readable, run_chunks

DEPTH = 256                                              # rows of a panel that stay in the nearest cache
LEAST, MOST = 2**25, 2**29                               # bytes that a piece multiplies: 0.07 and 1.2 ms with AVX-512
FEW, SMALL = 48, 2**18                                   # rows of A, and multiplications, below which panels do not pay


def product(A, B, out=None):
    """(1)  C_mn = Σ_k A_mk B_kn

    `B` is a matrix or its Panels; `out` receives C, and may share no memory with them.

    Shapes: A (M, K), B (K, N) -> (M, N)
    """
    laid = _panels(A, B)
    if laid is None:
        return np.matmul(A, B, out=out)
    return _multiplied(A, laid, np.empty((len(A), laid.N), A.dtype) if out is None else out, False)


def add_product(A, B, C):
    """(2)  C_mn ← C_mn + Σ_k A_mk B_kn

    `B` is a matrix or its Panels; C is overwritten, and returned.

    Shapes: A (M, K), B (K, N), C (M, N) -> (M, N)
    """
    laid = _panels(A, B)
    if laid is None:
        C += A @ B
        return C
    return _multiplied(A, laid, C, True)


def in_panels(B, W):
    """(3)  P_pkj = B_kn with n = p W + j, and 0 for n ≥ N

    Of each matrix of a stack, if B has more dimensions.

    Shapes: B (K, N), W -> (Q, K, W)
    """
    (*G, K, N), (whole, rest) = B.shape, divmod(B.shape[-1], W)
    P = np.empty((*G, whole + (rest > 0), K, W), B.dtype)
    for p in range(whole):
        P[..., p, :, :] = B[..., p * W:(p + 1) * W]
    if rest:
        P[..., whole, :, :rest], P[..., whole, :, rest:] = B[..., whole * W:], 0
    return P


def product_of_each(S, T, out=None):
    """(4)  D_gmn = Σ_k S_gmk T_gkn

    G may be several dimensions, the same of both; `out` receives D, and may share no memory with them.

    Shapes: S (G, M, K), T (G, K, N) -> (G, M, N)
    """
    (*lead, M, K), N = S.shape, T.shape[-1]
    G, shape, W = math.prod(lead), (*lead, M, N), PANEL // T.itemsize
    alike = S.dtype == T.dtype and T.shape[:-1] == (*lead, K)
    fitting = out is None or (out.shape, out.dtype) == (shape, S.dtype)
    if not (alike and fitting and _panels_pay(M, K * N, T.dtype)):
        return np.matmul(S, T, out=out)
    D = np.empty(shape, S.dtype) if out is None or not out.flags.c_contiguous else out
    P, A = in_panels(T, W).reshape(G, -(-N // W), K, W), readable(S.reshape(G, M, K))
    run_chunks(_multiply_each, G, A, P, D.reshape(G, M, N), chunk=max(1, -(-G // pieces(A.nbytes * N))))
    if out is not None and out is not D:
        out[...] = D
    return D if out is None else out


class Panels:
    """A matrix B (K, N) of float32 or float64 as `product` and `add_product` take it, for many products."""

    def __init__(self, B):
        self.P, self.N = in_panels(B, PANEL // B.itemsize), B.shape[1]


def laid_out(B, M):
    """B (K, N) in panels, for products with M rows in all, if these are so many that panels pay; else B itself."""
    return Panels(B) if _panels_pay(M, B.size, B.dtype) else B


def _panels_pay(M, size, dtype):
    """For M rows and a matrix of `size` numbers."""
    return dtype.char in "fd" and M >= FEW and M * size >= SMALL


def _panels(A, B):
    """Panels of B, if it is in panels or they pay for A; else None."""
    B = B if isinstance(B, Panels) or A.dtype != B.dtype else laid_out(B, len(A))
    return B if isinstance(B, Panels) else None


def _multiplied(A, laid, C, add):
    (M, K), P = A.shape, laid.P
    in_rows = C.strides[1] == C.itemsize or C.shape[1] < 2 or M == 0
    if (K, A.dtype, C.shape, C.dtype) != (P.shape[1], P.dtype, (M, laid.N), P.dtype) or not in_rows:
        raise ValueError(f"expected rows of {P.shape[1]} numbers of {P.dtype}, and for the product contiguous rows of "
                         f"{laid.N}, got {A.dtype} {A.shape} and {C.dtype} {C.shape} with strides {C.strides}")
    tiles = -(-max(M, 1) // (LOW * pieces(A.nbytes * laid.N)))
    run_chunks(multiply_rows, M, readable(A), P, C, add, chunk=tiles * LOW)
    return C


def pieces(cost):
    """How many pieces share work of so many bytes to multiply: as many as threads, or a multiple; fewer below LEAST.

    A piece has up to MOST.
    """
    threads = n_threads()
    return max(1, min(threads * -(-cost // (threads * MOST)), cost // LEAST))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def multiply_rows(c, start, stop, A, P, C, add):
    """Rows start ... stop-1 of (1), or of (2) if `add`.

    Same result, because the columns of a panel beyond N go into a tile of their own, of which the first are taken.
    """
    (panels, K, W), N = P.shape, C.shape[1]
    edge = np.empty((TALL, W), C.dtype)
    for k in range(0, max(K, 1), DEPTH):
        more = add or k > 0
        for p in range(panels):
            B, n, m = P[p, k:k + DEPTH], p * W, start
            inside = n + W <= N
            while m < stop:
                tile = C[m:, n:] if inside else edge[:, 0:]
                if m + TALL <= stop:
                    multiply_tile(A[m:, k:], B, tile, TALL, more and inside)
                    height = TALL
                elif m + LOW <= stop:
                    multiply_tile(A[m:, k:], B, tile, LOW, more and inside)
                    height = LOW
                else:
                    multiply_tile(A[m:, k:], B, tile, 1, more and inside)
                    height = 1
                if not inside:
                    for i in range(height):
                        for j in range(N - n):
                            C[m + i, n + j] = edge[i, j] + (C[m + i, n + j] if more else 0)
                m += height


@kernel
def _multiply_each(c, start, stop, A, P, C):
    """Products start ... stop-1 of (4)."""
    for g in range(start, stop):
        multiply_rows(0, 0, A.shape[1], A[g], P[g], C[g], False)
