"""Modules: what registers itself, names, state that moves, files, copies, and errors that say everything at once."""
import copy
import pickle

import numpy as np
import pytest

from scratchml import nn
from scratchml.autograd import Tensor
from scratchml.core import storage
from scratchml.nn import BatchNorm1d, Linear, Module, Parameter, Sequential
from scratchml.nn.initialisation import xavier_uniform_
from scratchml.nn.module import as_input, float_type
from scratchml.nn.state import KIND
from scratchml.optim import Adam


class Scale(Module):
    def __init__(self, size=3):
        self.factor = Parameter(np.arange(1.0, size + 1))
        self.offset = None
        self.register_buffer("calls", np.array(0))

    def forward(self, x):
        self.calls = np.array(self.calls + 1)
        return x * self.factor


class Net(Module):
    def __init__(self, seed=0):
        super().__init__()
        self.constant = Tensor([1.0])                    # requires no gradient: not a weight
        self.scale = Scale()
        self.body = Sequential(Linear(3, 2, random_state=seed, dtype="float64"), Scale(2))
        self.tied = self.scale

    def forward(self, x):
        return self.body(self.tied(self.scale(x)))


NAMES = ["scale.factor", "body.0.weight", "body.0.bias", "body.1.factor"]


# --- what registers itself

def test_a_parameter_is_known():
    made = Parameter(np.ones(2))
    assert isinstance(made, Parameter) and isinstance(Linear(2, 1).weight, Parameter)
    assert not isinstance(Tensor(np.ones(2), requires_grad=True), Parameter) and not isinstance(made * 1, Parameter)


def test_names_of_weights_buffers_and_parts():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(3,), (2, 3), (2,), (2,)]
    assert [name for name, _ in net.named_buffers()] == ["scale.calls", "body.1.calls"]
    assert len(list(net.buffers())) == 2
    assert [name for name, _ in net.named_children()] == ["scale", "body"]
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Scale", "Sequential", "Linear", "Scale"]
    assert [name for name, _ in net.named_modules("a")] == ["a", "a.scale", "a.body", "a.body.0", "a.body.1"]
    assert list(net.parameters(recurse=False)) == [] and len(list(net.children())) == 2
    assert list(net.state_dict()) == ["scale.factor", "scale.calls", "body.0.weight", "body.0.bias", "body.1.factor",
                                      "body.1.calls", "tied.factor", "tied.calls"]


def test_an_attribute_that_is_replaced_or_deleted():
    module = Scale()
    module.factor = Parameter(np.ones(2))
    assert [p.shape for p in module.parameters()] == [(2,)]
    module.factor = Tensor(np.ones(4))                   # frozen, but still a weight
    assert [p.shape for p in module.parameters()] == [(4,)]
    module.offset = Parameter(np.ones(1))
    module.factor = None
    assert [name for name, _ in module.named_parameters()] == ["offset"]
    module.offset = Linear(1, 1)
    assert [name for name, _ in module.named_parameters()] == ["offset.weight", "offset.bias"]
    del module.offset, module.calls
    assert not module.state_dict() and not hasattr(module, "calls")


def test_frozen_weights_stay_weights():
    net = Net().requires_grad_(False)
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert not net(np.ones((1, 3))).requires_grad and net.requires_grad_()(np.ones((1, 3))).requires_grad


@pytest.mark.parametrize("name, value", [("factor", np.ones(3)), ("calls", 3), ("factor", 1.0)])
def test_what_cannot_take_the_place_of_a_weight(name, value):
    with pytest.raises(TypeError, match=f"{name}: expected a.* or None, as Scale has registered"):
        setattr(Scale(), name, value)


def test_the_result_of_an_operation_is_no_weight():
    module = Scale()
    with pytest.raises(TypeError, match="expected a leaf Tensor"):
        module.factor = module.factor * 2
    module.double = module.factor * 2
    assert [name for name, _ in module.named_parameters()] == ["factor"]


@pytest.mark.parametrize("name", ["forward", "state_dict", "a.b", ""])
def test_names_that_a_part_cannot_have(name):
    with pytest.raises(ValueError, match="cannot name a part of Scale"):
        Scale().register_buffer(name, np.ones(1))
    with pytest.raises(ValueError, match="cannot name a part of Sequential"):
        Sequential({name: Scale()})
    with pytest.raises(ValueError, match="expected a numpy.ndarray, or a Tensor that requires no gradient, got float"):
        Scale().register_buffer("x", 1.0)


