"""How a script for PyTorch becomes one for scratchml: its import lines are changed, and nothing else."""
import re
from pathlib import Path

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
# import torch; import torch.nn as nn; from torch.nn.utils.rnn import ...; from torch import nn, optim
RULES = [(r"^import torch$", "import scratchml.torch as torch"),
         (r"^import torch\.(nn|optim)", r"import scratchml.\1"), (r"^import torch\.", "import scratchml.torch."),
         (r"^from torch import (nn|optim|nn, optim)$", r"from scratchml import \1"),
         (r"^from torch\.(nn|optim)", r"from scratchml.\1"), (r"^from torch\.", "from scratchml.torch.")]


def changed(source):
    """The script with the import lines of scratchml in the place of PyTorch's."""
    for pattern, replacement in RULES:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    return source


def defined(source):
    """What the script defines."""
    space = {"__name__": "script"}
    exec(compile(source, "script", "exec"), space)
    return space


def made(space, dtype):
    """The script's model in `dtype`."""
    model = space["build"]()
    return model.double() if dtype == "float64" else model.float()


def first(name, value, rng):
    """First weights: at random, scales near 1; what a network computes or counts itself stays."""
    if value.dtype.kind != "f" or name.endswith(("running_mean", "running_var", "pe", "log_scale")):
        return value
    drawn = rng.normal(size=value.shape)
    scale = value.ndim == 1 and name.endswith(("weight", "scale"))
    return (1 + 0.1 * drawn if scale else 0.3 * drawn if value.ndim > 1 else 0.1 * drawn).astype(value.dtype)
