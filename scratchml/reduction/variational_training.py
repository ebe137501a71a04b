"""Training variational autoencoders: the estimator of the chapter variational, and what its network is asked.

A draw a sample and step is enough: its noise is less than that of which samples are in the batch.  Where codes carry
nothing yet, the divergence (3) pulls all posteriors onto the prior, and some networks never leave from there; with
`warmup`, β grows from nothing to its value in the first epochs.

What is asked of the model later is computed with the same draws u_1 ... u_K for each sample, which do not depend on
`random_state`: so a sample has the same bound whatever comes with it.

>>> X = np.random.default_rng(0).normal(size=(60, 1)) * [3.0, 1.0] + [5.0, -2.0]
>>> model = VariationalAutoencoder(1, hidden=(), epochs=60, learning_rate=0.02, random_state=0).fit(X)
>>> model.transform(X).shape, model.sample(3).shape, bool(model.elbo(X).mean() < model.score(X))
((60, 1), (3, 2), True)
"""
import numpy as np

from scratchml.autograd.ops import stack
from scratchml.core.checks import one_of, real_number, safe_to_square, whole_number
from scratchml.core.random import generator
from scratchml.nn.module import Module
from scratchml.reduction.network_codes import BLOCK, NetworkCodes, check_shares
from scratchml.reduction.variational import DRAWN, VariationalNetwork, gaussian_kl, importance_bound, negative_elbo

# --- what the network is asked -------------------------------------------------------------------


