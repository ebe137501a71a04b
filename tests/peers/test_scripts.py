"""Scripts written for PyTorch run here by changing their imports, and lose the same.

Each file in the folder scripts is such a script: it makes a model and trains it for 20 steps.  It is run twice, the
second time with only its import lines changed, with weights that NumPy has made and that state_dict moves.
"""
import numpy as np
import pytest

from tests.peers.porting import SCRIPTS, changed, defined, first, made

torch = pytest.importorskip("torch")
face = pytest.importorskip("scratchml.torch")

CLOSE = {"float64": 1e-10, "float32": 1e-5}


def run(source, dtype, lib, state):
    """What the script returns, losses and what it evaluates at the end, if its model begins with `state`."""
    space = defined(source)
    model = made(space, dtype)
    model.load_state_dict(state)
    return space["train"](model, space["make_data"](np.random.default_rng(1)), getattr(lib, dtype))


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.stem)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_same_losses(script, dtype):
    source = script.read_text(encoding="utf-8")
    assert "scratchml" not in source and changed(source) != source
    rng, model = np.random.default_rng(0), made(defined(source), dtype)
    state = {name: first(name, value.numpy(), rng) for name, value in model.state_dict().items()}
    theirs = run(source, dtype, torch, {name: torch.tensor(array) for name, array in state.items()})
    ours = run(changed(source), dtype, face, state)
    assert len(ours) == len(theirs) > 20 and np.isfinite(theirs).all()
    np.testing.assert_allclose(ours, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype])
    losses = theirs[:20]
    assert script.stem == "vae" or losses[-1] < losses[0]
