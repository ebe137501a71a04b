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
    T        (N,)    lengths of the samples, where they are sequences
    r        (N,)    samples in random order, in N
    J        (B,)    the loss of each batch, a mean
    n        (B,)    over how many: over its samples, or its tokens if the loss says so
    V        (E,)    the loss that is watched, after each of E epochs
    δ, p     what counts as better (`min_delta`), and epochs that may pass without it (`patience`)

Equations
    (1)  m_b = ⌊b N / B⌋,  b = 0, 1, ..., B = ⌈N / C⌉                     bounds
    (2)  o with T[o_1] ≤ ... ≤ T[o_N], of equal lengths in the order of r     by_length
    (3)  Σ_b n_b J_b / Σ_b n_b                                            epoch_loss
    (4)  argmin_e V_e, where V_e counts as less only by more than δ       best_epoch

Choices
    Batch b is samples m_b to m_{b+1} - 1 of a random order, a new one each epoch.  So the sizes of batches differ by
    one at most, and no small rest is left whose samples would weigh more, or whose variance batch normalisation lacked.
    Sequences of very different lengths in one batch are mostly padding.  With their lengths, (1) cuts the order (2)
    into batches, each is cut behind its longest, and they come in random order: else each epoch would begin with the
    short.  A mean over tokens is no mean over samples: a batch of few tokens would count as much as one of many.  A
    loss that returns a sum and a count is divided by the count for the step, and weighted with it in (3).
    (3) is the mean over the epoch while the weights move, as every loop of this kind prints it.  The validation loss is
    of the weights at the end of the epoch, without dropout.  For (4) epochs count from 1; of equal ones the first is
    best, and training ends when p epochs have passed since.
    All that is random is drawn from one generator: which samples are kept apart, and each epoch's order.  Layers with a
    choice of their own, such as dropout, have a generator of their own.
    Whatever ends an epoch early, Ctrl-C among it, leaves model, optimiser and schedule as they were after the last
    whole epoch.

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
import copy
import itertools
import sys
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Tensor, no_grad
from scratchml.core.checks import real_number, whole_number
from scratchml.core.progress import Progress
from scratchml.core.random import generator
from scratchml.nn.activations import penalty
from scratchml.nn.samples import given_apart, samples, split
from scratchml.optim import clip_grad_norm_
from scratchml.optim.schedules import Schedule

# --- the equations -------------------------------------------------------------------------------


