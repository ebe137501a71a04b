"""Scripts written for PyTorch run here by changing their imports, and lose the same.

Each file in the folder scripts is such a script: it makes a model and trains it for 20 steps.  It is run twice, the
second time with only its import lines changed, with weights that NumPy has made and that state_dict moves.
"""
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
face = pytest.importorskip("scratchml.torch")

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
CLOSE = {"float64": 1e-10, "float32": 1e-5}
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


def made(source, dtype):
    """What the script defines, and its model in `dtype`."""
    space = {"__name__": "script"}
    exec(compile(source, "script", "exec"), space)
    model = space["build"]()
    return space, model.double() if dtype == "float64" else model.float()


def run(source, dtype, lib, state):
    """What the script returns, losses and what it evaluates at the end, if its model begins with `state`."""
    space, model = made(source, dtype)
    model.load_state_dict(state)
    return space["train"](model, space["make_data"](np.random.default_rng(1)), getattr(lib, dtype))


def first(name, value, rng):
    """First weights: at random, scales near 1; what a network computes or counts itself stays."""
    if value.dtype.kind != "f" or name.endswith(("running_mean", "running_var", "pe", "log_scale")):
        return value
    drawn = rng.normal(size=value.shape)
    scale = value.ndim == 1 and name.endswith(("weight", "scale"))
    return (1 + 0.1 * drawn if scale else 0.3 * drawn if value.ndim > 1 else 0.1 * drawn).astype(value.dtype)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.stem)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_same_losses(script, dtype):
    source = script.read_text(encoding="utf-8")
    assert "scratchml" not in source and changed(source) != source
    rng, (_, model) = np.random.default_rng(0), made(source, dtype)
    state = {name: first(name, value.numpy(), rng) for name, value in model.state_dict().items()}
    theirs = run(source, dtype, torch, {name: torch.tensor(array) for name, array in state.items()})
    ours = run(changed(source), dtype, face, state)
    assert len(ours) == len(theirs) > 20 and np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype])
    losses = theirs[:20]
    assert script.stem == "vae" or losses[-1] < losses[0]