def test_a_buffer_does_not_take_the_place_of_a_weight_or_a_part():
    for name, what in (("body", "part"), ("scale", "part")):
        net = Net()
        with pytest.raises(ValueError, match=f"{name}: Net has a {what} of this name"):
            net.register_buffer(name, np.ones(1))
        assert isinstance(getattr(net, name), Module) and name not in net.state_dict()
    module = Scale()
    with pytest.raises(ValueError, match="factor: Scale has a weight of this name"):
        module.register_buffer("factor", np.ones(1))
    assert list(module.state_dict()) == ["factor", "calls"] and module.factor.shape == (3,)
    module.register_buffer("calls", np.array(4))
    assert module.state_dict()["calls"] == 4


def test_a_parameter_that_is_frozen_from_the_start_is_a_weight():
    module = Module()
    module.frozen, module.constant = Parameter(np.ones(2), requires_grad=False), Tensor(np.ones(2))
    assert [name for name, _ in module.named_parameters()] == ["frozen"]
    assert module.load_state_dict({"frozen": [3.0, 4.0]}) == ([], []) and module.frozen.data.tolist() == [3, 4]
    assert [name for name, _ in copy.deepcopy(module).named_parameters()] == ["frozen"]
    Adam(module.parameters()).step()
    assert module.frozen.data.tolist() == [3, 4]
    module.frozen = Tensor(np.zeros(3))
    assert list(module.state_dict()) == ["frozen"]


def test_a_parameter_of_a_tensor():
    x = Tensor(np.ones(3))
    assert Parameter(x).detach().numpy() is x.numpy() and Parameter(x).requires_grad
    for made in (2 * Tensor(np.ones(3), requires_grad=True), Tensor(np.ones(1)).expand(3)):
        weight = Parameter(made)
        weight.data[0] = 7                               # its own
        assert weight.is_leaf and made.data[0] != 7 and weight.requires_grad
    assert Parameter().shape == (0,)
    with pytest.raises(ValueError, match="expected real numbers"):
        Parameter(["a"])


def test_weights_and_parts_under_names_that_are_given():
    module = Module()
    module.register_parameter("scale", Tensor(np.ones(2)))
    module.register_parameter("shift", None)
    module.add_module("part", Linear(2, 1))
    assert list(module.state_dict()) == ["scale", "part.weight", "part.bias"] and module.shift is None
    for call, message in [(lambda: module.register_parameter("x", np.ones(2)), "x: expected a Parameter.*got ndarray"),
                          (lambda: module.register_parameter("x", module.part.weight * 2),
                           "the result of an operation"),
                          (lambda: module.register_parameter("part", None), "part: Module has a part of this name"),
                          (lambda: module.add_module("scale", Linear(1, 1)), "scale: Module has a weight of this name"),
                          (lambda: module.add_module("x", 3), "x: expected a Module, got int")]:
        with pytest.raises(ValueError, match=message):
            call()


def test_buffers_may_be_tensors_and_need_not_be_saved():
    module = Module()
    module.register_buffer("table", Tensor(np.ones((2, 2))))
    module.register_buffer("scratch", np.zeros(3), persistent=False)
    module.register_buffer("later", None)
    assert list(module.state_dict()) == ["table"] and module.later is None
    assert [name for name, _ in module.named_buffers()] == ["table", "scratch"]
    module.load_state_dict({"table": [[1, 2], [3, 4]]})
    assert type(module.table) is Tensor and module.table.data.tolist() == [[1, 2], [3, 4]]
    module.table = module.table * 2
    assert module.state_dict()["table"].tolist() == [[2, 4], [6, 8]]
    assert list(copy.deepcopy(module).state_dict()) == ["table"]
    module.register_buffer("scratch", np.zeros(3))
    assert list(module.state_dict()) == ["table", "scratch"]
    with pytest.raises(ValueError, match="that requires no gradient, got one that does"):
        module.register_buffer("x", Tensor(np.ones(1), requires_grad=True))
    with pytest.raises(TypeError, match="table: expected an array or None"):
        module.table = Tensor(np.ones(1), requires_grad=True)


def test_apply_calls_the_parts_first():
    seen = []
    net = Net()
    assert net.apply(seen.append) is net
    assert [type(m).__name__ for m in seen] == ["Scale", "Linear", "Scale", "Sequential", "Net"]