def bounds(N, C):
    """(1)  m_b = ⌊b N / B⌋,  b = 0, 1, ..., B = ⌈N / C⌉

    Shapes: N, C -> (B+1)
    """
    B = -(-N // C)                                       # rounded up
    return np.arange(B + 1) * N // B


def by_length(r, T):
    """(2)  o with T[o_1] ≤ ... ≤ T[o_N], of equal lengths in the order of r

    Shapes: r (N) in N, T (N) -> (N) in N
    """
    return r[np.argsort(T[r], kind="stable")]


def epoch_loss(J, n):
    """(3)  Σ_b n_b J_b / Σ_b n_b

    Shapes: J (B), n (B) -> ()
    """
    return np.dot(n, J) / np.sum(n)


def best_epoch(V, δ):
    """(4)  argmin_e V_e, where V_e counts as less only by more than δ

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
    loss: list                                           # (3) of each epoch
    validation_loss: list                                # after each epoch; empty if no data were kept apart
    best_epoch: int                                      # (4), from 1 on, of the validation loss if there is one


def fit(model, optimizer, loss, X, y, *, lengths=None, batch_size=32, epochs=1, validation_split=0.0,
        validation_data=None, patience=None, min_delta=0.0, max_norm=None, schedule=None, random_state=None, verbose=0,
        callback=None):
    """Move the parameters of `model` so that `loss(model(X), y)` falls; returns a `History`.

    The model is trained in its training mode, and is left in the mode in which it came.

    Raises ValueError for arguments out of range, arrays of different lengths, NaN or infinity among floats, where the
    loss becomes NaN or infinite, and where nothing counts in it.  After any exception, Ctrl-C included, the last whole
    epoch's weights are in place.

    Parameters
    ----------
    model : Module
        What is called with arrays or Tensors of n samples each.
    optimizer : optimiser
        From `scratchml.optim`, made for the parameters of `model`.
    loss : callable
        Of the model's output and of targets: the mean over the samples as a Tensor with one entry; or a pair of such a
        Tensor, a sum, and the number of tokens, or of what else it is the sum of.
        What the model's layers ActivityL2 ask for comes on top, in training alone.
    X : array (N, ...) or tuple of such arrays
        The arguments of the model.  Floats become Tensors of the dtype of the model's parameters; whole numbers and
        masks remain arrays.
    y : array (N, ...) or None
        Targets; None if `loss` takes only the output.
    lengths : array (N,) of int or None, default=None
        How many steps of each sample count.  Batches then are of samples of like length, (2), and every array of two or
        more dimensions, (N, T, ...), in X and y, is cut behind the longest of them.
    batch_size : int, default=32
        Samples in a batch at most, see (1).
    epochs : int, default=1
        Passes over the data.
    validation_split : float, default=0.0
        Share of the samples, drawn at random, that is kept apart.
    validation_data : tuple (X, y) or None, default=None
        Samples that have been kept apart already; (X, y, lengths) with `lengths`.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights at the end are then those of the best epoch,
        else of the last.  The loss is that on the samples kept apart, if there are any.
    min_delta : float, default=0.0
        What counts as better.
    max_norm : float or None, default=None
        Gradients of a greater norm are scaled down to it, see `clip_grad_norm_`.
    schedule : schedule or None, default=None
        From `scratchml.optim`, made for `optimizer`: it goes a step further after each batch.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the split and the order of the samples.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch, its loss the one that is watched; returning True stops.
    """
    data = samples(X, y, lengths)
    N, rng = len(data.X[0]), generator(random_state)
    batch_size, epochs = whole_number(batch_size, "batch_size"), whole_number(epochs, "epochs")
    patience = None if patience is None else whole_number(patience, "patience")
    min_delta = real_number(min_delta, "min_delta")
    max_norm = None if max_norm is None else real_number(max_norm, "max_norm", above=0.0)
    _check_schedule(schedule, optimizer)
    kept_apart, training = split(validation_split, validation_data, N, rng)
    apart = data.some(kept_apart) if validation_data is None else given_apart(validation_data, data)
    n_apart = len(apart.X[0])

    history, best = History([], [], 0), None
    last = _Snapshot(model, optimizer, schedule)
    with in_mode(model, True):
        for epoch in range(1, epochs + 1):
            try:
                J, n = [], []
                for b, part in enumerate(_batches(rng.permutation(training), batch_size, data.lengths, rng)):
                    mean, count = _step(model, optimizer, loss, *data.batch(part), max_norm)
                    if not np.isfinite(mean):
                        raise ValueError(f"loss: became {mean} in batch {b} of epoch {epoch}; {_REMEDY}")
                    if schedule is not None:
                        schedule.step()
                    J.append(mean)
                    n.append(count)
                history.loss.append(_mean(J, n))
                _check_weights(model, epoch)
                if n_apart:
                    history.validation_loss.append(_evaluate(model, loss, apart, batch_size))
                    if not np.isfinite(history.validation_loss[-1]):
                        raise ValueError(f"loss: became {history.validation_loss[-1]} on the samples kept apart after "
                                         f"epoch {epoch}; {_REMEDY}")
                last = _Snapshot(model, optimizer, schedule)
            except BaseException:                        # Ctrl-C included
                last.restore(model, optimizer, schedule)
                raise
            watched = history.validation_loss or history.loss
            history = history._replace(best_epoch=best_epoch(watched, min_delta))
            if patience is not None and history.best_epoch == epoch:
                best = last
            if verbose:
                beside = f", validation loss {watched[-1]:.6g}" if n_apart else ""
                print(f"{type(model).__name__}: epoch {epoch} of {epochs}, loss {history.loss[-1]:.6g}{beside}",
                      file=sys.stderr)
            if callback and callback(Progress(model, epoch, watched[-1])):
                break
            if patience is not None and epoch - history.best_epoch >= patience:
                break
    if patience is not None:
        best.restore(model, optimizer, schedule)
    return history


def evaluate(model, loss, X, y, *, lengths=None, batch_size=256):
    """The mean of a loss over samples X (N, D) and y (N,), or their tokens, without dropout and gradient: a float.

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
    lengths : array (N,) of int or None, default=None
        How many steps of each sample count, as in `fit`.
    batch_size : int, default=256
        Samples in a batch at most.
    """
    return _evaluate(model, loss, samples(X, y, lengths), whole_number(batch_size, "batch_size"))


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
    data, outputs = samples(X, None), []
    with in_mode(model, False), no_grad():
        for part in _batches(np.arange(len(data.X[0])), whole_number(batch_size, "batch_size")):
            output = model(*_inputs(model, data.batch(part)[0]))
            if not isinstance(output, Tensor):
                raise ValueError(f"model: expected an output that is a Tensor, got {type(output).__name__}")
            output = output.numpy()
            if output.ndim == 0 or len(output) != len(part):
                raise ValueError(f"model: expected an output (N, ...) for N = {len(part)} samples, "
                                 f"got shape {output.shape}; put the samples on the first axis")
            outputs.append(output)
    return np.concatenate(outputs)


# --- its steps

def _batches(order, C, lengths=None, rng=None):
    """The numbers of the samples of each batch, cut out of `order`; those of like length are then shuffled by `rng`."""
    order = order if lengths is None else by_length(order, lengths)
    parts = [order[start:stop] for start, stop in itertools.pairwise(bounds(len(order), C))]
    return parts if lengths is None or rng is None else [parts[b] for b in rng.permutation(len(parts))]


_REMEDY = "lower the step length, set max_norm, or scale the data"


def _step(model, optimizer, loss, X, y, max_norm):
    """One step downhill on one batch; returns its loss before the step, a float, and what that is the mean over.

    A batch of which nothing counts says nothing, and no step is made.
    """
    optimizer.zero_grad()
    mean, count = _loss(model, loss, X, y)
    if not count:
        return 0.0, 0
    price = penalty(model)
    mean = mean if type(price) is float else mean + price
    if np.isfinite(mean.item()):
        mean.backward()
        if max_norm is not None:
            clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    return mean.item(), count


def _check_weights(model, epoch):
    """Raise a ValueError if the last step has led where no loss has been looked at yet."""
    for name, parameter in model.named_parameters():
        if not np.isfinite(parameter._data).all():
            raise ValueError(f"loss: its gradient led {name} to NaN or infinity in epoch {epoch}; {_REMEDY}")


def _loss(model, loss, X, y):
    """The loss of one batch, a Tensor, and what it is the mean over."""
    output = model(*_inputs(model, X))
    value, count = loss(output) if y is None else loss(output, y), len(X[0])
    pair = isinstance(value, tuple) and len(value) == 2
    if pair:
        value, count = value
        count = real_number(count.item() if hasattr(count, "item") else count, "loss: the count")
    if not isinstance(value, Tensor) or value.data.size != 1:
        raise ValueError(f"loss: expected a Tensor with one entry, got "
                         f"{getattr(value, 'shape', type(value).__name__)}; take the mean, or return the sum and the "
                         "number of tokens")
    return value / count if pair and count else value, count


def _mean(J, n):
    if not any(n):
        raise ValueError("loss: its counts are 0 in all batches, so nothing is left to take the mean of")
    return float(epoch_loss(J, n))


def _evaluate(model, loss, data, C):
    J, n = [], []
    with in_mode(model, False), no_grad():
        for part in _batches(np.arange(len(data.X[0])), C, data.lengths):
            mean, count = _loss(model, loss, *data.batch(part))
            J.append(mean.item() if count else 0.0)
            n.append(count)
    return _mean(J, n)


@contextlib.contextmanager
def in_mode(model, training):
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

    def __init__(self, model, optimizer, schedule):
        self.weights, self.state = copy.deepcopy(model.state_dict()), optimizer.state_dict()
        self.progress = None if schedule is None else schedule.state_dict()

    def restore(self, model, optimizer, schedule):
        model.load_state_dict(self.weights)
        optimizer.load_state_dict(self.state)
        if schedule is not None:
            schedule.load_state_dict(self.progress)
        optimizer.zero_grad()


def _inputs(model, X):
    """Floats as Tensors in the dtype of the model; ids and masks as they are."""
    dtype = next((p.dtype for p in model.parameters()), None)
    return [Tensor(x if dtype is None else x.astype(dtype, copy=False)) if x.dtype.kind == "f" else x for x in X]


def _check_schedule(schedule, optimizer):
    if schedule is not None and (not isinstance(schedule, Schedule) or schedule.optimizer is not optimizer):
        raise ValueError(f"schedule={schedule!r:.60}: expected a schedule of scratchml.optim that was made for "
                         "`optimizer`, and whose step takes no argument")
