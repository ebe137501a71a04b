"""Whether operations are remembered: `no_grad` and its opposites."""
from scratchml.autograd.tensor import _mode, no_grad


class set_grad_enabled(no_grad):
    """Remember operations in this thread from now on, or not; as a context, until its end.

    Parameters
    ----------
    mode : bool
        Whether they are remembered.
    """

    def __init__(self, mode):
        self.mode, self._before, _mode.recording = bool(mode), _mode.recording, bool(mode)

    def __enter__(self):
        _mode.recording = self.mode

    def _recreate_cm(self):
        return set_grad_enabled(self.mode)


class enable_grad(no_grad):
    """`with enable_grad():` or `@enable_grad()`: operations in this thread are remembered, also inside of `no_grad`."""

    def __enter__(self):
        self._before, _mode.recording = _mode.recording, True

    def _recreate_cm(self):
        return enable_grad()


def Variable(data, requires_grad=False):
    """PyTorch's old name for a Tensor: `data` itself, which learns from now on if asked.

    Raises RuntimeError and ValueError as `requires_grad_`.

    Parameters
    ----------
    data : Tensor (N, D)
        The numbers, of any shape.
    requires_grad : bool, default=False
        Whether it shall have a gradient.
    """
    return data.requires_grad_() if requires_grad else data


def is_grad_enabled():
    """Whether operations in this thread are remembered."""
    return _mode.recording
