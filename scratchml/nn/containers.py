"""Containers: Modules in a chain, in a list or under names, and weights in a list.

What a container holds is registered, and so is learned, saved and moved with what the container is part of; what stands
in a plain list or dictionary is not.

>>> from scratchml.nn import Linear, ModuleDict, Sequential, Tanh
>>> net = Sequential(Linear(3, 2, random_state=0), Tanh())
>>> heads = ModuleDict({"mean": Linear(2, 1), "spread": Linear(2, 1)})
>>> heads["mean"](net([[1.0, 2.0, 3.0]])).shape, sorted(heads.state_dict())
((1, 1), ['mean.bias', 'mean.weight', 'spread.bias', 'spread.weight'])
"""
from scratchml.autograd import Tensor
from scratchml.nn.module import Module, Parameter


class ModuleList(Module):
    """Modules in a list, which are parts of what the list is part of: self.layers = ModuleList(...).

    Parameters
    ----------
    modules : iterable of Modules or None, default=None
        The first ones; None for none.
    """

    def __init__(self, modules=None):
        self.extend(() if modules is None else modules)

    def append(self, module):
        """Add a Module at the end.  Returns itself.  Raises TypeError for what is no Module.

        Parameters
        ----------
        module : Module
            What to add.
        """
        setattr(self, _next(self._modules), _checked(module, "modules"))
        return self

    def extend(self, modules):
        """Add Modules at the end.  Returns itself.  Raises TypeError for what is no Module.

        Parameters
        ----------
        modules : iterable of Modules
            What to add.
        """
        for module in modules:
            self.append(module)
        return self

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __getitem__(self, index):
        found = list(self._modules.values())[index]
        return self._of(found) if isinstance(found, list) else found

    def __setitem__(self, index, module):
        setattr(self, list(self._modules)[index], _checked(module, "modules"))

    def _of(self, modules):
        return ModuleList(modules)


class Sequential(ModuleList):
    """Modules one after the other, each applied to what the one before it has made: Sequential(Linear(2, 3), Tanh()).

    Their names are 0, 1, ..., or the keys of a dictionary.  Raises TypeError for what is no Module.

    Parameters
    ----------
    *args : Module or dict
        The Modules in order; or one dictionary {name: Module}.
    """

    def __init__(self, *args):
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                setattr(self, name, _checked(module, name))
        else:
            super().__init__(args)

    def _of(self, modules):
        return Sequential(*modules)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleDict(Module):
    """Modules under names of their own: self.heads = ModuleDict({"mean": Linear(2, 1)}); heads["mean"] is the part.

    Raises TypeError for what is no Module, and ValueError for a name with a dot, or that of a method.

    Parameters
    ----------
    modules : dict, iterable of pairs or None, default=None
        The first ones, by name; None for none.
    """

    def __init__(self, modules=None):
        self.update({} if modules is None else modules)

    def update(self, modules):
        """Add Modules.  Raises TypeError for what is no Module.

        Parameters
        ----------
        modules : dict or iterable of pairs
            Names and Modules.
        """
        for name, module in dict(modules).items():
            self[name] = module

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        setattr(self, key, _checked(module, key))

    def __delitem__(self, key):
        del self._modules[key], self.__dict__[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def keys(self):
        """The names."""
        return self._modules.keys()

    def values(self):
        """The Modules."""
        return self._modules.values()

    def items(self):
        """Pairs of both."""
        return self._modules.items()


class ParameterList(Module):
    """Weights in a list, which are weights of what the list is part of; arrays become Parameters.

    Raises ValueError for what is no array of numbers.

    Parameters
    ----------
    values : iterable of arrays or None, default=None
        The first ones; None for none.
    """

    def __init__(self, values=None):
        self.extend(() if values is None else values)

    def append(self, value):
        """Add a weight at the end.  Returns itself.  Raises ValueError for what is no array of numbers.

        Parameters
        ----------
        value : array or Tensor
            What to add.
        """
        name = _next(self._parameters)
        self.register_parameter(name, value if isinstance(value, Tensor) and value.is_leaf else Parameter(value))
        return self

    def extend(self, values):
        """Add weights at the end.  Returns itself.  Raises ValueError for what is no array of numbers.

        Parameters
        ----------
        values : iterable of arrays
            What to add.
        """
        for value in values:
            self.append(value)
        return self

    def __len__(self):
        return len(self._parameters)

    def __iter__(self):
        return iter(self._parameters.values())

    def __getitem__(self, index):
        found = list(self._parameters.values())[index]
        return ParameterList(found) if isinstance(found, list) else found


# --- pieces --------------------------------------------------------------------------------------


def _checked(module, name):
    if not isinstance(module, Module):
        raise TypeError(f"{name}: expected Modules, got {type(module).__name__}")
    return module


def _next(registry):
    """The name of what comes next in a list."""
    return str(1 + max((int(name) for name in registry if name.isdecimal()), default=-1))
