"""Training autoencoders: the estimator of the chapter autoencoder, and what its network is asked.

Adam goes a step after each batch, and each time samples are spoilt anew.  L-BFGS sees all of them at each look, so that
it comes as near to the minimum of a linear network as rounding allows, where Adam stops a little above; spoilt samples,
which would differ from one look to the next, it does not take.  It computes in float64, whatever the type of the data.

>>> X = np.array([[1., 2], [3, 6], [5, 10], [7, 14]])    # all on one line
>>> model = Autoencoder(1, hidden=(), solver="lbfgs", random_state=0).fit(X)
>>> model.components_.round(4).tolist(), bool(model.reconstruction_error(X).max() < 1e-6)
([[0.4472, 0.8944]], True)
"""
import warnings

import numpy as np

from scratchml.autograd import Tensor
from scratchml.core.checks import one_of, real_number, true_or_false
from scratchml.core.progress import report
from scratchml.nn.layers import kept_entries
from scratchml.nn.module import Module
from scratchml.optim.lbfgs import lbfgs
from scratchml.reduction.autoencoder import (Bottleneck, masked, principal_directions, reconstruction_loss, sparsity,
                                             weight_penalty, with_noise)
from scratchml.reduction.network_codes import NetworkCodes, check_shares

# --- what the network is asked -------------------------------------------------------------------


class Lessons(Module):
    """A network and what it is asked: samples become the loss (4) + (7) + (8), in units whose square is `square`.

    In training they are spoilt before they are coded.
    """

    def __init__(self, network, model, units, rng):
        self.network, self.rng, self.kind = network, rng, model.noise_kind
        self.square = units.unit ** 2 if model.output == "identity" else 1.0
        self.p, self.σ = float(model.noise), float(model.noise) / units.unit
        self.ρ, self.β = model.sparsity, float(model.sparsity_weight) / self.square
        self.λ = float(model.weight_decay) / self.square

    def forward(self, t, target=None):
        z = self.network.before_code(self.spoilt(t._data) if self.training and self.p else t)
        wanted = (t if target is None else target)._data
        loss = reconstruction_loss(wanted, self.network.decode(self.network.code(z)))
        if self.ρ is not None:
            loss = loss + sparsity(z, self.ρ, self.β)
        if self.λ:
            loss = loss + weight_penalty(self.network.e, self.network.d, self.λ)
        if self.training and not np.isfinite(loss._data):
            raise ValueError(f"learning_rate: the loss became {loss.item()} in training; lower learning_rate")
        return loss

    def spoilt(self, T):
        if self.kind == "masking":
            return masked(T, kept_entries(T.shape, self.p, self.rng)[0])
        return with_noise(T, self.rng.standard_normal(T.shape, T.dtype), self.σ)

    def ended(self):
        """What an epoch leaves besides its loss: nothing."""
        return {}


# --- the estimator -------------------------------------------------------------------------------