class Bound(Module):
    """A network and what it is asked: samples in units, and for "bernoulli" as they are, become (6) of one draw each.

    `more` is by how much the surprise at a sample is more than that at the same in units.
    """

    def __init__(self, network, model, rng, more):
        self.network, self.rng, self.β, self.more = network, rng, float(model.beta), more
        self.warmup, self.epoch, self.sums = int(model.warmup), 0, np.zeros(3)

    def forward(self, t, target=None):
        h = self.network.heads(t)
        n = len(h)
        z, kl = DRAWN(h, ε=self.rng.standard_normal((n, h.shape[1] // 2), h.dtype))
        R = self.network.surprises((t if target is None else target)._data, self.network.says(z))
        β = self.β * min(1.0, (self.epoch + 1) / (self.warmup + 1)) if self.training else self.β
        loss = negative_elbo(R, kl, β)
        if self.training:
            self.sums += R._data.sum(dtype=np.float64), kl._data.sum(dtype=np.float64), n
            if not np.isfinite(loss._data):
                raise ValueError(f"learning_rate: the loss became {loss.item()} in training; lower learning_rate")
        return loss

    def ended(self):
        """What an epoch leaves besides its loss: both terms of (6), which grew with the batches."""
        R, kl, n = self.sums
        self.sums, self.epoch = np.zeros(3), self.epoch + 1
        return {"reconstruction_": float(R / n) + self.more, "kl_": float(kl / n)}


def log_unit(units):
    """By how much the logarithm of a density falls where data in units are taken back to what they were: D log s."""
    return len(units.shift) * float(np.log(units.unit))


# --- the estimator -------------------------------------------------------------------------------


class VariationalAutoencoder(NetworkCodes):
    """A network that gives each sample a normal distribution of codes, and each code a distribution of samples.

    Parameters
    ----------
    n_components : int, default=2
        F, how many numbers a code has.
    hidden : int or tuple of int, default=(128,)
        Lengths of the layers between data and code, which the decoder has in the opposite order; () for none.
    likelihood : {"gaussian", "bernoulli"}, default="gaussian"
        What a sample is drawn from, (5) or (4); the latter is for data in [0, 1].
    beta : float, default=1.0
        β, the price of the divergence from the prior; with another than 1 the loss is no bound.
    warmup : int, default=0
        Epochs in which β grows, by equal steps, to that value.
    activation : {"relu", "tanh", "sigmoid", "identity"}, default="relu"
        a, what is applied to hidden layers.
    epochs : int, default=200
        Passes over the data.
    batch_size : int, default=64
        Samples in a batch at most.
    learning_rate : float, default=0.002
        The first step length of Adam.
    validation_split : float, default=0.0
        Share of the samples, drawn at random, that is kept apart.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights are then those of the best epoch.
    tol : float, default=1e-8
        What counts as better, in nats for each feature.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of draws, and of the order of samples.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    module_ : the network, a Module with `posterior` and `decode`, of samples in units of the data, see network_codes
    n_components_ : F
    loss_history_ : the loss (6) after each epoch, in nats; of the samples kept apart, if there are any
    reconstruction_, kl_ : both terms of (6) in the last epoch, means over its samples
    n_iter_ : epochs done
    """

    def __init__(self, n_components=2, *, hidden=(128,), likelihood="gaussian", beta=1.0, warmup=0, activation="relu",
                 epochs=200, batch_size=64, learning_rate=0.002, validation_split=0.0, patience=None, tol=1e-8,
                 random_state=None, verbose=0, callback=None):
        self.n_components = n_components
        self.hidden = hidden
        self.likelihood = likelihood
        self.beta = beta
        self.warmup = warmup
        self.activation = activation
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_split = validation_split
        self.patience = patience
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def _check_parameters(self):
        super()._check_parameters()
        one_of(self.likelihood, "likelihood", ("gaussian", "bernoulli"))
        real_number(self.beta, "beta")
        whole_number(self.warmup, "warmup", least=0)
        if self.warmup and self.patience is not None and not self.validation_split:
            raise ValueError(f"warmup={self.warmup!r}: while β grows the loss does, so patience would end the fit; set "
                             "validation_split too, as the loss on samples kept apart is with the whole β")

    def _check_samples(self, X):
        if self.likelihood == "bernoulli":
            check_shares(X, "likelihood='bernoulli'")

    def _network(self, D, dtype, rng):
        return VariationalNetwork(self._sizes(D), self.activation, self.likelihood, dtype, rng)

    def _lessons(self, network, units, rng):
        return Bound(network, self, rng, 0.0 if self.likelihood == "bernoulli" else log_unit(units))

    def _data(self, X, units):
        T = units.apply(X, X.dtype)
        return T if self.likelihood == "gaussian" else (T, X)

    def _told(self, loss, units):
        return loss if self.likelihood == "bernoulli" else loss + log_unit(units)

    # --- what the model says of samples

    def elbo(self, X, n_draws=100):
        """The evidence lower bound (N,) of log p(x) in nats, (6) of each sample, its mean over `n_draws` draws.

        Raises ValueError as `transform` does.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        n_draws : int, default=100
            How many codes are drawn for each.
        """
        return self._bounds(X, n_draws, lambda A, Z, μ, l: A.mean(axis=0) - gaussian_kl(μ, l).data)

    def score_samples(self, X, n_draws=100):
        """A lower bound (N,) of log p(x) in nats, the better the more draws: (7).

        Raises ValueError as `transform` does.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        n_draws : int, default=100
            K, how many codes are drawn for each.
        """
        return self._bounds(X, n_draws, importance_bound)

    def score(self, X, y=None):
        """The mean of `score_samples`, in nats.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        y : None, default=None
            Ignored.
        """
        return float(self.score_samples(X).mean(dtype=np.float64))

    def sample(self, n_samples=1):
        """Draw samples (n_samples, D): a code from the prior, and from p(x|z) a sample of it.

        For "bernoulli" they are 0 and 1; the means of codes are `inverse_transform`.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        """
        self._check_fitted()
        n, rng = whole_number(n_samples, "n_samples"), generator(self.random_state)
        Y = self._by_blocks(self.module_.decode, rng.standard_normal((n, self.n_components_)).astype(self._dtype))
        if not self._moved:
            return (rng.random(Y.shape) < Y).astype(Y.dtype)
        return self._units.undo((Y + rng.standard_normal(Y.shape) * np.sqrt(self.module_.s2.item())).astype(Y.dtype))

    def _bounds(self, X, n_draws, bound):
        """`bound` of A (K, N), Z (K, N, F), μ and l (N, F) in float64, for all samples, some at a time."""
        K, (X, T) = whole_number(n_draws, "n_draws"), self._further(X)
        target = T if self._moved else check_shares(X, "likelihood='bernoulli'")
        safe_to_square(T, work=np.float64, fitted=True)
        u = np.random.default_rng(0).standard_normal((K, 1, self.n_components_))
        size, found = max(1, BLOCK // K), []
        for start in range(0, len(T), size):
            t, x = T[start:start + size], target[start:start + size]
            both = self._by_blocks(lambda part: stack(self.module_.posterior(part), 1), t)
            μ, l = both.astype(np.float64).swapaxes(0, 1)
            Z = μ + np.exp(l / 2) * u                    # (K, n, F)
            Y = self._by_blocks(self.module_.says, Z.reshape(-1, Z.shape[2]).astype(self._dtype)).astype(np.float64)
            A = -self.module_.surprises(np.tile(x.astype(np.float64), (K, 1)), Y).data.reshape(K, len(x))
            found.append(bound(A, Z, μ, l))
        with np.errstate(over="ignore"):                 # below what float32 can hold is -inf
            return (np.concatenate(found) - (log_unit(self._units) if self._moved else 0.0)).astype(self._dtype)

    @property
    def _moved(self):
        return self.module_.log_noise is not None
