"""Modules: what has weights, is made of parts that have weights, and computes Tensors from Tensors.

A subclass sets its weights and parts as attributes and defines `forward`; everything else follows from the attributes.
An attribute that is a `Parameter`, a leaf that requires a gradient, or another Module registers itself, under its name;
`register_buffer` does the same for an array that belongs to the state but is not learned, such as a running mean.  The
names of parts and weights, joined by dots, are the keys of `state_dict`.  A network with the attributes of one in
PyTorch so has the same keys, and weights go from one to the other.

Choices
    Layers take `dtype`, "float32" or "float64", and `random_state`, which decides over first weights and over what is
    random in training: None for a different draw every time, a seed, or a numpy.random.Generator that layers share.
    A layer turns an array that it is given into a Tensor of its dtype; a Tensor must have that dtype.
    A Parameter is a Tensor, not a subclass of it.  Frozen by requires_grad=False it stays registered; but one that is
    frozen from the start is a constant like any other Tensor, and registers nothing.
    `state_dict` gives copies of the arrays: they are not moved by the next step.
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
import numpy as np

from scratchml.autograd import Tensor
from scratchml.core import storage

KIND = "scratchml.nn.Module"                             # what a file of `save` says that it holds


def Parameter(data, requires_grad=True):
    """A weight of a Module: a leaf Tensor of `data`, an array (N, D) of float64 or float32 or of any other shape.

    It shares the array.  A Module registers it if it requires a gradient when it is set as an attribute: to freeze a
    weight, set it first, and its requires_grad to False afterwards.  Raises ValueError for what is no array of numbers.
    """
    return Tensor(data, requires_grad)


class Module:
    """Something that computes Tensors from Tensors, by `forward`, and knows its weights and parts.

    Weights are the attributes that are leaves and require a gradient when they are set, see `Parameter`.
    `training` says whether it is in training: Dropout and BatchNorm1d ask.  A subclass need not call super().__init__.
    """

    def __new__(cls, *arguments, **named):
        self = object.__new__(cls)
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={})
        return self

    def __call__(self, *arguments, **named):
        return self.forward(*arguments, **named)

    def forward(self, *arguments, **named):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    # --- attributes

    def __setattr__(self, name, value):
        state = self.__dict__
        parameters, buffers, modules = state["_parameters"], state["_buffers"], state["_modules"]
        leaf = type(value) is Tensor and value.is_leaf
        if name in parameters and not leaf or name in buffers and not isinstance(value, np.ndarray):
            if value is not None and not isinstance(value, Module):
                raise TypeError(f"{name}: expected {'a leaf Tensor' if name in parameters else 'an array'} or None, as "
                                f"{type(self).__name__} has registered this name, got {type(value).__name__}")
        registry = (modules if isinstance(value, Module) else
                    parameters if leaf and (value.requires_grad or name in parameters) else
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

    def register_buffer(self, name, array):
        """Make `array`, a numpy.ndarray of any shape, part of the state under `name`.

        Raises ValueError for others, and for a name that a weight or a part has.
        """
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name}: expected a numpy.ndarray, got {type(array).__name__}")
        self._check_name(name)
        if name in self._parameters or name in self._modules:
            raise ValueError(f"{name}: {type(self).__name__} has a {'weight' if name in self._parameters else 'part'} "
                             "of this name; expected another, or delete that first")
        self._buffers[name] = array
        setattr(self, name, array)

    def __getstate__(self):
        """What a copy has: registries of its own, and nothing that still hangs on a graph."""
        state = {name: None if type(value) is Tensor and not value.is_leaf else value
                 for name, value in self.__dict__.items()}
        return {**state, **{name: dict(state[name]) for name in ("_parameters", "_buffers", "_modules")}}

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
        """(name, module) of this one, whose name is `prefix`, and of all below it; one that is used twice once."""
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
        """(name, Tensor) of the weights, also of the parts if `recurse`; one that is used twice comes once."""
        return _each_once(_entries(self.named_modules(prefix) if recurse else [(prefix, self)], "_parameters"))

    def parameters(self, recurse=True):
        """The weights."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True):
        """(name, array) of the state that is not learned."""
        return _each_once(_entries(self.named_modules(prefix) if recurse else [(prefix, self)], "_buffers"))

    def buffers(self, recurse=True):
        """The state that is not learned."""
        return (array for _, array in self.named_buffers(recurse=recurse))

    # --- modes

    def train(self, mode=True):
        """In training from now on, or not; the same for all parts.  Returns itself."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self):
        """No longer in training.  Returns itself."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Learn the weights, or freeze them.  Returns itself."""
        for parameter in self.parameters():
            parameter.requires_grad = bool(requires_grad)
        return self

    def zero_grad(self):
        """Forget the gradients: `grad` becomes None."""
        for parameter in self.parameters():
            parameter.grad = None

    # --- state

    def state_dict(self):
        """{name: copy of the array} of all weights and buffers.  Raises ValueError for a module within itself."""
        return {name: np.array(array) for name, (_, _, array) in self._state().items()}

    def _state(self):
        """{name: (module, its own name for it, array)}"""
        found = {}
        for prefix, module in self._every_name():
            for name, value in [*module._parameters.items(), *module._buffers.items()]:
                array = value if isinstance(value, np.ndarray) else value.data
                found[f"{prefix}.{name}" if prefix else name] = module, name, array
        return found

    def load_state_dict(self, state_dict, strict=True):
        """Take over the arrays of `state_dict`, a dictionary as `state_dict` returns it, in the dtype that is here.

        Anything that NumPy takes for an array will do, such as a tensor of PyTorch on the CPU.  With strict=False names
        may be missing or unknown.  Returns the lists of both.  Raises ValueError, before anything has changed, that
        lists every name that is missing or unexpected, and every array that is of another shape or holds no such
        numbers.
        """
        if not hasattr(state_dict, "items"):
            raise ValueError(f"state_dict: expected a dictionary of arrays, got {type(state_dict).__name__}")
        ours, theirs = self._state(), {name: np.asarray(value) for name, value in state_dict.items()}
        missing = [name for name in ours if name not in theirs]
        unexpected = [name for name in theirs if name not in ours]
        problems = [f"missing {name} {ours[name][2].shape}" for name in missing] if strict else []
        problems += [f"unexpected {name} {theirs[name].shape}" for name in unexpected] if strict else []
        new = {}
        for name in ours.keys() & theirs.keys():
            new[name], problem = _as_such(theirs[name], ours[name][2])
            problems += [f"{name} {problem}"] if problem else []
        if problems:
            raise ValueError(f"state_dict: not that of this {type(self).__name__}: {'; '.join(sorted(problems))}")
        for name, array in new.items():
            module, own, _ = ours[name]
            if own in module._parameters:
                module._parameters[own].data = array
            else:
                setattr(module, own, array)
        return missing, unexpected

    def save(self, path):
        """Write `state_dict` to the file `path`.  Raises OSError if it cannot be written."""
        storage.save(path, KIND, self.state_dict(), {})

    def load(self, path):
        """Take over what `save` wrote to `path`, and return itself.

        Raises ValueError that names the file if it is damaged, was not written by `save`, or holds the state of another
        architecture; nothing has changed then.
        """
        arrays, _ = storage.load(path, KIND)
        try:
            self.load_state_dict(arrays)
        except ValueError as error:
            raise ValueError(f"{path}: holds another architecture; {error}") from None
        return self

    # --- in words

    settings = ()                                        # the attributes that the repr tells

    def __repr__(self):
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        parts = [f"\n  ({name}): " + repr(part).replace("\n", "\n  ") for name, part in self._modules.items()]
        return f"{type(self).__name__}({told}{''.join(parts)}{chr(10) if parts else ''})"


