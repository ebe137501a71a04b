"""What long work says while it runs: a `Progress` to the caller's callback, a line to stderr for `verbose`."""
import sys
from typing import NamedTuple


class Progress(NamedTuple):
    """What a `callback` gets after every iteration; if it returns True, the fit stops there and keeps what it has."""
    estimator: object
    iteration: int
    loss: float


def report(estimator, iteration, loss, note="", callback=None):
    """Tell the estimator's `verbose` and `callback` of a finished iteration; True means that the fit shall stop.

    `note` ends the line; `callback` is for those whose `fit` takes it.  Raises ValueError for one that cannot be
    called.
    """
    callback = checked_callback(getattr(estimator, "callback", None) if callback is None else callback)
    if estimator.verbose:
        print(f"{type(estimator).__name__}: iteration {iteration}, loss {loss:.10g}{note}", file=sys.stderr)
    return bool(callback is not None and callback(Progress(estimator, iteration, loss)))


def checked_callback(callback):
    """`callback`, if it can be called or is None.  Raises ValueError."""
    if callback is not None and not callable(callback):
        raise ValueError(f"callback={callback!r}: expected a function of a Progress, or None")
    return callback
