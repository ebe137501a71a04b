"""What is remembered, and what not."""
from scratchml.autograd import Tensor, no_grad
from scratchml.autograd.modes import enable_grad, is_grad_enabled, set_grad_enabled

X = Tensor(1.0, requires_grad=True)


def test_contexts_inside_of_each_other():
    assert is_grad_enabled()
    with no_grad():
        assert not (X * 2).requires_grad
        with enable_grad():
            assert (X * 2).requires_grad and is_grad_enabled()
        with set_grad_enabled(True):
            assert (X * 2).requires_grad
        assert not is_grad_enabled()
    for mode in (False, True):
        with set_grad_enabled(mode):
            assert (X * 2).requires_grad is mode
        assert is_grad_enabled()


def test_without_a_context_it_stays():
    set_grad_enabled(False)
    try:
        assert not (X * 2).requires_grad
    finally:
        set_grad_enabled(True)
    assert is_grad_enabled()


def test_decorated():
    @enable_grad()
    def doubled():
        return X * 2
    with no_grad():
        assert doubled().requires_grad and not is_grad_enabled()
