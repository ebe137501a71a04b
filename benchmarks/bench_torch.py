"""The scripts of tests/peers/scripts, 20 steps of training each in float32: as they are, and with other import
lines."""
import contextlib
import io
from functools import cache

import numpy as np

from benchmarks import Case, peer, test_contender
from tests.peers.porting import SCRIPTS, changed, defined, first, made

# the scripts are small, as tests are; wider they are as large as one trains without a GPU: {script: [(old, new)]}
WIDER = {
    "character_lm": [("embed_dim=16, hidden_size=24", "embed_dim=64, hidden_size=128"), ('dog " * 12', 'dog " * 400'),
                     ("batch_size, seq_len = 4, 10", "batch_size, seq_len = 32, 20")],
    "gated_convolutions": [("width=8", "width=64"), ("ConvNet(2, 3)", "ConvNet(8, 3)"), ("(24, 2, 20)", "(96, 8, 100)"),
                           ("size=24", "size=96"), ("batch_size=8", "batch_size=32")],
    "seq2seq": [("emb=8, hid=10", "emb=64, hid=128"), ("rng.integers(2, 7, 8)", "rng.integers(2, 7, 64)"),
                ("torch.zeros(8, 6)", "torch.zeros(64, 6)"), ("torch.zeros(8, 8)", "torch.zeros(64, 8)"),
                ("torch.full((8,)", "torch.full((64,)")],
    "tied_autoencoder": [("[12, 8, 3]", "[784, 256, 32]"), ("(32, 12)", "(128, 784)"),
                         ("(20, 32, 12)", "(20, 128, 784)")],
    "transformer_classifier": [("d_model=16", "d_model=128"), ("dim_feedforward=32", "dim_feedforward=256"),
                               ("rng.integers(3, 10, 16)", "rng.integers(10, 50, 64)"), ("size=16", "size=64"),
                               ("torch.arange(8) + 8 *", "torch.arange(32) + 32 *")],
    "two_tower": [("dim=8", "dim=64"), ("dim + num_features, 16", "dim + num_features, 128"), ("LayerNorm(16)",
                  "LayerNorm(128)"), ("nn.Linear(16, dim)", "nn.Linear(128, dim)"), ("size=60", "size=1280"),
                  ("step % 5 * 12, step % 5 * 12 + 12", "step % 5 * 256, step % 5 * 256 + 256"),
                  ("TwoTower(15, 20, 4)", "TwoTower(2000, 1000, 4)"), ("rng.integers(15,", "rng.integers(2000,"),
                  ("rng.integers(20,", "rng.integers(1000,"), ("(15, 4)", "(2000, 4)"), ("(20, 4)", "(1000, 4)"),
                  ("torch.arange(15), torch.arange(20)", "torch.arange(2000), torch.arange(1000)")],
    "vae": [("input_dim=16, hidden=12, latent=2", "input_dim=784, hidden=400, latent=20"), ("view(-1, 16)",
            "view(-1, 784)"), ("(24, 4, 4)", "(128, 28, 28)"), ("(20, 24, 2)", "(20, 128, 20)"), ("zeros(2, 2,",
            "zeros(2, 20,"), ("view(2, 4, 4)", "view(2, 28, 28)")],
}


@cache
def source(name, wider):
    text = next(file for file in SCRIPTS if file.stem == name).read_text(encoding="utf-8")
    for old, new in WIDER[name] if wider else ():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


@cache
def space(name, wider, ours):
    return defined(changed(source(name, wider)) if ours else source(name, wider))


def data(name, wider):
    """The script, and the first weights of its model, the same for all; of wide layers they are smaller."""
    rng, model = np.random.default_rng(0), made(space(name, wider, True), "float32")
    state = {key: first(key, np.asarray(value), rng) for key, value in model.state_dict().items()}
    return name, wider, {key: array / np.float32(max(1, array.shape[-1] / 16) ** 0.5) if array.ndim == 2 else array
                         for key, array in state.items()}


def trained(script, dtype, state):
    """The losses of 20 steps, and what is measured after them."""
    model = made(script, "float32")
    model.load_state_dict(state)
    with contextlib.redirect_stdout(io.StringIO()):
        return script["train"](model, script["make_data"](np.random.default_rng(1)), dtype)


def scratchml(name, wider, state):
    return trained(space(name, wider, True), np.dtype("float32"), state)


def pytorch(threads):
    @peer("torch")
    def theirs(name, wider, state):
        import torch
        torch.set_num_threads(threads)
        return trained(space(name, wider, False), torch.float32, {k: torch.tensor(v) for k, v in state.items()})
    return theirs


def agree(theirs, ours):
    np.testing.assert_allclose(theirs[:20], ours[:20], rtol=1e-3)


CASES = [Case(f"{name}, {'wider' if wider else 'as it is'}", lambda name=name, wider=wider: data(name, wider),
              {"scratchml": scratchml, "PyTorch, 2 threads": pytorch(2), "PyTorch, 1 thread": pytorch(1)}, agree)
         for wider in (False, True) for name in WIDER]
