"""Training: fit a Module to data, in batches, for as long as it gets better on data that it has not seen.

The gradient of a loss over all samples costs a pass over all of them, and one step.  The gradient over a few samples,
drawn at random, points the same way on average; so for the price of one exact step, take hundreds of rough ones.  An
epoch is a pass in which each sample is in one batch.

More epochs always fit the training data better.  Beyond some point what is still learnt is their noise, and only data
kept apart show where: so the loss on those is watched, and the weights of its best epoch are the result.

Symbols
    N        samples for training
    B        batches in an epoch
    m        (B+1,)  where each begins, and the last ends
    C        samples that a batch has at most (`batch_size`)
    J        (B,)    mean loss of the samples of each batch
    n        (B,)    how many samples it has
    V        (E,)    the loss that is watched, after each of E epochs
    δ, p     what counts as better (`min_delta`), and epochs that may pass without it (`patience`)

Equations
    (1)  m_b = ⌊b N / B⌋,  b = 0, 1, ..., B = ⌈N / C⌉                     bounds
    (2)  Σ_b n_b J_b / Σ_b n_b                                            epoch_loss
    (3)  argmin_e V_e, where V_e counts as less only by more than δ       best_epoch

Choices
    Batch b is samples m_b to m_{b+1} - 1 of a random order, a new one each epoch.  So the sizes of batches differ by one
    at most, and no small rest is left whose samples would weigh more, or whose variance batch normalisation lacked.
    (2) is the mean over the epoch while the weights move, as every loop of this kind prints it.  The validation loss is
    of the weights at the end of the epoch, without dropout.  For (3) epochs count from 1; of equal ones the first is
    best, and training ends when p epochs have passed since.
    All that is random is drawn from one generator: which samples are kept apart, and each epoch's order.  Layers with a
    choice of their own, such as dropout, have a generator of their own.
    Whatever ends an epoch early, Ctrl-C among it, leaves model and optimiser as they were after the last whole epoch.

Cost
    An epoch takes N times a sample's forward and backward pass.  Kept are copies of the weights and of the optimiser's
    state after the last epoch, with patience also those of the best, and for a moment those of the one that has ended.

>>> import numpy as np
>>> from scratchml.nn import Linear, cross_entropy
>>> from scratchml.optim import Adam
>>> X = np.random.default_rng(0).normal(size=(90, 2))
>>> y = (X @ [2.0, -1.0] > 0.5).astype(int)
>>> model = Linear(2, 2, random_state=0)
>>> history = fit(model, Adam(model.parameters(), lr=0.1), cross_entropy, X, y, epochs=20, random_state=0)
>>> len(history.loss), bool(history.loss[-1] < history.loss[0] / 3)
(20, True)
>>> float((predict(model, X).argmax(axis=1) == y).mean())
1.0

Sources: L. Bottou, F. Curtis and J. Nocedal, "Optimization methods for large-scale machine learning", SIAM Review 60
(2018), section 3; L. Prechelt, "Early stopping, but when?", 1998; for the arguments, Keras.
"""
import contextlib
import itertools
import sys
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor, no_grad
from scratchml.core.checks import finite, real_number, unmasked, whole_number
from scratchml.core.progress import Progress
from scratchml.core.random import generator
from scratchml.nn.activations import penalty
from scratchml.optim import clip_grad_norm_

# --- the equations -------------------------------------------------------------------------------


