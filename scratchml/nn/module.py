"""Modules: what has weights, is made of parts that have weights, and computes Tensors from Tensors.

A subclass sets its weights and parts as attributes and defines `forward`; everything else follows from the attributes.
An attribute that is a `Parameter`, a leaf that requires a gradient, or another Module registers itself, under its name;
`register_buffer` does the same for what belongs to the state but is not learned, such as a running mean.  The
names of parts and weights, joined by dots, are the keys of `state_dict`.  A network with the attributes of one in
PyTorch so has the same keys, and weights go from one to the other.

Choices
    Layers take `dtype`, "float32" or "float64", and `random_state`, which decides over first weights and over what is
    random in training: None for a different draw every time, a seed, or a numpy.random.Generator that layers share.
    A layer turns an array that it is given into a Tensor of its dtype; a Tensor must have that dtype.
    A Parameter is a Tensor, not a subclass of it, and registers itself also where it requires no gradient; any other
    Tensor that requires none is a constant.
    A buffer is an array or a Tensor, and keeps its dtype until `to`, `float` or `double` change that of the Module.  As
    in PyTorch, float64 that meets float32 gives float64, and the next layer of float32 refuses that and says what to
    do.  `state_dict` gives the arrays themselves, as there: the next step changes them, and changing them in place,
    as a running mean of weights does, changes the Module.
    `load_state_dict` and `load` check everything first, and change everything or nothing.
    Files are those of core.storage, which hold no code.

>>> from scratchml.nn import Linear, Module, Sequential
>>> class Residual(Module):
...     def __init__(self, size, random_state=None):
...         self.inner = Sequential(Linear(size, size, random_state=random_state))
...     def forward(self, x):
...         return x + self.inner(x).tanh()
>>> net = Residual(3, random_state=0)
>>> {name: array.shape for name, array in net.state_dict().items()}
{'inner.0.weight': (3, 3), 'inner.0.bias': (3,)}
>>> net(np.ones((2, 3))).shape
(2, 3)
"""
import weakref

import numpy as np

from scratchml.autograd import Tensor
from scratchml.autograd.memory import Memory
from scratchml.core.checks import unmasked
from scratchml.nn.state import WithState

_parameters_made = weakref.WeakValueDictionary()        # by their id: a Tensor has no place to say that it is one


class _ParameterType(type):
    """Knows what it has made: that is a Tensor, and no class of its own."""

    def __instancecheck__(cls, obj):
        return _parameters_made.get(id(obj)) is obj


class Parameter(metaclass=_ParameterType):
    """A weight of a Module: a leaf Tensor, (N, D) or of any other shape.

    A Module registers it when it is set as an attribute.  Raises ValueError for what is no array of numbers.

    Parameters
    ----------
    data : array, Tensor or None, default=None
        Numbers of float64 or float32; the array is shared, also that of a Tensor, unless an operation has computed it.
        None for none.
    requires_grad : bool, default=True
        Whether it is learned.
    """

    def __new__(cls, data=None, requires_grad=True):
        if isinstance(data, Tensor):
            array = data.detach().numpy()
            data = array if array.flags.writeable else array.copy()
        made = Tensor(np.zeros(0, np.float32) if data is None else data, requires_grad)
        _parameters_made[id(made)] = made
        return made


class Handle:
    """What a hook is known by: `remove` takes it away."""

    def __init__(self, hooks):
        self.hooks = hooks

    def remove(self):
        self.hooks.pop(self, None)