def test_a_module_in_another_dtype():
    net, x = Net(), np.random.default_rng(0).normal(size=(4, 3))
    net.scale.register_buffer("table", Tensor(np.ones(2)))
    net(x).sum().backward()
    weight, grad = net.body[0].weight, net.body[0].weight.grad.data
    assert net.float() is net and net.body[0].weight is weight
    assert {p.dtype for p in net.parameters()} == {p.grad.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(weight.grad.data, grad, rtol=1e-6)
    assert net.scale.calls.dtype == np.int64 and net.scale.table.dtype == np.float32
    assert net.double().to("cpu").to("cpu", dtype="float64")(x).dtype == np.float64
    assert net.to(np.float32).body(np.float32(x)).dtype == np.float32
    for call in (lambda: net.to("cuda"), lambda: net.to("cuda:1", "float32"), lambda: net.to(device="mps")):
        with pytest.raises(ValueError, match="expected 'cpu', the only device"):
            call()
    with pytest.raises(ValueError, match="dtype='int64': expected 'float32' or 'float64'"):
        net.to("int64")


@pytest.mark.parametrize("layer, shape", [
    (lambda: nn.BatchNorm1d(3), (4, 3)), (lambda: nn.LayerNorm(3), (4, 3)), (lambda: nn.Embedding(5, 3), None),
    (lambda: nn.Conv1d(3, 2, 2), (1, 3, 4)), (lambda: nn.LSTM(3, 2, bias=False), (4, 1, 3)),
    (lambda: nn.GRU(3, 2), (4, 1, 3)), (lambda: nn.AdditiveAttention(3, 2, 3), "attention"),
    (lambda: nn.MultiheadAttention(3, 1), "attention"),
])
def test_every_layer_computes_in_the_dtype_it_is_turned_into(layer, shape):
    layer = layer().double()
    x = [1, 2] if shape is None else Tensor(np.ones((2, 2, 3) if shape == "attention" else shape))
    y = layer(x, x, x) if shape == "attention" else layer(x)
    while isinstance(y, tuple):
        y = y[0]
    assert y.dtype == np.float64


def test_float64_that_meets_float32_is_refused_by_the_next_layer():
    layer = Linear(3, 3)
    wide = layer(np.ones((2, 3))) + np.ones(3)
    assert wide.dtype == np.float64
    with pytest.raises(ValueError, match="computes in float32, got a Tensor of float64; use x.to"):
        layer(wide)


def test_gradients_are_set_to_zero_where_there_are_some():
    net = Net()
    net.scale(np.ones(3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.factor.grad.data.tolist() == [0, 0, 0] and net.body[0].weight.grad is None


def test_parts_that_are_shared_are_walked_once():
    net = Scale()
    for _ in range(60):                                  # 2⁶⁰ names
        outer = Module()
        outer.left = outer.right = net
        net = outer
    assert len(list(net.modules())) == 61 and len(list(net.parameters())) == 1 and not net.eval().training


def test_a_part_of_itself_has_no_state():
    net = Net()
    net.body.append(net)
    assert len(list(net.modules())) == 5 and len(list(net.parameters())) == 4
    with pytest.raises(ValueError, match="body.2: this Net is a part of itself"):
        net.state_dict()


def test_modes_reach_every_part():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    assert not net.train(False).body[1].training


def test_gradients_are_forgotten():
    net = Net()
    net(np.ones((1, 3))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_module_without_forward():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


def test_repr():
    assert repr(Sequential(Linear(3, 2), Scale())) == \
        "Sequential(\n  (0): Linear(in_features=3, out_features=2)\n  (1): Scale()\n)"


# --- state

def test_state_moves_from_one_to_another():
    one, other, x = Net(0), Net(1), np.random.default_rng(0).normal(size=(4, 3))
    one(x)
    state = one.state_dict()
    keys = other.load_state_dict(state)
    assert keys == ([], []) and keys.missing_keys == keys.unexpected_keys == []
    assert (one(x).data == other(x).data).all() and other.scale.calls == 4 and type(other.scale.calls) is np.ndarray
    other.scale.factor.data[0] = 9
    assert state["scale.factor"][0] == one.scale.factor.data[0] == 1          # the other has arrays of its own


def test_a_state_is_that_of_now():
    net = Net(0)
    state, kept, x = net.state_dict(), copy.deepcopy(net.state_dict()), np.ones((2, 3))
    assert all(np.shares_memory(array, state[name]) for name, array in net.state_dict().items())
    model = Adam(net.parameters(), lr=0.1)
    net(x).sum().backward()
    model.step()
    assert (state["body.0.weight"] == net.body[0].weight.data).all()
    assert (state["body.0.weight"] != kept["body.0.weight"]).any()
    loss = net(x).sum()
    net.load_state_dict(kept)                            # in the same arrays, and what needed them before misses them
    assert all((state[name] == array).all() for name, array in kept.items())
    with pytest.raises(RuntimeError, match="has been changed in place since"):
        loss.backward()
    net.load_state_dict(Net(1).state_dict())
    assert (kept["body.0.weight"] != net.body[0].weight.data).any()
    xavier_uniform_(net.body[0].weight)
    assert (state["body.0.weight"] == net.body[0].weight.data).all()
    norm = BatchNorm1d(3)
    state = norm.state_dict()
    norm(np.random.default_rng(0).normal(size=(4, 3)))
    assert state["running_mean"].any() and state["num_batches_tracked"] == 1


def test_changes_of_a_state_change_the_module():
    net, mean = Net(0), Net(1)
    before, last = copy.deepcopy(mean.state_dict()), net.state_dict()
    for name, v in mean.state_dict().items():
        if v.dtype.kind == "f":
            v.mul_(0.75).add_(0.25 * last[name].detach())
    for name, v in mean.state_dict().items():
        expected = 0.75 * before[name] + 0.25 * last[name] if v.dtype.kind == "f" else before[name]
        np.testing.assert_allclose(v, expected, rtol=1e-15)
    np.testing.assert_array_equal(mean.body[0].weight.data, mean.state_dict()["body.0.weight"])
    net.state_dict()["scale.factor"].copy_(np.array([1.0, 2.0, 3.0]))
    net.state_dict()["body.0.bias"].zero_()
    net.state_dict()["scale.calls"].fill_(7)
    assert net.scale.factor.data.tolist() == [1, 2, 3] and not net.body[0].bias.data.any() and net.scale.calls == 7


def test_a_state_is_taken_over_where_arrays_are_read_only():
    fixed = np.array([[1.0, 2.0]])
    fixed.flags.writeable = False
    net = Linear(2, 1, dtype="float64")
    net.weight = Parameter(fixed)
    net.load_state_dict({"weight": [[3.0, 4.0]], "bias": [0.0]})
    assert net.weight.data.tolist() == [[3, 4]] and fixed.tolist() == [[1, 2]]


def test_state_takes_the_dtype_that_is_here():
    net = Linear(2, 1)
    net.load_state_dict({"weight": [[1, 2]], "bias": np.float64([0.1])})
    assert net.weight.dtype == net.bias.dtype == np.float32 and net.weight.data.flags.c_contiguous


def test_optimisers_go_on_with_loaded_weights():
    net = Linear(2, 1, dtype="float64")
    model = Adam(net.parameters(), lr=0.1)
    early = net([[1.0, 1.0]]).sum()
    net.load_state_dict({"weight": [[3.0, 3.0]], "bias": [0.0]})
    net([[1.0, 1.0]]).sum().backward()
    model.step()
    np.testing.assert_allclose(net.weight.data, [[2.9, 2.9]], rtol=1e-6)
    assert early.requires_grad


def test_everything_that_is_wrong_is_said_at_once_and_nothing_changes():
    net = Net()
    before, state = copy.deepcopy(net.state_dict()), Net(1).state_dict()
    state["body.0.weight"] = state["body.0.weight"].T
    state["body.0.bias"] = np.array(["a", "b"])
    state["body.1.calls"] = np.array(1.5)
    state["more"] = np.ones(7)
    state.pop("scale.factor")
    with pytest.raises(ValueError) as error:
        net.load_state_dict(state)
    for part in ("not that of this Net", "missing scale.factor (3,)", "unexpected more (7,)",
                 "body.0.weight has shape (3, 2), expected (2, 3)", "body.0.bias is of <U1, expected float64",
                 "body.1.calls is of float64, expected int64"):
        assert part in str(error.value)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_not_strict_takes_what_there_is():
    net = Net()
    missing, unexpected = net.load_state_dict({"scale.factor": [7.0, 8.0, 9.0], "x": 1.0}, strict=False)
    assert "body.0.weight" in missing and unexpected == ["x"] and net.scale.factor.data.tolist() == [7, 8, 9]
    with pytest.raises(ValueError, match=r"scale.factor has shape \(1,\)"):
        net.load_state_dict({"scale.factor": [7.0]}, strict=False)


@pytest.mark.parametrize("state, message", [
    ([1], "expected a dictionary of arrays, got list"),
    ({"weight": [[1e300, 0]], "bias": [0]}, "weight holds numbers that are too large for float32"),
    ({"weight": [[1j, 0]], "bias": [0]}, "weight is of complex128"),
])
def test_state_that_is_none(state, message):
    with pytest.raises(ValueError, match=message):
        Linear(2, 1).load_state_dict(state)


# --- files

def test_files(tmp_path):
    one, other = Net(0), Net(1)
    one.save(tmp_path / "net")
    assert other.load(tmp_path / "net") is other
    for name, array in one.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name])


def test_files_that_do_not_fit(tmp_path):
    net, file = Net(), tmp_path / "net"
    before = copy.deepcopy(net.state_dict())
    Linear(3, 2).save(file)
    with pytest.raises(ValueError, match=r"net: holds another architecture; .*missing scale.factor"):
        net.load(file)
    net.save(file)
    content = file.read_bytes()
    file.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    with pytest.raises(ValueError, match="net: damaged or truncated"):
        net.load(file)
    file.write_bytes(content[:-30])
    with pytest.raises(ValueError, match="net: damaged or truncated"):
        net.load(file)
    file.write_text("weights")
    with pytest.raises(ValueError, match="scratchml did not write"):
        net.load(file)
    storage.save(file, "scratchml.sequences.CRF", {}, {})
    with pytest.raises(ValueError, match=f"holding {KIND}, got scratchml.sequences.CRF"):
        net.load(file)
    with pytest.raises(FileNotFoundError):
        net.load(tmp_path / "none")
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# --- copies

@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_stand_alone(copied):
    net, x = Net(), np.random.default_rng(0).normal(size=(4, 3))
    net.kept = net(x)                                    # hangs on a graph
    twin = copied(net)
    assert twin.kept is None and twin.tied is twin.scale and (twin(x).data == net(x).data).all()
    for p in twin.parameters():
        p.data[...] = 0
    assert (twin(x).data == 0).all() and (net(x).data != 0).any()


def test_a_shallow_copy_has_a_registry_of_its_own():
    net = Scale()
    twin = copy.copy(net)
    twin.more = Parameter(np.ones(1))
    assert len(list(net.parameters())) == 1 and len(list(twin.parameters())) == 2


# --- dtypes

def test_inputs_are_turned_into_the_dtype_of_the_layer():
    for x in ([[1, 2]], np.array([[1.0, 2.0]]), np.array([[True, False]]), np.float32([[1, 2]])):
        assert as_input(x, "layer", np.dtype(np.float32)).dtype == np.float32
    kept = Tensor(np.ones(2))
    assert as_input(kept, "layer", np.dtype(np.float64)) is kept
    with pytest.raises(ValueError, match=r"layer computes in float32, got a Tensor of float64; use x.to\('float32'\)"):
        as_input(kept, "layer", np.dtype(np.float32))
    with pytest.raises(ValueError, match="expected real numbers"):
        as_input(["a"], "layer", np.dtype(np.float32))


@pytest.mark.parametrize("dtype", ["float16", int, "x", None, None.__class__])
def test_dtypes_that_are_none(dtype):
    with pytest.raises(ValueError, match="expected 'float32' or 'float64'"):
        float_type(dtype)


def test_forward_hooks():
    layer, seen = Linear(2, 3, random_state=0), []
    handle = layer.register_forward_hook(lambda module, given, result: seen.append((module, len(given), result.shape)))
    double = layer.register_forward_hook(lambda module, given, result: 2 * result)
    x = np.ones((4, 2))
    twice = layer(x)
    assert seen == [(layer, 1, (4, 3))] and copy.deepcopy(layer)(x).shape == (4, 3) and len(seen) == 1
    handle.remove()
    double.remove()
    np.testing.assert_array_equal(twice.data, 2 * layer(x).data)


def test_a_state_has_the_methods_of_tensors():
    net = Linear(2, 3, random_state=0)
    state = {name: v.cpu().clone() for name, v in net.state_dict().items()}
    net.weight.data[:] = 0
    net.load_state_dict(state)
    assert net.weight.data.any() and net.state_dict()["weight"].detach().numpy().shape == (3, 2)
    net.weight.data = Tensor(np.ones((3, 2), np.float32))
    net.weight.data -= 0.5 * Tensor(np.ones((3, 2), np.float32))
    assert (net.weight.data == 0.5).all()


def test_a_subclass_says_what_its_repr_tells():
    class Gate(Module):
        def extra_repr(self):
            return "open=True"
    assert repr(Gate()) == "Gate(open=True)"


def test_hooks_before_the_forward():
    class Sum(Module):
        def forward(self, a, b):
            return a + b
    module = Sum()
    module.register_forward_pre_hook(lambda module, arguments: (arguments[0], 10 * arguments[1]))
    module.register_forward_pre_hook(lambda module, arguments: None)
    module.register_forward_hook(lambda module, arguments, result: (arguments, result))
    assert module(1, 2) == ((1, 20), 21)
