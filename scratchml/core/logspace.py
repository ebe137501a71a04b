"""Sums in log space: adding numbers that are too small, or too large, to be written down.

The probability of a sentence is a product of a hundred small factors, and a float64 underflows to 0 below
1e-308: what was unlikely has become impossible.  So one keeps logarithms, whose products are sums.  Sums become
the operation of this chapter: take the largest term out, and what is left to exponentiate lies between 0 and 1.

Minus infinity is a value here, the logarithm of 0: an impossible label, an empty sum.  It needs no special case
(and no log(x + 1e-10), no -1e5 in its stead), only the care never to form inf - inf.

Symbols
    a, b            two logarithms
    x     (N,)      logarithms
    m               the largest of them; 0 where that is infinite
    X     (N, K)    N rows of logarithms

Equations
    (1)  log(e^a + e^b) = max(a, b) + log(1 + e^-|a - b|)                              logaddexp
    (2)  log Σ_i e^x_i = m + log Σ_i e^(x_i - m)                                       logsumexp
    (3)  L_n = log Σ_k e^X[n,k]                                                        logsumexp_rows

Choices
    The sum of nothing is 0, its logarithm -inf.  A sum of nothing but zeros (all -inf) is -inf.  +inf wins over any
    number, NaN over everything.  All three are kernels: they check nothing and may be called from other kernels.
    Everything is computed in float64; (3) returns the type of X, float64 or float32, rounded once.
    The error of (2) is at most that of the result's last place and (N + 4) eps, whatever the size of x: the
    exponentials are at most 1, and one of them is 1.

Cost
    O(1) for (1), O(N) for (2) and each row of (3), whose exponentials are those of `elementary`: they fill the vector
    registers.

>>> x = np.array([-1000.0, -1001.0, -np.inf])
>>> with np.errstate(divide="ignore"):
...     print(np.log(np.exp(x).sum()), round(logsumexp(x), 10))
-inf -999.6867383125

Source: P. Blanchard, D. J. Higham and N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41 (2021), sections 3 and 4.
"""
import math

import numpy as np

from scratchml.core.elementary import double, exp, log
from scratchml.core.jit import kernel


@kernel
def logaddexp(a, b):
    """(1)  log(e^a + e^b) = max(a, b) + log(1 + e^-|a - b|)

    Shapes: a, b -> ()
    """
    a, b = double(a), double(b)
    gap = 0.0 if a == b else abs(a - b)                  # a == b: also where both are the same infinity
    return max(a, b) + math.log1p(math.exp(-gap))


@kernel(reassociate=True)
def logsumexp(x):
    """(2)  log Σ_i e^x_i = m + log Σ_i e^(x_i - m)

    Shapes: x (N) -> ()
    """
    m = -np.inf
    for i in range(x.size):
        m = max(m, double(x[i]))
    if math.isinf(m):
        m = 0.0
    total = 0.0
    for i in range(x.size):
        total += exp(double(x[i]) - m)
    return m + log(total)


@kernel
def logsumexp_rows(X):
    """(3)  L_n = log Σ_k e^X[n,k]

    Shapes: X (N, K) -> (N)
    """
    L = np.empty(X.shape[0], X.dtype)
    for n in range(X.shape[0]):
        L[n] = logsumexp(X[n])
    return L
