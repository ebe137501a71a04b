"""From SNE to t-SNE: three ways to say that a map keeps the neighbours together, and their gradients.

A map gives each point a place y_i in a plane.  Ask the points of the map, as the chapter on affinities asks those of
the data, whom they would pick as a neighbour: the map is good if the answers are alike.  How unlike they are is a
Kullback-Leibler divergence, in nats: what it costs to take the q of the map for the p of the data.  It is heavy where
neighbours in the data are far apart in the map, and light where strangers are close.

SNE (the lecture's) compares the conditional choices, a Gaussian on each side.  Symmetric SNE compares one joint
distribution: the same idea, a simpler gradient.  t-SNE keeps that and changes the map's Gaussian for a heavy tail.
That cures crowding.  In ten dimensions eleven points can be equally far from each other, in a plane three; and most of
a ball in D dimensions lies near its rim, far more than the rim of a disc can hold.  So a map that draws near neighbours
at their true distance has no room for the moderately near ones, and with a Gaussian q, under which extra distance costs
its square, all is pressed into one lump.  Under 1 / (1 + r²) the same small q is had much farther out: a Gaussian
reaches e⁻⁹ at a distance r = 3, the heavy tail at r = 90.  Clusters draw apart, and each finds room.

Symbols
    Y  (N, F)  the map, a point y_i a row, F = 1, 2 or 3
    R  (N, N)  conditional affinities of the data, R_ij = p_{j|i}, each row sums to one
    P  (N, N)  joint affinities of the data, symmetric, all of it sums to one

Equations
    (1)  q_{j|i} = exp(-‖y_i - y_j‖²) / Σ_{k≠i} exp(-‖y_i - y_k‖²)                   sne_similarities
    (2)  q_ij = exp(-‖y_i - y_j‖²) / Σ_{k≠l} exp(-‖y_k - y_l‖²)                      symmetric_similarities
    (3)  q_ij = w_ij / Σ_{k≠l} w_kl, w_ij = 1 / (1 + ‖y_i - y_j‖²)                   tsne_similarities
    (4)  C = (1/N) Σ_i Σ_j p_{j|i} log(p_{j|i} / q_{j|i}), with (1)                  sne_cost
    (5)  C = Σ_ij p_ij log(p_ij / q_ij), with (2)                                    symmetric_cost
    (6)  C = Σ_ij p_ij log(p_ij / q_ij), with (3)                                    tsne_cost
    (7)  ∂C/∂y_i = (2/N) Σ_j (p_{j|i} - q_{j|i} + p_{i|j} - q_{i|j}) (y_i - y_j)     sne_gradient
    (8)  ∂C/∂y_i = 4 Σ_j (p_ij - q_ij) (y_i - y_j)                                   symmetric_gradient
    (9)  ∂C/∂y_i = 4 Σ_j (p_ij - q_ij) w_ij (y_i - y_j)                              tsne_gradient

Derivation of (9), and of the others on the way.  Write d_kl = ‖y_k - y_l‖² and q_kl = e^-φ(d_kl) / Z, Z = Σ_{k≠l}
e^-φ(d_kl). Since P sums to one, C = Σ p log p + Σ_kl p_kl φ(d_kl) + log Z.  One d_kl, taken for itself, enters the
second term with p_kl φ'(d_kl) and the third with -e^-φ(d_kl) φ'(d_kl) / Z = -q_kl φ'(d_kl), so ∂C/∂d_kl = (p_kl - q_kl)
φ'(d_kl).  Of all d, y_i moves d_ij and d_ji, each by 2 (y_i - y_j); with P and Q symmetric that is 4 Σ_j (p_ij - q_ij)
φ'(d_ij) (y_i - y_j).  A Gaussian has φ(d) = d, φ' = 1, which is (8); the heavy tail φ(d) = log(1 + d), φ' = 1 / (1 + d)
= w, which is (9).  In (4) each row has a Z_i of its own, so ∂C/∂d_kl = (p_{l|k} - q_{l|k}) / N, and d_ij and d_ji add
up to (7).

Choices
    (4) is the mean over i where Hinton and Roweis have the sum, so that all three costs are of one size, and one
    learning rate serves.  (7) then is (8) with the joint affinities on both sides: R enters it as P only.
    q_ii is 0, and 0 log 0 is 0.  Costs take the logarithms of (1) to (3), which stay finite where q underflows.
    The module forces has (5) to (9) for many points: every pair in every gradient, but no N x N matrix beside P.

Cost
    O(N² F) time and O(N²) memory for each.

>>> Y = np.array([[0.], [1], [3]])
>>> P = tsne_similarities(Y)                            # affinities for which the map is perfect
>>> float(tsne_cost(P, Y)), tsne_gradient(P, Y).tolist()
(0.0, [[0.0], [0.0], [0.0]])

Sources: G. Hinton and S. Roweis, "Stochastic neighbor embedding", NIPS 15 (2003), equations 3 to 5, for (1), (4), (7);
L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), equations 3 to 6, appendix A.
"""
import numpy as np

