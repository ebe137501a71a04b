"""The variational autoencoder: codes that are drawn, so that any code drawn at random stands for something.

An autoencoder says nothing of the codes between those that it has seen.  Here codes come first: z is drawn from a
standard normal distribution, and x from p(x|z), whose mean a decoder makes of z.  How probable is x then?  p(x) is an
integral over all z, which no one can do.  But for any distribution q(z|x) that an encoder may propose,

    log p(x) = log E_q[p(x, z) / q(z|x)] ≥ E_q[log p(x, z) - log q(z|x)] = E_q[log p(x|z)] - KL(q(z|x) ‖ p(z)),

since the logarithm of a mean is at least the mean of the logarithms.  This is the evidence lower bound, ELBO.  Both
nets raise it together: the first term asks that x be rebuilt, the second that q be no further from the prior than that
takes.  What is missing to log p(x) is KL(q(z|x) ‖ p(z|x)); with several draws, (7), it is less.

Both terms are sums, over the features of x and over the numbers of z, and only over samples a mean is taken.  Whoever
takes a mean over the features instead makes the other term D times as heavy, which often leaves nothing of the code:
that mistake is one of the commonest in the field.

The expectation is over draws that depend on the encoder's weights.  Its slope could be had from any f by (10), the
score function's, but with a variance that grows with f itself.  Written as z = μ + σ ε with an ε that depends on
nothing, a draw has a slope, and (9) uses it.

If all maps are linear and the noise is of one size, the best bound is the best likelihood of probabilistic PCA, (12):
posteriors there are normal with the same variances for each x, which q can be.  N stands in these variances, not N - 1.

Symbols
    X        (N, D)  samples x
    Y        (N, D)  what the decoder says: log odds of each x_d, or means x̂_d
    e, a             layers of the encoder, the last with 2F outputs; what is applied between layers
    μ, l     (N, F)  means, and logarithms of the variances σ², of q(z|x); h are outputs before their bound
    ε        (N, F)  standard normal numbers
    Z     (K, N, F)  K draws of codes for each sample
    A        (K, N)  log p(x|z) of each
    R, Q     (N,)    E[-log p(x|z)], or one draw of it; the divergence of q(z|x) from the prior
    G        (K, F)  slopes ∂f/∂z at K draws of one code
    f        (K,)    values of a function f there
    u        (K, F)  the standard normal numbers that made these draws
    v        (F,)    log σ² of these draws; in (11) those of all posteriors
    s2               variance of x about its mean, s²
    β                price of the divergence, 1 for the bound
    V, W     (F, D), (D, F)   linear maps to and from codes
    c        (D,)    variances along the principal components, falling, with N in the denominator
    F, K             how many numbers a code has, how many draws are taken

Equations
    (1)  μ, l = heads of the encoder: its first F outputs h, and 20 tanh(h / 20) of the others    posterior
    (2)  z = μ + σ ε with σ = e^(l/2)                                                      reparameterised
    (3)  KL = ½ Σ_j (μ_j² + σ_j² - 1 - log σ_j²)                                           gaussian_kl
    (4)  -log p(x|z) = Σ_d (log(1 + e^y_d) - x_d y_d)                                      bernoulli_surprise
    (5)  -log p(x|z) = ½ Σ_d ((x_d - y_d)² / s² + log 2πs²)                                gaussian_surprise
    (6)  -ELBO = 1/N Σ_i (R_i + β Q_i)                                                     negative_elbo
    (7)  log p(x) ≥ E log 1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x)                               importance_bound
    (8)  ∂KL/∂μ = μ, ∂KL/∂l = ½ (σ² - 1)                                                   kl_slopes
    (9)  ∂E[f(z)]/∂μ ≈ 1/K Σ_k ∂f/∂z_k                                                     pathwise_gradient
    (10)  ∂E[f(z)]/∂μ ≈ 1/K Σ_k f(z_k) u_k / σ                                             score_gradient
    (11)  (6) for z = V x + σ ε, y = W z: R_i = ½ ((‖x_i - W V x_i‖² + Σ_j σ_j²‖w_j‖²) / s² + D log 2πs²)    linear_elbo
    (12)  max ELBO = -½ (D log 2π + Σ_{f≤F} log c_f + (D-F) log s² + D), s² = 1/(D-F) Σ_{f>F} c_f    linear_optimum

Choices
    The bound on l is smooth: σ stays within e^±10, and slopes do not vanish before.  An exponential of unbounded heads
    is how such networks often end, in NaN.
    (4) takes numbers between 0 and 1 as well as 0 and 1.  It is no likelihood then, and its least value is not 0 but
    the entropy of the x_d, which should be told beside it.
    The s² of (5) is learned, one for all features, and is kept above 10⁻⁶ of the mean variance of the data: data that
    can be rebuilt exactly would have an infinite likelihood.
    The network sees x in the units of the chapter network_codes; bounds are of the density of x itself.
    In (7) the sum is taken of exponentials of differences from the largest.

Cost
    A step takes O(B) times the number of weights, (7) K passes through the decoder for each sample.

>>> gaussian_kl(np.array([[0.0, 0.0], [1.0, 2.0]]), np.zeros((2, 2))).data.tolist()
[0.0, 2.5]
>>> round(bernoulli_surprise(np.array([[1.0, 0.0]]), np.array([[0.0, -100.0]])).item(), 6)
0.693147

Sources: D. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014, equations 3 to 10, appendix B; Y. Burda
and others, "Importance weighted autoencoders", ICLR 2016, for (7); I. Higgins and others, "beta-VAE", ICLR 2017, for β;
J. Lucas and others, "Don't blame the ELBO", NeurIPS 2019, for (11) and (12); M. Tipping and C. Bishop, "Probabilistic
principal component analysis", J. Royal Statistical Society B 61 (1999), for the likelihood in (12).
"""
import itertools
import math

