"""The autoencoder: a network that has to say its input again, through a bottleneck of a few numbers.

Ask a network for nothing but its own input.  If a layer in the middle has only F numbers, they have to hold what is
needed to rebuild the rest: they are a code.  Unlike a map by t-SNE, the network codes points that it has never seen.

If all its maps are linear, this is an old acquaintance.  The best plane on which to project is that of the first F
principal components, so no linear network can do better than (10) with λ = 0; and its loss has no other minimum, all
else that is stationary being a saddle.  But only the plane is found: for any invertible M, the codes M z, decoded by
W M⁻¹, are as good.  It is sometimes said that the decoder's singular vectors are the components; without a price on
weights they are any basis of the plane.  The price (8) settles it.  Say a direction of variance c is coded by a
weight w and rebuilt by v: it costs c (1 - w v)² + λ (w² + v²), least where w = v and w² = 1 - λ/c, or 0 if λ > c.  So
each direction gets a singular value of its own, (11), larger where the data vary more, and (12) reads the components
off.

With a curve between the maps the code can follow data that lie on no plane.  Then the bottleneck is not the only way to
keep it from learning the identity.  A denoising autoencoder gets its input spoilt, (5) or (6), and is asked for what it
was; so it learns what goes with what.  A sparse one may have more units than there are features, but each of them may
be active for few samples only, (7).

Symbols
    X, Y     (N, D)  samples x, a row each, and what is made of them: x̂, or x̃
    Z        (N, F)  codes z, or before the last sigmoid what becomes of them
    e, d             layers of the encoder and decoder: pairs of W (H, D) and b (H,), the first to the last, L in all
    a, o             what is applied between layers, and to what comes out: functions of Tensors, entry by entry
    k                biases of a tied decoder, c_1 ... c_L
    m        (N, D)  1 for entries that stay, 0 for those that are masked, with a probability p
    ε        (N, D)  standard normal numbers
    σ                how much noise
    ρ, β             how active a unit shall be on average, and what it costs to differ
    W        (D, F)  the decoder of a linear network
    λ                price of weights
    c        (R,)    variances along the principal components, falling: (N-1)/N of those in the chapter pca
    F                how many numbers a code has

Equations
    (1)  z = W_L a(... a(W_1 x + b_1) ...) + b_L with the layers e                         encode
    (2)  x̂ = o(W_L a(... a(W_1 z + b_1) ...) + b_L) with the layers d                      decode
    (3)  x̂ = o(W_1ᵀ a(... a(W_Lᵀ z + c_1) ...) + c_L) with the W of the encoder e          tied_decode
    (4)  L = 1/N Σ_i ‖x_i - x̂_i‖²                                                          reconstruction_loss
    (5)  x̃ = x ⊙ m                                                                         masked
    (6)  x̃ = x + σ ε                                                                       with_noise
    (7)  Ω = β Σ_j (ρ log(ρ/r_j) + (1-ρ) log((1-ρ)/(1-r_j))), r_j = 1/N Σ_i 1/(1 + e^-z_ij)    sparsity
    (8)  P = λ Σ ‖W‖², over the layers e and d                                             weight_penalty
    (9)  ∂L/∂x̂_i = 2/N (x̂_i - x_i)                                                         reconstruction_slope
    (10)  min (L + P) = Σ_f c_f - Σ_{f≤F} max(c_f - λ, 0)² / c_f, all linear               linear_minimum
    (11)  s_f = √max(1 - λ/c_f, 0), the singular values of both layers there               linear_singular_values
    (12)  u_1, u_2, ... with W = Σ_f s_f u_f v_fᵀ, s_1 ≥ s_2 ≥ ...                         principal_directions

Choices
    What is minimised is (4) + (7) + (8), in the squared units of the data.  x stands for x - μ: the network sees the
    data without their mean, divided by a common unit s (chapter network_codes), and what is masked becomes the mean.
    With output "sigmoid" the data lie in [0, 1] and x̂ too, and (4) compares these as they are.
    A sparse code is 1 / (1 + e^-z), what (7) speaks of: between 0 and 1, and the decoder sees no more.  Else a bias
    could make any code as small as (7) likes.  The logarithms are of means of 1 / (1 + e^z), never of 1 - r, so that
    units that are always on have a finite price.
    A tied layer's W is one Parameter, and counts twice in (8).

Cost
    A step takes O(B) times the number of weights, a code of a new sample half of that number.

>>> c = np.array([5.0, 2.0, 0.5])                        # variances; two of three directions are kept
>>> round(linear_minimum(c, 2, 0.0), 4), round(linear_minimum(c, 2, 1.0), 4)
(0.5, 3.8)
>>> linear_singular_values(c, 2, 1.0).round(4).tolist()
[0.8944, 0.7071]

Sources: H. Bourlard and Y. Kamp, "Auto-association by multilayer perceptrons and singular value decomposition",
Biological Cybernetics 59 (1988), for (10); P. Baldi and K. Hornik, "Neural networks and principal component analysis",
Neural Networks 2 (1989), for its saddles; D. Kunin and others, "Loss landscapes of regularized linear autoencoders",
ICML 2019, for (11) and (12); P. Vincent and others, "Stacked denoising autoencoders", JMLR 11 (2010), for (5) and (6);
H. Lee and others, "Sparse deep belief net model for visual area V2", NIPS 2007, for units that are seldom active.
"""
import itertools