class ModuleList(Module):
    """Modules in a list, which are parts of what the list is part of: self.layers = ModuleList(...)."""

    def __init__(self, modules=()):
        for module in modules:
            self.append(module)

    def append(self, module):
        """Add `module` at the end.  Returns itself.  Raises TypeError for what is no Module."""
        if not isinstance(module, Module):
            raise TypeError(f"modules: expected Modules, got {type(module).__name__}")
        setattr(self, str(1 + max((int(name) for name in self._modules if name.isdecimal()), default=-1)), module)
        return self

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __getitem__(self, index):
        found = list(self._modules.values())[index]
        return self._of(found) if isinstance(found, list) else found

    def _of(self, modules):
        return ModuleList(modules)


class Sequential(ModuleList):
    """Modules one after the other, each applied to what the one before it has made: Sequential(Linear(2, 3), Tanh()).

    Their names are 0, 1, ..., or the keys of a dictionary.  Raises TypeError for what is no Module.
    """

    def __init__(self, *modules):
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                if not isinstance(module, Module):
                    raise TypeError(f"{name}: expected a Module, got {type(module).__name__}")
                setattr(self, name, module)
        else:
            super().__init__(modules)

    def _of(self, modules):
        return Sequential(*modules)

    def forward(self, x):
        for module in self._modules.values():
            x = module.forward(x)
        return x


# --- pieces --------------------------------------------------------------------------------------


def as_input(x, layer, dtype):
    """`x`, of any shape (N, D), as a Tensor of `dtype` for `layer`.  Raises ValueError for a Tensor of another."""
    if type(x) is not Tensor:
        x = np.asarray(x)
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


def _as_such(array, like):
    """(`array` in the dtype of `like`, None), or (None, what is wrong with it)."""
    if array.shape != like.shape:
        return None, f"has shape {array.shape}, expected {like.shape}"
    if not np.can_cast(array.dtype, like.dtype, "same_kind"):
        return None, f"is of {array.dtype}, expected {like.dtype}"
    with np.errstate(over="ignore"):
        cast = np.array(array, like.dtype, order="C")
    if like.dtype.kind == "f" and (np.isinf(cast) & ~np.isinf(array)).any():
        return None, f"holds numbers that are too large for {like.dtype}"
    return cast, None
