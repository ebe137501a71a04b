"""Containers: what is registered under which name, indexing, and what is refused."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.nn import Linear, Module, ModuleDict, ModuleList, Parameter, ParameterList, ReLU, Sequential
from tests.nn.test_module import Scale


def test_sequential_applies_one_after_the_other():
    first, second = Linear(3, 2, dtype="float64", random_state=0), Scale(2)
    x = np.random.default_rng(0).normal(size=(4, 3))
    net = Sequential(first, second)
    assert (net(x).data == second(first(x)).data).all()
    assert len(net) == 2 and list(net) == [first, second] and net[-1] is second
    assert (net[:1](x).data == first(x).data).all() and isinstance(net[:1], Sequential)
    assert [name for name, _ in Sequential({"a": first, "b": second}).named_children()] == ["a", "b"]
    assert net.append(Scale(2)) is net and len(net) == 3
    empty = Sequential()
    assert empty(x) is x and len(empty) == 0


def test_lists_hold_modules_alone():
    parts = ModuleList([Scale(), Scale()])
    assert len(parts) == 2 and [len(p.state_dict()) for p in parts[1:]] == [2] and isinstance(parts[1:], ModuleList)
    delattr(parts, "0")
    parts.append(third := Scale())
    assert list(parts)[1] is third and len(parts) == 2
    for make in (lambda: Sequential(np.tanh), lambda: ModuleList([3]), lambda: Sequential({"a": 3})):
        with pytest.raises(TypeError, match="expected"):
            make()


def test_lists_grow_and_change():
    parts = ModuleList().extend([Scale(1), Scale(2)])
    parts[-1] = Scale(4)
    assert [p.factor.shape for p in parts] == [(1,), (4,)] and list(parts.state_dict())[-2:] == ["1.factor", "1.calls"]
    with pytest.raises(TypeError, match="expected Modules, got int"):
        parts[0] = 3


def test_modules_under_names():
    heads = ModuleDict({"a": Scale(1), "b": Scale(2)})
    heads["c"] = heads["a"]
    heads.update([("b", Scale(3))])
    assert list(heads) == list(heads.keys()) == ["a", "b", "c"] and len(heads) == 3 and "b" in heads
    assert heads["b"].factor.shape == (3,) and dict(heads.items())["c"] is list(heads.values())[0]
    del heads["a"]
    assert list(heads.state_dict()) == ["b.factor", "b.calls", "c.factor", "c.calls"] and "a" not in heads
    assert not hasattr(heads, "a")
    with pytest.raises(TypeError, match="x: expected Modules, got int"):
        heads["x"] = 3
    with pytest.raises(ValueError, match="'keys': cannot name a part"):
        heads["keys"] = Scale()


def test_weights_in_a_list():
    module = Module()
    module.weights = ParameterList([np.ones(2), Parameter(np.ones(3), requires_grad=False)]).append(Tensor(np.ones(1)))
    assert list(module.state_dict()) == ["weights.0", "weights.1", "weights.2"] and len(module.weights) == 3
    assert [w.requires_grad for w in module.weights] == [True, False, False]
    assert module.weights[-1].shape == (1,) and module.weights[1:][0] is module.weights[1]
    with pytest.raises(ValueError, match="expected real numbers"):
        module.weights.append("a")


def test_hooks_of_parts_are_called_in_a_sequence():
    net, seen = Sequential(Linear(2, 2, random_state=0), ReLU()), []
    net[0].register_forward_hook(lambda module, arguments, result: seen.append(result.shape))
    before = net[1].register_forward_pre_hook(lambda module, arguments: -arguments[0])
    x = np.ones((3, 2))
    assert (net(x).data == np.maximum(-net[0](x).data, 0)).all() and seen == [(3, 2)] * 2
    before.remove()
    assert (net(x).data == np.maximum(net[0](x).data, 0)).all()