import numpy as np

from scratchml.autograd import Fused
from scratchml.autograd.ops import as_tensor
from scratchml.nn.containers import ModuleList, ParameterList
from scratchml.nn.layers import AFFINE, Linear
from scratchml.nn.module import Module
from scratchml.reduction.network_codes import ACTIVATIONS
from scratchml.reduction.pca import fix_signs

# --- there and back ------------------------------------------------------------------------------


def encode(X, e, a):
    """(1)  z = W_L a(... a(W_1 x + b_1) ...) + b_L with the layers e

    Shapes: X (N, D), e, a -> (N, F)
    """
    return _chain(X, e, a)


def decode(Z, d, a, o):
    """(2)  x̂ = o(W_L a(... a(W_1 z + b_1) ...) + b_L) with the layers d

    Shapes: Z (N, F), d, a, o -> (N, D)
    """
    return o(_chain(Z, d, a))


def tied_decode(Z, e, k, a, o):
    """(3)  x̂ = o(W_1ᵀ a(... a(W_Lᵀ z + c_1) ...) + c_L) with the W of the encoder e

    Shapes: Z (N, F), e, k, a, o -> (N, D)
    """
    return decode(Z, [(as_tensor(W).mT, c) for (W, _), c in zip(reversed(e), k)], a, o)


def _chain(x, layers, a):
    """The layers one after the other, `a` between them, of a Tensor or array (N, H)."""
    x = as_tensor(x)
    for i, (W, b) in enumerate(layers):
        x = AFFINE(a(x) if i else x, W, b, learned=(x.requires_grad or i > 0, getattr(W, "requires_grad", False)))
    return x


# --- what is minimised ---------------------------------------------------------------------------


def reconstruction_loss(X, Y):
    """(4)  L = 1/N Σ_i ‖x_i - x̂_i‖²

    A sum over features and a mean over samples; a Tensor.

    Shapes: X (N, D), Y (N, D) -> ()
    """
    return RECONSTRUCTION(as_tensor(Y), X=X)


def masked(X, m):
    """(5)  x̃ = x ⊙ m

    Shapes: X (N, D), m (N, D) -> (N, D)
    """
    return X * m


def with_noise(X, ε, σ):
    """(6)  x̃ = x + σ ε

    Shapes: X (N, D), ε (N, D), σ -> (N, D)
    """
    return X + X.dtype.type(σ) * ε


def sparsity(Z, ρ, β):
    """(7)  Ω = β Σ_j (ρ log(ρ/r_j) + (1-ρ) log((1-ρ)/(1-r_j))), r_j = 1/N Σ_i 1/(1 + e^-z_ij)

    Shapes: Z (N, F), ρ, β -> ()
    """
    Z = as_tensor(Z)
    on, off = ((-softplus).logsumexp(0) - np.log(len(Z)) for softplus in ((-Z).softplus(), Z.softplus()))
    surprise = -ρ * on - (1 - ρ) * off                   # (F,): log r_j and log(1 - r_j), none of which underflows
    least = -ρ * np.log(ρ) - (1 - ρ) * np.log1p(-ρ)
    return β * (surprise - least).sum()