def bounds(N, C):
    """(1)  m_b = ⌊b N / B⌋,  b = 0, 1, ..., B = ⌈N / C⌉

    Shapes: N, C -> (B+1)
    """
    B = -(-N // C)                                       # rounded up
    return np.arange(B + 1) * N // B


def epoch_loss(J, n):
    """(2)  Σ_b n_b J_b / Σ_b n_b

    Shapes: J (B), n (B) -> ()
    """
    return np.dot(n, J) / np.sum(n)


def best_epoch(V, δ):
    """(3)  argmin_e V_e, where V_e counts as less only by more than δ

    Shapes: V (E), δ -> ()
    """
    best = 0
    for e in range(1, len(V)):
        if V[e] < V[best] - δ:
            best = e
    return best + 1


# --- the loop ------------------------------------------------------------------------------------


class History(NamedTuple):
    """What `fit` has seen, epoch by epoch."""
    loss: list                                           # (2) of each epoch
    validation_loss: list                                # after each epoch; empty if no data were kept apart
    best_epoch: int                                      # (3), from 1 on, of the validation loss if there is one


def fit(model, optimizer, loss, X, y, *, batch_size=32, epochs=1, validation_split=0.0, validation_data=None,
        patience=None, min_delta=0.0, max_norm=None, random_state=None, verbose=0, callback=None):
    """Move the parameters of `model` so that `loss(model(X), y)` falls; returns a `History`.

    The model is trained in its training mode, and is left in the mode in which it came.

    Raises ValueError for arguments out of range, arrays of different lengths, NaN or infinity among floats, and where
    the loss becomes NaN or infinite.  After any exception, Ctrl-C included, the last whole epoch's weights are in
    place.

    Parameters
    ----------
    model : Module
        What is called with arrays or Tensors of n samples each.
    optimizer : optimiser
        From `scratchml.optim`, made for the parameters of `model`.
    loss : callable
        Of the model's output and of targets: the mean over the samples as a Tensor with one entry.
        What the model's layers ActivityL2 ask for comes on top, in training alone.
    X : array (N, ...) or tuple of such arrays
        The arguments of the model.  Floats become Tensors of the dtype of the model's parameters; whole numbers and
        masks remain arrays.
    y : array (N, ...) or None
        Targets; None if `loss` takes only the output.
    batch_size : int, default=32
        Samples in a batch at most, see (1).
    epochs : int, default=1
        Passes over the data.
    validation_split : float, default=0.0
        Share of the samples, drawn at random, that is kept apart.
    validation_data : tuple (X, y) or None, default=None
        Samples that have been kept apart already.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights at the end are then those of the best epoch,
        else of the last.  The loss is that on the samples kept apart, if there are any.
    min_delta : float, default=0.0
        What counts as better.
    max_norm : float or None, default=None
        Gradients of a greater norm are scaled down to it, see `clip_grad_norm_`.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the split and the order of the samples.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch, its loss the one that is watched; returning True stops.
    """
    X, y = _samples(X, y, "X", "y")
    N, rng = len(X[0]), generator(random_state)
    batch_size, epochs = whole_number(batch_size, "batch_size"), whole_number(epochs, "epochs")
    patience = None if patience is None else whole_number(patience, "patience")
    min_delta = real_number(min_delta, "min_delta")
    max_norm = None if max_norm is None else real_number(max_norm, "max_norm", above=0.0)
    kept_apart, training = _split(validation_split, validation_data, N, rng)
    if validation_data is not None:
        X_apart, y_apart = _samples(*_pair(validation_data), "validation_data[0]", "validation_data[1]")
    else:
        X_apart, y_apart = _taken(X, kept_apart), y if y is None else y[kept_apart]
    if (y_apart is None) != (y is None):
        raise ValueError("validation_data: expected targets where y has them, and None where y is None")
    n_apart = len(X_apart[0])

    history, best = History([], [], 0), None
    last = _Snapshot(model, optimizer)
    with _mode(model, True):
        for epoch in range(1, epochs + 1):
            try:
                J, n = [], []
                order = rng.permutation(training)
                for b, part in enumerate(_batches(order, batch_size)):
                    J.append(_step(model, optimizer, loss, _taken(X, part), y if y is None else y[part], max_norm))
                    n.append(len(part))
                    if not np.isfinite(J[-1]):
                        raise ValueError(f"loss: became {J[-1]} in batch {b} of epoch {epoch}; {_REMEDY}")
                history.loss.append(float(epoch_loss(J, n)))
                _check_weights(model, epoch)
                if n_apart:
                    history.validation_loss.append(_evaluate(model, loss, X_apart, y_apart, batch_size))
                    if not np.isfinite(history.validation_loss[-1]):
                        raise ValueError(f"loss: became {history.validation_loss[-1]} on the samples kept apart after "
                                         f"epoch {epoch}; {_REMEDY}")
                last = _Snapshot(model, optimizer)
            except BaseException:                        # Ctrl-C included
                last.restore(model, optimizer)
                raise
            watched = history.validation_loss or history.loss
            history = history._replace(best_epoch=best_epoch(watched, min_delta))
            if patience is not None and history.best_epoch == epoch:
                best = last
            if verbose:
                apart = f", validation loss {watched[-1]:.6g}" if n_apart else ""
                print(f"{type(model).__name__}: epoch {epoch} of {epochs}, loss {history.loss[-1]:.6g}{apart}",
                      file=sys.stderr)
            if callback and callback(Progress(model, epoch, watched[-1])):
                break
            if patience is not None and epoch - history.best_epoch >= patience:
                break
    if patience is not None:
        best.restore(model, optimizer)
    return history


def evaluate(model, loss, X, y, *, batch_size=256):
    """The mean of a loss over samples X (N, D) and y (N,), without dropout and without a gradient: a float.

    What ValueError is raised for, as for `fit`; but a loss that is not finite is returned.

    Parameters
    ----------
    model : Module
        What is called with arrays or Tensors of n samples each.
    loss : callable
        Of the model's output and of targets, as in `fit`.
    X : array (N, ...) or tuple of such arrays
        The arguments of the model, as in `fit`.
    y : array (N, ...) or None
        Targets; None if `loss` takes only the output.
    batch_size : int, default=256
        Samples in a batch at most.
    """
    X, y = _samples(X, y, "X", "y")
    return _evaluate(model, loss, X, y, whole_number(batch_size, "batch_size"))


def predict(model, X, *, batch_size=256):
    """What a model makes of X, (N, D) or as for `fit`, without dropout and without a gradient.

    Returns an array (N, K), or what else the model makes of N samples; batches of outputs are put together along their
    first axis.  Raises ValueError if that is not the samples, or for X that is none that `fit` takes.

    Parameters
    ----------
    model : Module
        What is called with arrays or Tensors of n samples each.
    X : array (N, ...) or tuple of such arrays
        The arguments of the model, as in `fit`.
    batch_size : int, default=256
        Samples in a batch at most.
    """
    X, _ = _samples(X, None, "X", "y")
    outputs = []
    with _mode(model, False), no_grad():
        for part in _batches(np.arange(len(X[0])), whole_number(batch_size, "batch_size")):
            output = model(*_inputs(model, _taken(X, part)))
            if not isinstance(output, Tensor):
                raise ValueError(f"model: expected an output that is a Tensor, got {type(output).__name__}")
            output = output.numpy()
            if output.ndim == 0 or len(output) != len(part):
                raise ValueError(f"model: expected an output (N, ...) for N = {len(part)} samples, "
                                 f"got shape {output.shape}; put the samples on the first axis")
            outputs.append(output)
    return np.concatenate(outputs)


# --- its steps

_REMEDY = "lower the step length, set max_norm, or scale the data"


def _step(model, optimizer, loss, X, y, max_norm):
    """One step downhill on one batch; returns its loss before the step, a float."""
    optimizer.zero_grad()
    total = _loss(model, loss, X, y) + penalty(model)
    if np.isfinite(total.item()):
        total.backward()
        if max_norm is not None:
            clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    return total.item()


def _check_weights(model, epoch):
    """Raise a ValueError if the last step has led where no loss has been looked at yet."""
    for name, parameter in model.named_parameters():
        if not np.isfinite(parameter._data).all():
            raise ValueError(f"loss: its gradient led {name} to NaN or infinity in epoch {epoch}; {_REMEDY}")


def _loss(model, loss, X, y):
    output = model(*_inputs(model, X))
    value = loss(output) if y is None else loss(output, y)
    if not isinstance(value, Tensor) or value.data.size != 1:
        raise ValueError(f"loss: expected a Tensor with one entry, got {getattr(value, 'shape', type(value).__name__)}; "
                         "take the mean")
    return value


def _evaluate(model, loss, X, y, C):
    J, n = [], []
    with _mode(model, False), no_grad():
        for part in _batches(np.arange(len(X[0])), C):
            J.append(_loss(model, loss, _taken(X, part), y if y is None else y[part]).item())
            n.append(len(part))
    return float(epoch_loss(J, n))


@contextlib.contextmanager
def _mode(model, training):
    """All modules of `model` in one mode, afterwards each in its own again."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


class _Snapshot:
    """Copies of what a step changes."""

    def __init__(self, model, optimizer):
        self.weights, self.state = model.state_dict(), optimizer.state_dict()

    def restore(self, model, optimizer):
        model.load_state_dict(self.weights)
        optimizer.load_state_dict(self.state)
        optimizer.zero_grad()


# --- its data


def _samples(X, y, name, target):
    """`X` as a tuple of arrays and `y` as an array, all of one length of at least 1."""
    X = X if isinstance(X, tuple) else (X,)
    X = tuple(_array(x, f"{name}[{i}]" if len(X) > 1 else name) for i, x in enumerate(X))
    y = None if y is None else _array(y, target)
    if not X:
        raise ValueError(f"{name}: expected an array or a tuple of arrays, got an empty tuple")
    lengths = [len(array) for array in (*X, *(() if y is None else (y,)))]
    if len(set(lengths)) > 1:
        raise ValueError(f"{name}, {target}: expected arrays of one length, got {lengths}")
    if lengths[0] == 0:
        raise ValueError(f"{name}: expected at least one sample, got none")
    return X, y


def _array(x, name):
    x = x.detach().data if isinstance(x, Tensor) else unmasked(x, name)
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name}: expected an array of numbers, got rows of different lengths") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected numbers, got dtype {x.dtype}")
    if x.ndim == 0:
        raise ValueError(f"{name}: expected an array (N, ...), got a single number")
    return finite(x, name) if x.dtype.kind == "f" else x


def _pair(data):
    if not isinstance(data, tuple) or len(data) != 2:
        raise ValueError("validation_data: expected a tuple (X, y)")
    return data


def _split(share, data, N, rng):
    """The numbers of samples that are kept apart, and of those for training."""
    share = real_number(share, "validation_split")
    if share >= 1:
        raise ValueError(f"validation_split={share!r}: expected a number of at least 0 and below 1")
    if share and data is not None:
        raise ValueError("validation_split, validation_data: expected one of them, got both")
    n = round(share * N)
    if share and not 0 < n < N:
        raise ValueError(f"validation_split={share!r}: of {N} samples {n} would be kept apart and {N - n} left; "
                         "at least one of each is needed")
    order = rng.permutation(N) if share else np.arange(N)
    return order[:n], order[n:]


def _batches(order, C):
    """The numbers of the samples of each batch."""
    return [order[start:stop] for start, stop in itertools.pairwise(bounds(len(order), C))]


def _taken(X, part):
    return tuple(x[part] for x in X)


def _inputs(model, X):
    """Floats as Tensors in the dtype of the model; ids and masks as they are."""
    dtype = next((p.dtype for p in model.parameters()), None)
    return [Tensor(x if dtype is None else x.astype(dtype, copy=False)) if x.dtype.kind == "f" else x for x in X]