import numpy as np

from scratchml.autograd import Fused
from scratchml.autograd.ops import as_tensor
from scratchml.nn.containers import ModuleList
from scratchml.nn.layers import Linear
from scratchml.nn.losses import binary_surprise_and_slope
from scratchml.nn.module import Module, Parameter
from scratchml.reduction.autoencoder import decode, encode
from scratchml.reduction.network_codes import ACTIVATIONS

BOUND = 20.0                                             # of log σ²
LEAST = 1e-6                                             # of s², in units of the mean variance of the data

# --- codes that are drawn ------------------------------------------------------------------------


def posterior(X, e, a):
    """(1)  μ, l = heads of the encoder: its first F outputs h, and 20 tanh(h / 20) of the others

    Shapes: X (N, D), e, a -> (N, F), (N, F)
    """
    h = encode(X, e, a)
    F = h.shape[1] // 2
    return h[:, :F], BOUND * (h[:, F:] / BOUND).tanh()


def reparameterised(μ, l, ε):
    """(2)  z = μ + σ ε with σ = e^(l/2)

    Shapes: μ (N, F), l (N, F), ε (N, F) -> (N, F)
    """
    return as_tensor(μ) + (as_tensor(l) / 2).exp() * ε


def gaussian_kl(μ, l):
    """(3)  KL = ½ Σ_j (μ_j² + σ_j² - 1 - log σ_j²)

    Shapes: μ (N, F), l (N, F) -> (N)
    """
    μ, l = as_tensor(μ), as_tensor(l)
    return 0.5 * (μ * μ + l.exp() - 1 - l).sum(-1)


# --- what is rebuilt -----------------------------------------------------------------------------


def bernoulli_surprise(X, Y):
    """(4)  -log p(x|z) = Σ_d (log(1 + e^y_d) - x_d y_d)

    Shapes: X (N, D), Y (N, D) -> (N)
    """
    return BERNOULLI(as_tensor(Y), X=X)


def gaussian_surprise(X, Y, s2):
    """(5)  -log p(x|z) = ½ Σ_d ((x_d - y_d)² / s² + log 2πs²)

    Shapes: X (N, D), Y (N, D), s2 -> (N)
    """
    s2 = as_tensor(s2, Y)
    return 0.5 * (SQUARES(as_tensor(Y), X=X) / s2 + X.shape[-1] * (2 * math.pi * s2).log())


# --- the bound -----------------------------------------------------------------------------------


def negative_elbo(R, Q, β):
    """(6)  -ELBO = 1/N Σ_i (R_i + β Q_i)

    Shapes: R (N), Q (N), β -> ()
    """
    return (as_tensor(R) + β * as_tensor(Q)).mean()


def importance_bound(A, Z, μ, l):
    """(7)  log p(x) ≥ E log 1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x)

    Shapes: A (K, N), Z (K, N, F), μ (N, F), l (N, F) -> (N)
    """
    ratio = 0.5 * ((Z - μ) ** 2 * np.exp(-l) + l - Z ** 2).sum(axis=2)         # log p(z) - log q(z|x), (K, N)
    weights = A + ratio
    top = weights.max(axis=0)
    return top + np.log(np.exp(weights - top).mean(axis=0))


# --- slopes --------------------------------------------------------------------------------------


def kl_slopes(μ, l):
    """(8)  ∂KL/∂μ = μ, ∂KL/∂l = ½ (σ² - 1)

    Shapes: μ (N, F), l (N, F) -> (N, F), (N, F)
    """
    return μ, 0.5 * (np.exp(l) - 1)


def pathwise_gradient(G):
    """(9)  ∂E[f(z)]/∂μ ≈ 1/K Σ_k ∂f/∂z_k

    Shapes: G (K, F) -> (F)
    """
    return G.mean(axis=0)


def score_gradient(f, u, v):
    """(10)  ∂E[f(z)]/∂μ ≈ 1/K Σ_k f(z_k) u_k / σ

    Shapes: f (K), u (K, F), v (F) -> (F)
    """
    return (f[:, None] * u).mean(axis=0) / np.exp(v / 2)


