"""What long work says while it runs: a `Progress` to the caller's callback, a line to stderr for `verbose`."""
import sys
from typing import NamedTuple


class Progress(NamedTuple):
    """What a `callback` gets after every iteration; if it returns True, the fit stops there and keeps what it has."""
    estimator: object
    iteration: int
    loss: float


def report(estimator, iteration, loss, note=""):
    """Tell the estimator's `verbose` and `callback` of a finished iteration; True means that the fit shall stop.

    `note` ends the line.  Raises ValueError for a `callback` that cannot be called.
    """
    if estimator.callback is not None and not callable(estimator.callback):
        raise ValueError(f"callback={estimator.callback!r}: expected a function of a Progress, or None")
    if estimator.verbose:
        print(f"{type(estimator).__name__}: iteration {iteration}, loss {loss:.10g}{note}", file=sys.stderr)
    return bool(estimator.callback is not None and estimator.callback(Progress(estimator, iteration, loss)))