def weight_penalty(e, d, λ):
    """(8)  P = λ Σ ‖W‖², over the layers e and d

    Shapes: e, d, λ -> ()
    """
    return λ * sum((as_tensor(W) ** 2).sum() for W, _ in [*e, *d])


def reconstruction_slope(X, Y):
    """(9)  ∂L/∂x̂_i = 2/N (x̂_i - x_i)

    Shapes: X (N, D), Y (N, D) -> (N, D)
    """
    return X.dtype.type(2 / len(X)) * (Y - X)


def _reconstruction(Y, *, X):
    apart = Y - X
    return np.asarray(np.vdot(apart, apart) / len(X), Y.dtype), apart


def _reconstruction_gradient(apart, g):
    return apart * apart.dtype.type(2 / len(apart) * g)


RECONSTRUCTION = Fused(_reconstruction, _reconstruction_gradient, fresh=True)

# --- what a linear network can reach -------------------------------------------------------------


def linear_minimum(c, F, λ):
    """(10)  min (L + P) = Σ_f c_f - Σ_{f≤F} max(c_f - λ, 0)² / c_f, all linear

    Shapes: c (R), F, λ -> ()
    """
    kept = c[:F][c[:F] > λ]
    return float(c.sum() - ((kept - λ) ** 2 / kept).sum())


def linear_singular_values(c, F, λ):
    """(11)  s_f = √max(1 - λ/c_f, 0), the singular values of both layers there

    Shapes: c (R), F, λ -> (F)
    """
    return np.sqrt(np.maximum(1 - λ / np.maximum(c[:F], np.finfo(float).tiny), 0))


def principal_directions(W):
    """(12)  u_1, u_2, ... with W = Σ_f s_f u_f v_fᵀ, s_1 ≥ s_2 ≥ ...

    As rows, with the signs of the chapter pca.

    Shapes: W (D, F) -> (F, D)
    """
    return fix_signs(np.linalg.svd(W, full_matrices=False)[0].T)


# --- the network ---------------------------------------------------------------------------------


class Bottleneck(Module):
    """An encoder and a decoder, (1) and (2), or (3) if `tied`: of rows (N, D) again rows (N, D).

    Parameters
    ----------
    sizes : list of int
        D, the lengths of the hidden layers, F.
    activation, output : str
        The names of a and o.
    tied : bool
        Whether the decoder has the weights of the encoder.
    sparse : bool
        Whether a sigmoid makes the code.
    dtype : numpy.dtype
        The type of the weights.
    rng : numpy.random.Generator
        Source of the first weights.
    """

    settings = ("activation", "output")

    def __init__(self, sizes, activation, output, tied, sparse, dtype, rng):
        self.activation, self.output, self.sparse = activation, output, sparse
        self.encoder = ModuleList(Linear(*ends, dtype=dtype, random_state=rng) for ends in itertools.pairwise(sizes))
        back = [Linear(*ends, dtype=dtype, random_state=rng) for ends in itertools.pairwise(sizes[::-1])]
        self.decoder = None if tied else ModuleList(back)
        self.decoder_bias = ParameterList([layer.bias for layer in back]) if tied else None

    def forward(self, x):
        return self.decode(self.encode(x))

    def encode(self, x):
        """Codes (N, F) of samples (N, D)."""
        return self.code(self.before_code(x))

    def before_code(self, x):
        return encode(x, self.e, ACTIVATIONS[self.activation])

    def code(self, z):
        return z.sigmoid() if self.sparse else z

    def decode(self, z):
        """Samples (N, D) of codes (N, F)."""
        a, o = ACTIVATIONS[self.activation], ACTIVATIONS[self.output]
        if self.decoder is None:
            return tied_decode(z, self.e, list(self.decoder_bias), a, o)
        return decode(z, self.d, a, o)

    @property
    def e(self):
        return [(layer.weight, layer.bias) for layer in self.encoder]

    @property
    def d(self):
        if self.decoder is None:
            return [(W, c) for (W, _), c in zip(reversed(self.e), self.decoder_bias)]          # W, not Wᵀ: as long
        return [(layer.weight, layer.bias) for layer in self.decoder]
