"""Noise on the inputs: a network that must answer alike for all neighbours of a sample cannot be steep there.

Add noise to the inputs of a regression, anew each time a sample is seen, and leave the targets as they are: that is
said to be another form of a price on squared weights.  For a weighted sum it is exactly that, and not only on average:
(2) needs no noise.  The error of (X + ε) w is X w - y, plus ε w, whose mean is 0 and whose variance is σ² ‖w‖² in each
of the N rows; so (1) is the loss of ridge regression with the price λ = N σ².

For a network f the noise meets the slope of f instead of w.  By Taylor f(x + ε) = f + εᵀ ∇f + εᵀ ∇²f ε / 2 + ...  In
the mean of the squared error odd powers of ε vanish, and of order σ² there are two terms: the squared slope, and the
curvature times what f is off.  Where errors cancel on average, as they do about a minimum, the second is small, and the
price is that on slopes: Tikhonov's.

Symbols
    X    (N, D)  inputs, a sample a row: x_n
    y    (N,)    targets
    w    (D,)    weights of a sum
    ε    (N, D)  noise: independent, of mean 0 and variance σ²; for (4) normal
    σ            its standard deviation
    net          a network that takes (N, D) and answers (N,) or (N, 1), each sample by itself
    f    (N,)    its answers
    G    (N, D)  their slopes
    Δ    (N,)    their curvatures, the traces of their second derivatives

Equations
    (1)  E_ε ‖(X + ε) w - y‖² = ‖X w - y‖² + N σ² ‖w‖²                                      noisy_least_squares
    (2)  X + σ √D 1 e_jᵀ and X - σ √D 1 e_jᵀ, each with y, for j = 1 ... D                  noise_by_copies
    (3)  f_n = net(x_n), G_nj = ∂f_n/∂x_nj, Δ_n = Σ_j ∂²f_n/∂x_nj²                          slopes
    (4)  E_ε (net(x_n + ε_n) - y_n)² = (f_n - y_n)² + σ² (‖G_n‖² + (f_n - y_n) Δ_n) + O(σ⁴)  tikhonov

Choices
    In (2) column j of all samples is moved by σ √D, once up and once down.  The mean over the 2 D copies of a squared
    error is (1), whatever w: least squares on the copies finds the weights of ridge regression on X, with an intercept
    as well, since the copies have the means of X.
    (3) asks a network outside of training, where each sample is by itself and nothing is drawn.  Of a network of ReLUs,
    linear in pieces, Δ is 0, and (4) misses what happens at the kinks.

Cost
    (1) and (4) take O(N D) time, (2) O(N D²) time and memory, (3) D + 1 sweeps, all but the first through the first.

>>> from scratchml.timeseries import Ridge
>>> X, y = np.array([[1.0, 0], [2, 1], [0, 3]]), np.array([1.0, 4, 6])
>>> Ridge(alpha=0).fit(*noise_by_copies(X, y, σ=0.5)).coef_.round(6)
array([0.351816, 1.483748])
>>> Ridge(alpha=3 * 0.5**2).fit(X, y).coef_.round(6)
array([0.351816, 1.483748])

Sources: A. Webb, "Functional approximation by feed-forward networks: a least-squares approach to generalization", IEEE
Transactions on Neural Networks 5 (1994); C. Bishop, "Training with noise is equivalent to Tikhonov regularization",
Neural Computation 7 (1995), equations 10 to 13 for (4).
"""
import numpy as np

from scratchml.autograd import Tensor, enable_grad, grad
from scratchml.core.checks import as_matrix, as_vector, finite, real_number
from scratchml.nn.module import Module

# --- weighted sums -------------------------------------------------------------------------------


def noisy_least_squares(X, w, y, σ):
    """(1)  E_ε ‖(X + ε) w - y‖² = ‖X w - y‖² + N σ² ‖w‖²

    Shapes: X (N, D), w (D), y (N), σ -> ()
    """
    return np.square(X @ w - y).sum() + len(X) * σ**2 * np.square(w).sum()


def noise_by_copies(X, y, σ):
    """(2)  X + σ √D 1 e_jᵀ and X - σ √D 1 e_jᵀ, each with y, for j = 1 ... D

    Returns the copies as one table, (2 D N, D) and (2 D N,).  Raises ValueError for bad input, and for copies that
    cannot be held.

    Shapes: X (N, D), y (N), σ -> (2*D*N, D), (2*D*N)

    Parameters
    ----------
    X : array (N, D)
        Inputs.
    y : array (N,)
        Targets.
    σ : float
        Standard deviation of the noise.
    """
    X = as_matrix(X)
    N, D = X.shape
    y, σ = as_vector(y, name="y", size=N), real_number(σ, "σ")
    steps = np.concatenate([np.eye(D), -np.eye(D)]) * (σ * np.sqrt(D))             # (2D, D)
    with np.errstate(over="ignore"):
        copies = (X + steps[:, None].astype(X.dtype)).reshape(-1, D)
    return finite(copies, "X, σ: the copies"), np.tile(y, 2 * D)


# --- networks ------------------------------------------------------------------------------------


def slopes(net, X):
    """(3)  f_n = net(x_n), G_nj = ∂f_n/∂x_nj, Δ_n = Σ_j ∂²f_n/∂x_nj²

    Arrays in the dtype of the network's weights.  Raises ValueError for a network in training, one that does not answer
    with a number for each sample, and bad input.

    Shapes: net, X (N, D) -> (N), (N, D), (N)

    Parameters
    ----------
    net : Module
        A network, outside of training.
    X : array (N, D)
        Inputs.
    """
    if not isinstance(net, Module) or net.training:
        raise ValueError(f"net: expected a Module outside of training, got {type(net).__name__}"
                         f"{' in training; call net.eval()' if isinstance(net, Module) else ''}")
    dtype = next((p.dtype for p in net.parameters()), np.float64)
    with np.errstate(over="ignore"):                     # what the type cannot hold becomes infinite, and is refused
        x = Tensor(finite(as_matrix(X).astype(dtype), "X"), requires_grad=True)
    with enable_grad():
        f = net(x)
        if f.shape not in {(len(x),), (len(x), 1)}:
            raise ValueError(f"net: expected a number for each of {len(x)} samples, got shape {f.shape}")
        G, = grad(f.sum(), x, create_graph=True, materialize_grads=True)
        Δ = np.zeros(len(x), dtype)
        for j in range(x.shape[1]):
            curved, = grad(G[:, j].sum(), x, retain_graph=True, materialize_grads=True)
            Δ += curved.data[:, j]
    return f.detach().numpy().reshape(-1), G.detach().numpy(), Δ


def tikhonov(f, y, G, Δ, σ):
    """(4)  E_ε (net(x_n + ε_n) - y_n)² = (f_n - y_n)² + σ² (‖G_n‖² + (f_n - y_n) Δ_n) + O(σ⁴)

    Shapes: f (N), y (N), G (N, D), Δ (N), σ -> (N)
    """
    return (f - y)**2 + σ**2 * (np.square(G).sum(axis=1) + (f - y) * Δ)