class Autoencoder(NetworkCodes):
    """A network that codes samples in F numbers, and rebuilds them.

    Parameters
    ----------
    n_components : int, default=2
        F, how many numbers a code has.
    hidden : int or tuple of int, default=(128, 32)
        Lengths of the layers between data and code, which the decoder has in the opposite order; () for none, which is
        the linear autoencoder.
    activation : {"relu", "tanh", "sigmoid", "identity"}, default="relu"
        a, what is applied to hidden layers.
    output : {"identity", "sigmoid"}, default="identity"
        o, what is applied to what is rebuilt; "sigmoid" is for data in [0, 1].
    tied : bool, default=False
        Whether the decoder has the weights of the encoder, (3).
    noise : float, default=0.0
        What is done to samples in training: p of (5), or σ of (6) in the units of the data.
    noise_kind : {"masking", "gaussian"}, default="masking"
        Which of both.
    sparsity : float or None, default=None
        ρ, the mean activity of each unit of the code, between 0 and 1; None for codes without bounds.
    sparsity_weight : float, default=1.0
        β, the price of another activity, in squared units of the data.
    weight_decay : float, default=0.0
        λ, the price of weights, in squared units of the data.
    epochs : int, default=200
        Passes over the data; for "lbfgs" iterations at most.
    batch_size : int, default=64
        Samples in a batch at most.
    learning_rate : float, default=0.002
        The first step length of Adam.
    solver : {"adam", "lbfgs"}, default="adam"
        Steps on batches, or on all data at once.
    validation_split : float, default=0.0
        Share of the samples, drawn at random, that is kept apart.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights are then those of the best epoch.
    tol : float, default=1e-8
        What counts as better, as a share of the variance of the data; for "lbfgs" the share of the loss by which ten
        iterations have to lower it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of what is spoilt, and of the order of samples.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    module_ : the network, a Module with `encode` and `decode`, of samples in units of the data, see network_codes
    n_components_ : F
    loss_history_ : the loss (4) + (7) + (8) after each epoch; of the samples kept apart, if there are any
    n_iter_ : epochs, or iterations, done
    """

    def __init__(self, n_components=2, *, hidden=(128, 32), activation="relu", output="identity", tied=False, noise=0.0,
                 noise_kind="masking", sparsity=None, sparsity_weight=1.0, weight_decay=0.0, epochs=200, batch_size=64,
                 learning_rate=0.002, solver="adam", validation_split=0.0, patience=None, tol=1e-8, random_state=None,
                 verbose=0, callback=None):
        self.n_components = n_components
        self.hidden = hidden
        self.activation = activation
        self.output = output
        self.tied = tied
        self.noise = noise
        self.noise_kind = noise_kind
        self.sparsity = sparsity
        self.sparsity_weight = sparsity_weight
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.solver = solver
        self.validation_split = validation_split
        self.patience = patience
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def _check_parameters(self):
        super()._check_parameters()
        one_of(self.output, "output", ("identity", "sigmoid"))
        one_of(self.noise_kind, "noise_kind", ("masking", "gaussian"))
        one_of(self.solver, "solver", ("adam", "lbfgs"))
        true_or_false(self.tied, "tied")
        for name in ("noise", "sparsity_weight", "weight_decay"):
            real_number(getattr(self, name), name)
        if self.noise_kind == "masking" and self.noise >= 1:
            raise ValueError(f"noise={self.noise!r}: with noise_kind='masking' expected a share below 1, as nothing is "
                             "left of samples that are masked as a whole")
        if self.sparsity is not None and not 0 < real_number(self.sparsity, "sparsity") < 1:
            raise ValueError(f"sparsity={self.sparsity!r}: expected a number between 0 and 1, or None")
        if self.solver == "lbfgs" and (self.noise or self.validation_split or self.patience is not None):
            raise ValueError("solver='lbfgs': takes neither noise nor validation_split nor patience, as it sees the "
                             "same data at each look; use solver='adam'")

    def _check_samples(self, X):
        if self.output == "sigmoid":
            check_shares(X, "output='sigmoid'")
        if self.n_components > X.shape[1] and not self.noise and self.sparsity is None:
            warnings.warn(f"n_components={self.n_components}: a code longer than the {X.shape[1]} features can hold "
                          "them as they are; set noise or sparsity, or lower n_components", stacklevel=3)

    def _network(self, D, dtype, rng):
        sparse = self.sparsity is not None
        return Bottleneck(self._sizes(D), self.activation, self.output, self.tied, sparse, dtype, rng)

    def _lessons(self, network, units, rng):
        return Lessons(network, self, units, rng)

    def _data(self, X, units):
        T = units.apply(X, X.dtype)
        return T if self.output == "identity" else (T, X)

    def _told(self, loss, units):
        return loss * units.unit ** 2 if self.output == "identity" else loss

    def _train(self, network, X, units, rng, learned):
        if self.solver == "adam":
            return super()._train(network, X, units, rng, learned)
        dtype, network = X.dtype, network.double()
        objective, place = self._objective(network, self._data(X.astype(np.float64), units), units)
        history = []

        def after(minimum):
            nonlocal last
            last = minimum.x
            place(last)
            history.append(self._told(minimum.value, units))
            vars(self).update(learned, loss_history_=list(history), n_iter_=minimum.iterations)
            return report(self, minimum.iterations, history[-1])

        last = np.concatenate([p.data.ravel() for p in network.parameters()])
        try:
            found = lbfgs(objective, last, memory=20, max_iterations=self.epochs, epsilon=1e-9, delta=self.tol,
                          callback=after)
            if not history:                              # the start was the best that there is
                after(found)
        finally:
            place(last)
            network.to(dtype=dtype)
        if found.reason == "max_iterations":
            return f"the loss still fell after {found.iterations} iterations; raise epochs, or tol"

    def _objective(self, network, data, units):
        """The loss and its gradient as a function of all weights in a row, and a function that puts these in place."""
        lessons, parameters = self._lessons(network, units, None).eval(), list(network.parameters())
        ends = np.cumsum([p.data.size for p in parameters])[:-1]
        data = [Tensor(array) for array in (data if isinstance(data, tuple) else (data,))]

        def place(x):
            for p, values in zip(parameters, np.split(x, ends)):
                p.data = values.reshape(p.shape)

        def objective(x):
            place(x)
            network.zero_grad()
            loss = lessons(*data)
            loss.backward()
            return loss.item(), np.concatenate([p.grad.data.ravel() for p in parameters])
        return objective, place

    # --- how well samples are rebuilt

    def score(self, X, y=None):
        """The mean square by which samples differ from what is made of them, with a minus: the greater the better.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        y : None, default=None
            Ignored.
        """
        return -float(self._errors(X).mean())

    @property
    def _moved(self):
        return self.module_.output == "identity"

    @property
    def components_(self):
        """The directions (F, D) that a linear network rebuilds, (12): with `weight_decay` the principal components."""
        network = self.module_
        if network.output != "identity" or len(network.encoder) > 1 and network.activation != "identity":
            raise AttributeError("components_: only a linear network has such, with hidden=() or activation='identity' "
                                 "and output='identity'")
        ends = self._by_blocks(network.decode, np.vstack([np.eye(self.n_components_), np.zeros(self.n_components_)])
                               .astype(self._dtype))
        return principal_directions((ends[:-1] - ends[-1]).T)