class Module(WithState):
    """Something that computes Tensors from Tensors, by `forward`, and knows its weights and parts.

    Weights are the attributes that are Parameters, or leaves that require a gradient when they are set.
    `training` says whether it is in training: Dropout and BatchNorm1d ask.  A subclass need not call super().__init__.
    """

    _hooks = _pre_hooks = ()                             # {handle: function} once there is one

    def __new__(cls, *arguments, **named):
        self = object.__new__(cls)
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _not_saved=set())
        return self

    def __call__(self, *arguments, **named):
        if not self._hooks and not self._pre_hooks:
            return self.forward(*arguments, **named)
        for hook in list(self._pre_hooks.values() if self._pre_hooks else ()):
            changed = hook(self, arguments)
            if changed is not None:
                arguments = changed if isinstance(changed, tuple) else (changed,)
        result = self.forward(*arguments, **named)
        for hook in list(self._hooks.values() if self._hooks else ()):
            changed = hook(self, arguments, result)
            result = result if changed is None else changed
        return result

    def register_forward_hook(self, hook):
        """Call hook(module, arguments, result) after each `forward`; what it returns, unless None, is the result then.

        Returns a handle, whose `remove` ends that.  A copy of the module has no hooks.

        Parameters
        ----------
        hook : callable
            What is called.
        """
        hooks = self.__dict__.setdefault("_hooks", {})
        handle = Handle(hooks)
        hooks[handle] = hook
        return handle

    def register_forward_pre_hook(self, hook):
        """Call hook(module, arguments) before each `forward`; what it returns, unless None, are the arguments then.

        Returns a handle, whose `remove` ends that.  A copy of the module keeps it.

        Parameters
        ----------
        hook : callable
            What is called.
        """
        hooks = self.__dict__.setdefault("_pre_hooks", {})
        handle = Handle(hooks)
        hooks[handle] = hook
        return handle

    def forward(self, *arguments, **named):
        """What the module computes; a subclass says it, and what it takes.

        Parameters
        ----------
        *arguments : object
            Tensors, or what else the module takes.
        **named : object
            The same by name.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    # --- attributes

    def __setattr__(self, name, value):
        state = self.__dict__
        parameters, buffers, modules = state["_parameters"], state["_buffers"], state["_modules"]
        leaf = type(value) is Tensor and value.is_leaf
        if name in parameters and not leaf or name in buffers and not _is_constant(value):
            if value is not None and not isinstance(value, Module):
                raise TypeError(f"{name}: expected {'a leaf Tensor' if name in parameters else 'an array'} or None, as "
                                f"{type(self).__name__} has registered this name, got {type(value).__name__}")
        weight = leaf and (value.requires_grad or name in parameters or _parameters_made.get(id(value)) is value)
        registry = (modules if isinstance(value, Module) else parameters if weight else
                    buffers if name in buffers and value is not None else None)
        for other in (parameters, buffers, modules):
            if other is not registry:
                other.pop(name, None)
        if registry is not None:
            self._check_name(name)
            registry[name] = value
        state[name] = value                              # found without detour, unlike in PyTorch

    def __delattr__(self, name):
        object.__delattr__(self, name)
        for registry in (self._parameters, self._buffers, self._modules):
            registry.pop(name, None)

    def _check_name(self, name):
        if not name or "." in name or hasattr(type(self), name):
            raise ValueError(f"{name!r}: cannot name a part of {type(self).__name__}; expected a name without dots "
                             "that is not that of a method")

    def register_buffer(self, name, tensor, persistent=True):
        """Make an array part of the state that is not learned.

        Raises ValueError for anything else, and for a name that a weight or a part has.

        Parameters
        ----------
        name : str
            The name.
        tensor : array, Tensor or None
            Without gradient, of any shape; None takes the name and holds nothing.
        persistent : bool, default=True
            Whether `state_dict` has it.
        """
        if tensor is not None and not _is_constant(tensor):
            raise ValueError(f"{name}: expected a numpy.ndarray, or a Tensor that requires no gradient, got "
                             f"{'one that does' if type(tensor) is Tensor else type(tensor).__name__}")
        self._check_name(name)
        self._check_free(name, self._parameters, self._modules)
        self._not_saved -= {name}
        if tensor is not None:
            self._buffers[name] = tensor
            self._not_saved |= set() if persistent else {name}
        setattr(self, name, tensor)

    def register_parameter(self, name, param):
        """Make a Tensor a weight, also where it requires no gradient.

        Raises ValueError for anything else, and for a name that is taken.

        Parameters
        ----------
        name : str
            The name.
        param : Tensor or None
            A leaf, of any shape; None takes the name and holds nothing.
        """
        if param is not None and not (type(param) is Tensor and param.is_leaf):
            raise ValueError(f"{name}: expected a Parameter, which is a leaf Tensor, or None, got "
                             f"{'the result of an operation' if type(param) is Tensor else type(param).__name__}")
        self._check_name(name)
        self._check_free(name, self._buffers, self._modules)
        if param is not None:
            self._parameters[name] = param
        setattr(self, name, param)

    def add_module(self, name, module):
        """Make a Module a part.  Raises ValueError for what is no Module, and for a name that is taken.

        Parameters
        ----------
        name : str
            The name.
        module : Module
            The part.
        """
        if not isinstance(module, Module):
            raise ValueError(f"{name}: expected a Module, got {type(module).__name__}")
        self._check_free(name, self._parameters, self._buffers)
        setattr(self, name, module)

    def _check_free(self, name, *registries):
        for registry, what in ((self._parameters, "weight"), (self._buffers, "buffer"), (self._modules, "part")):
            if any(registry is other for other in registries) and name in registry:
                raise ValueError(f"{name}: {type(self).__name__} has a {what} of this name; expected another, or "
                                 "delete that first")

    def __getstate__(self):
        """What a copy has: registries of its own, and nothing that still hangs on a graph."""
        state = {name: None if type(value) is Tensor and not value.is_leaf else value
                 for name, value in self.__dict__.items() if name != "_hooks"}
        own = {name: dict(state[name]) for name in ("_parameters", "_buffers", "_modules")}
        return {**state, **own, "_not_saved": set(self._not_saved)}

    # --- parts and weights

    def _walk(self, prefix, seen):
        """(name, module) of this one and of all below it, but for those whose id is in `seen`."""
        if id(self) not in seen:
            seen.add(id(self))
            yield prefix, self
            for name, child in self._modules.items():
                yield from child._walk(f"{prefix}.{name}" if prefix else name, seen)

    def _every_name(self, prefix="", above=()):
        """(name, module) of this one and of all below it, one that has two names twice.  `above` is what it is in."""
        if any(self is module for module in above):
            raise ValueError(f"{prefix}: this {type(self).__name__} is a part of itself, so its state has no end; "
                             "take it out, or hold it in a list")
        yield prefix, self
        for name, child in self._modules.items():
            yield from child._every_name(f"{prefix}.{name}" if prefix else name, (*above, self))

    def named_modules(self, prefix=""):
        """(name, module) of this one and of all below it; one that is used twice once.

        Parameters
        ----------
        prefix : str, default=""
            The name of this one.
        """
        return self._walk(prefix, set())

    def modules(self):
        """This one and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self):
        """(name, module) of the parts themselves."""
        return _each_once(self._modules.items())

    def children(self):
        """The parts themselves."""
        return (module for _, module in self.named_children())

    def named_parameters(self, prefix="", recurse=True):
        """(name, Tensor) of the weights; one that is used twice comes once.

        Parameters
        ----------
        prefix : str, default=""
            What every name begins with.
        recurse : bool, default=True
            Whether those of the parts come, too.
        """
        return _each_once(_entries(self.named_modules(prefix) if recurse else [(prefix, self)], "_parameters"))

    def parameters(self, recurse=True):
        """The weights.

        Parameters
        ----------
        recurse : bool, default=True
            Whether those of the parts come, too.
        """
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True):
        """(name, array) of the state that is not learned.

        Parameters
        ----------
        prefix : str, default=""
            What every name begins with.
        recurse : bool, default=True
            Whether those of the parts come, too.
        """
        return _each_once(_entries(self.named_modules(prefix) if recurse else [(prefix, self)], "_buffers"))

    def buffers(self, recurse=True):
        """The state that is not learned.

        Parameters
        ----------
        recurse : bool, default=True
            Whether those of the parts come, too.
        """
        return (array for _, array in self.named_buffers(recurse=recurse))

    # --- modes

    def train(self, mode=True):
        """In training from now on, or not; the same for all parts.  Returns itself.

        Parameters
        ----------
        mode : bool, default=True
            Whether it is in training.
        """
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self):
        """No longer in training.  Returns itself."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Learn the weights, or freeze them.  Returns itself.

        Parameters
        ----------
        requires_grad : bool, default=True
            Whether they are learned.
        """
        for parameter in self.parameters():
            parameter.requires_grad = bool(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forget the gradients.

        Parameters
        ----------
        set_to_none : bool, default=True
            Whether `grad` becomes None, or else 0.
        """
        for parameter in self.parameters():
            kept = not set_to_none and parameter.grad is not None
            parameter.grad = Tensor(np.zeros(parameter.shape, parameter.dtype)) if kept else None

    def apply(self, fn):
        """Call a function with each part, and the parts of these, and with this one last.  Returns itself.

        Parameters
        ----------
        fn : callable
            The function of a Module.
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # --- dtypes

    def to(self, device=None, dtype=None):
        """Compute in another type from now on: weights, gradients and buffers of floats.

        Returns itself.  Raises ValueError for any other device or type.

        Parameters
        ----------
        device : {"cpu"}, dtype or None, default=None
            "cpu" is the only one there is; or the dtype.
        dtype : {"float32", "float64"} or None, default=None
            The type; None for the present one.
        """
        if device is not None and str(device) not in ("cpu", "cpu:0"):
            if dtype is not None or str(device).split(":")[0] in ("cuda", "mps"):
                raise ValueError(f"device={device!r}: expected 'cpu', the only device that there is")
            dtype = device
        if dtype is not None:
            dtype = float_type(dtype)
            for module in self.modules():
                module._turn_into(dtype)
        return self

    def cpu(self):
        """Itself: there is no other device."""
        return self

    def float(self):
        """Compute in float32 from now on, see `to`."""
        return self.to(dtype="float32")

    def double(self):
        """Compute in float64 from now on, see `to`."""
        return self.to(dtype="float64")

    def _turn_into(self, dtype):
        """Change the dtype of what this one has itself; a layer that remembers it calls it `dtype`."""
        for tensor in self._parameters.values():
            if tensor.dtype != dtype:                    # one that is used twice comes twice
                tensor._data = tensor._data.astype(dtype)
                tensor._memory = Memory(tensor._data)
                tensor.grad = None if tensor.grad is None else Tensor(tensor.grad.data.astype(dtype))
        for name, value in self._buffers.items():
            if isinstance(value, Tensor):
                setattr(self, name, Tensor(value.data.astype(dtype)))
            elif value.dtype.kind == "f":
                setattr(self, name, value.astype(dtype))
        if "dtype" in self.__dict__:
            self.dtype = dtype

    # --- in words

    settings = ()                                        # the attributes that the repr tells

    def extra_repr(self):
        """What the repr tells of this one itself; a subclass may say it."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)

    def __repr__(self):
        told = self.extra_repr()
        parts = [f"\n  ({name}): " + repr(part).replace("\n", "\n  ") for name, part in self._modules.items()]
        return f"{type(self).__name__}({told}{''.join(parts)}{chr(10) if parts else ''})"


# --- pieces --------------------------------------------------------------------------------------


def as_input(x, layer, dtype):
    """`x`, of any shape (N, D), as a Tensor of `dtype` for `layer`.  Raises ValueError for a Tensor of another."""
    if type(x) is not Tensor:
        x = np.asarray(unmasked(x, "input"))
        return Tensor(x.astype(dtype) if x.dtype.kind in "biuf" else x)
    if x._data.dtype != dtype:
        raise ValueError(f"input: {layer} computes in {dtype}, got a Tensor of {x.dtype}; use x.to({str(dtype)!r}), "
                         f"or make the layer with dtype={str(x.dtype)!r}")
    return x


def float_type(dtype):
    """`dtype` as a NumPy dtype.  Raises ValueError unless it is float32 or float64."""
    try:
        found = None if dtype is None else np.dtype(dtype)                      # NumPy takes None for float64
    except TypeError:
        found = None
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype={dtype!r}: expected 'float32' or 'float64'")
    return found


def _is_constant(value):
    """Whether a buffer can hold it."""
    return isinstance(value, np.ndarray) or type(value) is Tensor and not value.requires_grad


def _each_once(pairs):
    seen = set()
    for name, thing in pairs:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing


def _entries(named, registry):
    for prefix, module in named:
        for name, value in getattr(module, registry).items():
            yield f"{prefix}.{name}" if prefix else name, value
