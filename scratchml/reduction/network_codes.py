"""Networks that code and rebuild: what autoencoders of all kinds share, whatever loss they learn by.

A network makes codes (N, F) of samples (N, D), and samples of codes.  It sees t = (x - μ) / s, where μ is the mean of
the data and s² the mean of the variances of their features: so neither an offset nor the unit of the data matters,
while features keep their sizes beside each other.  To bring these to one size is the caller's choice, by a scaler.

Losses are told in the units of the data.  Networks compute in the type of the data, float32 or float64.  The step
length falls along a cosine to 0 at the last epoch.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor, no_grad
from scratchml.core import storage
from scratchml.core.checks import as_matrix, held_in, in_order, one_of, real_number, safe_to_square, whole_number
from scratchml.core.estimator import Estimator, Transformer, warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.nn.activations import RELU
from scratchml.nn.training import bounds, fit, in_mode
from scratchml.optim import Adam
from scratchml.optim.schedules import CosineAnnealingLR
from scratchml.preprocessing import scaling

ACTIVATIONS = {"relu": RELU, "tanh": lambda x: x.tanh(), "sigmoid": lambda x: x.sigmoid(), "identity": lambda x: x}
BLOCK = 4096                                             # samples that are coded at a time
NOT_KEPT = ("callback", "verbose", "random_state")       # parameters that no file has


class Units(NamedTuple):
    """Where the data lie: t = (x - shift) / unit."""
    shift: np.ndarray                                    # μ (D,) float64
    unit: float                                          # s

    @classmethod
    def of(cls, X):
        """Those of samples (N, D); s is 1 where all are equal."""
        μ = scaling.mean(X)
        s = float(np.sqrt(np.square(scaling.deviation(X, μ)).mean()))
        return cls(μ, s if s > 0 else 1.0)

    def apply(self, X, dtype):
        """Samples (N, D) in these units, as `dtype`.  Raises ValueError for what it cannot hold."""
        with np.errstate(over="ignore", invalid="ignore"):
            T = ((X - self.shift) / self.unit).astype(dtype)
        if not np.isfinite(T).all():
            raise ValueError(f"X: the largest magnitude is {np.abs(X).max():.3g}, beside data that vary by "
                             f"{self.unit:.3g}; that cannot be held in {np.dtype(dtype)}; correct it, or fit data "
                             "that reach as far")
        return T

    def undo(self, T):
        """`apply` backwards, in the type of T (N, D).  Raises ValueError for what it cannot hold."""
        with np.errstate(over="ignore"):
            X = (T.astype(np.float64) * self.unit + self.shift).astype(T.dtype)
        if not np.isfinite(X).all():
            raise ValueError(f"Z: what these codes stand for cannot be held in {T.dtype}; correct them, or fit float64")
        return X


class NetworkCodes(Transformer, Estimator):
    """What autoencoders share.  A subclass has `_network`, `_lessons` and `_told`."""

    def _network(self, D, dtype, rng):
        """A Module with `encode` and `decode`, of Tensors (N, D) and (N, F)."""
        raise NotImplementedError

    def _lessons(self, network, units, rng):
        """A Module that makes samples in units (n, D), and perhaps targets, to their loss, a mean over them."""
        raise NotImplementedError

    def _told(self, loss, units):
        """A loss in the units of the data."""
        raise NotImplementedError

    # --- training

    def fit(self, X, y=None):
        """Learn the weights.  Returns itself.

        Ctrl-C, like a callback that says stop, leaves the last finished epoch in the attributes.
        Raises ValueError for bad parameters, NaN, inf, values whose squares over- or underflow, one sample, and where
        the loss becomes NaN or infinite.

        Parameters
        ----------
        X : array (N, D)
            Samples, N at least 2.
        y : None, default=None
            Ignored.
        """
        self._check_parameters()
        X = safe_to_square(self._fit_matrix(X, min_samples=2), work=np.float64)
        self._check_samples(X)
        units, rng = Units.of(X), generator(self.random_state)
        network = self._network(X.shape[1], X.dtype, rng).eval()
        learned = dict(module_=network, n_components_=int(self.n_components), _units=units,
                       _built=self._kept_parameters())
        with np.errstate(over="ignore", invalid="ignore"):                     # a loss that is not finite is an error
            limit = self._train(network, X, units, rng, learned)
        network.zero_grad()                              # nobody needs the last gradients
        if limit:
            warn_not_converged(limit)
        return self

    def _train(self, network, X, units, rng, learned):
        """Adam, in batches.  Returns what to say where a limit ended it before its time, or None."""
        lessons, optimizer = self._lessons(network, units, rng), Adam(network.parameters(), lr=self.learning_rate)
        data = self._data(X, units)
        history, steps = [], len(bounds(len(X) - round(self.validation_split * len(X)), int(self.batch_size))) - 1

        def after(progress):
            history.append(self._told(progress.loss, units))
            vars(self).update(learned, loss_history_=list(history), n_iter_=len(history), **lessons.ended())
            return report(self, progress.iteration, history[-1])
        fit(lessons, optimizer, lambda loss: loss, data, None, batch_size=self.batch_size, epochs=self.epochs,
            validation_split=self.validation_split, patience=self.patience, min_delta=self.tol * X.shape[1],
            schedule=CosineAnnealingLR(optimizer, int(self.epochs) * max(steps, 1)), random_state=rng, callback=after)

    def _data(self, X, units):
        """What goes into the lessons."""
        return units.apply(X, X.dtype)

    def _check_parameters(self):
        for name in ("n_components", "epochs", "batch_size"):
            whole_number(getattr(self, name), name)
        hidden_sizes(self.hidden)
        one_of(self.activation, "activation", tuple(ACTIVATIONS))
        real_number(self.learning_rate, "learning_rate", above=0.0)
        real_number(self.tol, "tol")
        if self.patience is not None:
            whole_number(self.patience, "patience")
        if real_number(self.validation_split, "validation_split") >= 1:
            raise ValueError(f"validation_split={self.validation_split!r}: expected a number of at least 0 and below 1")
        if self.callback is not None and not callable(self.callback):
            raise ValueError(f"callback={self.callback!r}: expected a function of a Progress, or None")

    def _check_samples(self, X):
        """Raise a ValueError for samples that the network cannot rebuild."""

    def _sizes(self, D):
        """The lengths of what the encoder's layers take and make: D, those of `hidden`, F."""
        return [D, *hidden_sizes(self.hidden), int(self.n_components)]

    # --- using it

    def transform(self, X):
        """The codes (N, F).  Raises ValueError for what cannot be read, or whose code cannot be held.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        _, T = self._further(X)
        return self._output(self._by_blocks(self.module_.encode, T), X)

    def inverse_transform(self, Z):
        """The samples (N, D) that these codes stand for.  Raises ValueError for codes of another length.

        Parameters
        ----------
        Z : array (N, F)
            Codes, as `transform` returns them.
        """
        self._check_fitted()
        Z = held_in(as_matrix(Z, name="Z"), self._dtype, "Z")
        if Z.shape[1] != self.n_components_:
            raise ValueError(f"Z: has {Z.shape[1]} columns, but codes have {self.n_components_} components")
        return self._in_data(self._by_blocks(self.module_.decode, Z))

    def reconstruction_error(self, X):
        """The mean square (N,) by which each sample differs from what is made of it: large for those unlike the data.

        In the type of the data, or in float64 where that cannot hold it.  Raises ValueError as `transform` does.

        Parameters
        ----------
        X : array (N, D)
            Samples.
        """
        errors, limits = self._errors(X), np.finfo(self._dtype)
        held = float(limits.tiny / limits.eps) <= self._units.unit ** 2 and errors.max() <= float(limits.max)
        return errors.astype(self._dtype) if held else errors

    def _errors(self, X):
        """The mean squares in float64."""
        x, T = self._further(X)
        Y = self._by_blocks(lambda t: self.module_.decode(self.module_.encode(t)), T).astype(np.float64)
        apart = (T - Y) * self._units.unit if self._moved else x - Y
        return np.square(safe_to_square(apart, fitted=True)).mean(axis=1)

    def _in_data(self, Y):
        """What the decoder has made, as samples."""
        return self._units.undo(Y) if self._moved else Y

    @property
    def _moved(self):
        """Whether the network makes samples in units of the data, and not the samples themselves."""
        return True

    def _further(self, X):
        """More samples, and the same in the units of those that were fitted."""
        X = self._more_matrix(X)
        return X, self._units.apply(X, self._dtype)

    def _by_blocks(self, function, A):
        """`function` of rows (N, ...), some at a time, as an array (N, ...)."""
        with in_mode(self.module_, False), no_grad(), np.errstate(over="ignore", invalid="ignore"):
            made = np.concatenate([function(Tensor(A[start:start + BLOCK])).data for start in range(0, len(A), BLOCK)])
        if not np.isfinite(made).all():
            raise ValueError(f"{type(self).__name__}: what comes out cannot be held in {made.dtype}, the largest that "
                             f"goes in being {np.abs(A).max():.3g} in the units of what was fitted; correct that")
        return made

    @property
    def _dtype(self):
        return next(self.module_.parameters()).dtype

    @property
    def _n_features_out(self):
        return self.n_components_

    # --- keeping

    def _kept_parameters(self):
        """The parameters as a file holds them."""
        kept = {name: value for name, value in self.get_params().items() if name not in NOT_KEPT}
        return kept | {"hidden": hidden_sizes(self.hidden)}

    def save(self, path):
        """Write the model to a file.  Raises ValueError if it is not fitted, OSError if it cannot be written.

        callback, verbose and random_state are not kept.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        arrays = {f"weight {name}": array for name, array in self.module_.state_dict().items()}
        arrays |= {f"learned {name}": value for name, value in self._learned().items() if isinstance(value, np.ndarray)}
        names = getattr(self, "feature_names_in_", None)
        storage.save(path, self._kind(), arrays | {"shift": self._units.shift}, dict(
            parameters=self._kept_parameters(), built=self._built, unit=self._units.unit, dtype=str(self._dtype),
            names=None if names is None else list(names),
            learned={name: value for name, value in self._learned().items() if not isinstance(value, np.ndarray)}))

    def _learned(self):
        """What `fit` has left besides the network, and is public."""
        return {name: value for name, value in vars(self).items() if name.endswith("_") and name[0] != "_"
                and name not in ("module_", "feature_names_in_")}

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, cls._kind())
        shift = arrays.pop("shift")
        network = cls(**rest["built"])._network(len(shift), np.dtype(rest["dtype"]), generator(0)).eval()
        parts = {kind: {name.removeprefix(f"{kind} "): array for name, array in arrays.items()
                        if name.startswith(f"{kind} ")} for kind in ("weight", "learned")}
        network.load_state_dict(parts["weight"])
        model = cls(**rest["parameters"])
        vars(model).update(rest["learned"], **parts["learned"], module_=network, _units=Units(shift, rest["unit"]),
                           _built=rest["built"])
        if rest["names"] is not None:
            model.feature_names_in_ = np.array(rest["names"], dtype=object)
        return model

    @classmethod
    def _kind(cls):
        return f"scratchml.reduction.{cls.__name__}"


def hidden_sizes(hidden):
    """The lengths of hidden layers as a tuple; a number is one layer.  Raises ValueError for anything else."""
    if not in_order(hidden):
        return (whole_number(hidden, "hidden"),)
    if not hasattr(hidden, "__len__"):
        raise ValueError(f"hidden={hidden!r}: expected a whole number or a tuple of them")
    return tuple(whole_number(size, f"hidden[{k}]") for k, size in enumerate(hidden))


def check_shares(X, name):
    """X (N, D) itself, if all its numbers are in [0, 1]; else a ValueError, in which `name` says who asks for that."""
    if X.min() < 0 or X.max() > 1:
        wrong = X.min() if X.min() < 0 else X.max()
        raise ValueError(f"X: with {name} expected numbers from 0 to 1, got {wrong:.6g}; scale the data, e.g. by "
                         "MinMaxScaler")
    return X