# --- what a linear network can reach -------------------------------------------------------------


def linear_elbo(X, V, W, v, s2):
    """(11)  (6) for z = V x + σ ε, y = W z: R_i = ½ ((‖x_i - W V x_i‖² + Σ_j σ_j²‖w_j‖²) / s² + D log 2πs²)

    Shapes: X (N, D), V (F, D), W (D, F), v (F), s2 -> ()
    """
    W, v, s2 = as_tensor(W), as_tensor(v), as_tensor(s2)
    μ = as_tensor(X) @ as_tensor(V).mT
    spread = (v.exp() * (W * W).sum(0)).sum()
    R = gaussian_surprise(X, μ @ W.mT, s2) + 0.5 * spread / s2
    return negative_elbo(R, gaussian_kl(μ, v), 1.0)


def linear_optimum(c, F):
    """(12)  max ELBO = -½ (D log 2π + Σ_{f≤F} log c_f + (D-F) log s² + D), s² = 1/(D-F) Σ_{f>F} c_f

    Shapes: c (D), F -> ()
    """
    D = len(c)
    return -0.5 * float(D * np.log(2 * np.pi) + np.log(c[:F]).sum() + (D - F) * np.log(c[F:].mean()) + D)


# --- the network ---------------------------------------------------------------------------------


class VariationalNetwork(Module):
    """An encoder with heads for μ and log σ², a decoder, and for the Gaussian likelihood the noise s².

    Parameters
    ----------
    sizes : list of int
        D, the lengths of the hidden layers, F.
    activation : str
        The name of a.
    likelihood : str
        "bernoulli" or "gaussian".
    dtype : numpy.dtype
        The type of the weights.
    rng : numpy.random.Generator
        Source of the first weights.
    """

    settings = ("activation", "likelihood")

    def __init__(self, sizes, activation, likelihood, dtype, rng):
        self.activation, self.likelihood = activation, likelihood
        ends = itertools.pairwise([*sizes[:-1], 2 * sizes[-1]])
        self.encoder = ModuleList(Linear(*pair, dtype=dtype, random_state=rng) for pair in ends)
        back = itertools.pairwise(sizes[::-1])
        self.decoder = ModuleList(Linear(*pair, dtype=dtype, random_state=rng) for pair in back)
        self.log_noise = Parameter(np.zeros(1, dtype)) if likelihood == "gaussian" else None

    def forward(self, x):
        return self.decode(self.encode(x))

    def heads(self, x):
        """What (1) makes μ and l of, (N, 2F)."""
        return encode(x, _weights(self.encoder), ACTIVATIONS[self.activation])

    def encode(self, x):
        """Means (N, F) of the codes of samples (N, D)."""
        return self.posterior(x)[0]

    def posterior(self, x):
        return posterior(x, _weights(self.encoder), ACTIVATIONS[self.activation])

    def says(self, z):
        """Y (N, D) of codes (N, F): log odds, or means."""
        return decode(z, _weights(self.decoder), ACTIVATIONS[self.activation], ACTIVATIONS["identity"])

    def decode(self, z):
        """Means (N, D) of the samples that codes (N, F) stand for."""
        return self.says(z) if self.log_noise is not None else self.says(z).sigmoid()

    @property
    def s2(self):
        """s², a Tensor with one entry."""
        return self.log_noise.exp() + LEAST

    def surprises(self, x, y):
        """(4) or (5), (N,)."""
        return bernoulli_surprise(x, y) if self.log_noise is None else gaussian_surprise(x, y, self.s2)


def _weights(layers):
    return [(layer.weight, layer.bias) for layer in layers]


# --- fused ---------------------------------------------------------------------------------------


def _drawn(h, *, ε):
    """Same result as (1) with (2) and (3), because it takes the same steps: z and KL of heads `h` (N, 2F)."""
    μ, other = np.split(h, 2, axis=1)
    bent = np.tanh(other / BOUND)
    l = BOUND * bent
    σ = np.exp(l / 2)
    added = σ * ε
    return (μ + added, 0.5 * (μ * μ + σ * σ - 1 - l).sum(axis=1)), (μ, σ, added, bent)


def _drawn_gradient(saved, by_z, by_kl):
    μ, σ, added, bent = saved
    by_kl = by_kl[:, None]
    by_l = 0.5 * (by_z * added + by_kl * (σ * σ - 1))
    return np.concatenate([by_z + by_kl * μ, by_l * (1 - bent * bent)], axis=1)


DRAWN = Fused(_drawn, _drawn_gradient, fresh=True)


def _squares(Y, *, X):
    apart = Y - X
    return np.einsum("nd,nd->n", apart, apart), apart


SQUARES = Fused(_squares, lambda apart, g: 2 * g[:, None] * apart, fresh=True)


def _bernoulli(Y, *, X):
    surprise, slope = binary_surprise_and_slope(Y, X)
    return surprise.sum(axis=-1), slope


BERNOULLI = Fused(_bernoulli, lambda slope, g: g[:, None] * slope, fresh=True)