from scratchml.core.distances import squared_euclidean
from scratchml.core.jit import kernel
from scratchml.core.logspace import logsumexp, logsumexp_rows

# --- similarities in the map ---------------------------------------------------------------------


def sne_similarities(Y):
    """(1)  q_{j|i} = exp(-‖y_i - y_j‖²) / Σ_{k≠i} exp(-‖y_i - y_k‖²)

    Shapes: Y (N, F) -> (N, N)
    """
    return np.exp(_log_sne(Y))


def symmetric_similarities(Y):
    """(2)  q_ij = exp(-‖y_i - y_j‖²) / Σ_{k≠l} exp(-‖y_k - y_l‖²)

    Shapes: Y (N, F) -> (N, N)
    """
    return np.exp(_log_symmetric(Y))


def tsne_similarities(Y):
    """(3)  q_ij = w_ij / Σ_{k≠l} w_kl, w_ij = 1 / (1 + ‖y_i - y_j‖²)

    Shapes: Y (N, F) -> (N, N)
    """
    return np.exp(_log_tsne(Y))


def _log_sne(Y):
    L = _off_diagonal(-squared_euclidean(Y, Y))
    return L - logsumexp_rows(L)[:, None]


def _log_symmetric(Y):
    L = _off_diagonal(-squared_euclidean(Y, Y))
    return L - logsumexp(L.ravel())


def _log_tsne(Y):
    L = _off_diagonal(-np.log1p(squared_euclidean(Y, Y)))
    return L - logsumexp(L.ravel())


def _off_diagonal(L):
    """`L` with -inf, the logarithm of 0, on its diagonal."""
    np.fill_diagonal(L, -np.inf)
    return L


# --- what is minimised ---------------------------------------------------------------------------


def sne_cost(R, Y):
    """(4)  C = (1/N) Σ_i Σ_j p_{j|i} log(p_{j|i} / q_{j|i}), with (1)

    Shapes: R (N, N), Y (N, F) -> ()
    """
    return _divergence(R, _log_sne(Y)) / len(Y)


def symmetric_cost(P, Y):
    """(5)  C = Σ_ij p_ij log(p_ij / q_ij), with (2)

    Shapes: P (N, N), Y (N, F) -> ()
    """
    return _divergence(P, _log_symmetric(Y))


def tsne_cost(P, Y):
    """(6)  C = Σ_ij p_ij log(p_ij / q_ij), with (3)

    Shapes: P (N, N), Y (N, F) -> ()
    """
    return _divergence(P, _log_tsne(Y))


def _divergence(P, log_Q):
    """Σ p (log p - log q) over all p > 0."""
    some = P > 0
    return float((P[some] * (np.log(P[some]) - log_Q[some])).sum())


# --- which way is down ---------------------------------------------------------------------------


def sne_gradient(R, Y):
    """(7)  ∂C/∂y_i = (2/N) Σ_j (p_{j|i} - q_{j|i} + p_{i|j} - q_{i|j}) (y_i - y_j)

    Shapes: R (N, N), Y (N, F) -> (N, F)
    """
    surplus = R - sne_similarities(Y)
    return 2 / len(Y) * pull(surplus + surplus.T, Y)


def symmetric_gradient(P, Y):
    """(8)  ∂C/∂y_i = 4 Σ_j (p_ij - q_ij) (y_i - y_j)

    Shapes: P (N, N), Y (N, F) -> (N, F)
    """
    return 4 * pull(P - symmetric_similarities(Y), Y)


def tsne_gradient(P, Y):
    """(9)  ∂C/∂y_i = 4 Σ_j (p_ij - q_ij) w_ij (y_i - y_j)

    Shapes: P (N, N), Y (N, F) -> (N, F)
    """
    w = 1 / (1 + squared_euclidean(Y, Y))
    return 4 * pull((P - tsne_similarities(Y)) * w, Y)


@kernel
def pull(A, Y):
    """Σ_j A_ij (y_i - y_j) for each i, (N, F): springs of stiffness A (N, N) between the points Y (N, F)."""
    force = np.zeros(Y.shape)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[0]):
            for k in range(Y.shape[1]):
                force[i, k] += A[i, j] * (Y[i, k] - Y[j, k])
    return force
