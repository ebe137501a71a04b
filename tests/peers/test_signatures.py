"""Names that both have take the same arguments, in the same order, with the same defaults.

What nobody needs is taken out of PyTorch's first: arguments that it calls deprecated, devices, ways to compute, and
where a schedule begins, which its state says.
Behind an argument that was taken out, ours are given by name, or are `reduction`, which refuses all but its own words:
so none of PyTorch's is taken for another.  What else differs stands in DIFFERENT, with its reason.
"""
import inspect
import re
import typing

import pytest

import scratchml.torch as face
from scratchml import nn, optim
from scratchml.nn import functional as F
from scratchml.nn.loss_layers import Loss

torch = pytest.importorskip("torch")

UNNEEDED = {"device", "dtype", "generator", "size_average", "reduce", "_stacklevel", "self", "foreach", "out",
            "capturable", "differentiable", "fused", "maximize", "last_epoch", "decoupled_weight_decay"}
OURS_ALONE = {"random_state", "lengths", "need_weights"}  # by name, or behind all others
DIFFERENT = {
    "nn.BatchNorm1d": "no bias=False: without a shift it is affine=False",
    "nn.Conv1d": "padding is zeros: no padding_mode",
    "nn.Embedding": "vectors are not bounded (max_norm, norm_type), nor is their gradient scaled or sparse",
    "nn.EmbeddingBag": "as nn.Embedding, and sums alone: no mode; nothing to pad in sparse rows",
    "nn.EmbeddingBag.forward": "sparse rows, which have offsets and weights in them",
    "nn.Hardtanh": "min_val and max_val by these names alone",
    "nn.LSTM": "its state has one width: no proj_size",
    "nn.LogSoftmax": "as Softmax",
    "nn.Module.modules": "as named_buffers",
    "nn.Module.register_forward_hook": "hooks are called in their order, with arguments by place: no options",
    "nn.Module.register_forward_pre_hook": "as register_forward_hook",
    "nn.Module.load_state_dict": "arrays are copied: no assign",
    "nn.Module.named_buffers": "what is shared comes once: no remove_duplicate",
    "nn.Module.named_modules": "as named_buffers, and no memo",
    "nn.Module.named_parameters": "as named_buffers",
    "nn.Module.state_dict": "names begin where it is called: no destination, prefix and keep_vars",
    "nn.MultiheadAttention": "no key and value is made up: no add_bias_kv, add_zero_attn",
    "nn.Softmax": "its dim must be given: where PyTorch guesses it, it warns",
    "nn.Transformer": "no custom_encoder and custom_decoder: make the two parts by themselves",
    "nn.functional.embedding": "as nn.Embedding",
    "nn.functional.huber_loss": "as mse_loss",
    "nn.functional.interpolate": "sequences alone, by their own factor: no recompute_scale_factor, antialias",
    "nn.functional.l1_loss": "as mse_loss",
    "nn.functional.log_softmax": "as nn.Softmax",
    "nn.functional.mse_loss": "samples are not weighted",
    "nn.functional.scaled_dot_product_attention": "every head has its own keys: no enable_gqa",
    "nn.functional.softmax": "as nn.Softmax",
    "torch.utils.data.DataLoader": "there are no workers whose start, order and memory could be chosen",
    "nn.utils.clip_grad_norm_": "a norm that is not finite is an error, always: no error_if_nonfinite",
}
HIDDEN = {f"nn.functional.{name}": getattr(torch.nn.functional, f"{name}_with_indices")  # behind a choice of two
          for name in ("max_pool1d", "adaptive_max_pool1d")}


def shared():
    """(name, ours, theirs) of every class and function that both have."""
    for module, theirs in ((nn, torch.nn), (F, torch.nn.functional), (nn.init, torch.nn.init),
                           (nn.utils.rnn, torch.nn.utils.rnn), (nn.utils, torch.nn.utils), (optim, torch.optim),
                           (optim.lr_scheduler, torch.optim.lr_scheduler), (face.utils.data, torch.utils.data)):
        path = module.__name__.removeprefix("scratchml.").replace("initialisation", "init")
        for name in sorted(dir(module)):
            ours, other = getattr(module, name), getattr(theirs, name, None)
            if callable(ours) and callable(other) and not name.startswith("_") and name not in ("Tensor", "Parameter"):
                yield f"{path}.{name}", ours, other
                if inspect.isclass(ours) and hasattr(ours, "forward") and not issubclass(ours, Loss):
                    yield f"{path}.{name}.forward", ours.forward, other.forward
    for name, ours in inspect.getmembers(nn.Module, inspect.isfunction):
        if not name.startswith("_") and hasattr(torch.nn.Module, name):
            yield f"nn.Module.{name}", ours, getattr(torch.nn.Module, name)


NAMES = {name: pair for name, *pair in shared()}


def parameters(function):
    """{name: parameter} of a function or class, also of one that PyTorch hides behind *args or in C."""
    if inspect.isclass(function) and not hasattr(function, "__signature__"):
        if function.__init__ is object.__init__:
            return {}
        function = (typing.get_overloads(function.__init__) or [function.__init__])[0]
    try:
        found = inspect.signature(function).parameters
    except ValueError:
        found = of_words(function.__doc__)
    return {name: p for name, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def of_words(doc):
    """The parameters that a docstring tells: softplus(input, beta=1, threshold=20) -> Tensor."""
    words = re.search(r"\w+\((.*?)\) *->", doc, re.DOTALL)[1]
    space = {}
    exec(f"def f({words}): pass", space)
    return inspect.signature(space["f"]).parameters


def needed(found, without=UNNEEDED):
    """The names that count, and of them those behind one that was taken out."""
    kept, behind, gone = [], set(), False
    for name in found:
        if name in without:
            gone |= name != "self"
        else:
            kept.append(name)
            behind |= {name} if gone else set()
    return kept, behind


def test_there_are_names_to_compare():
    assert len(NAMES) > 120 and set(DIFFERENT) <= set(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_same_arguments(name):
    ours, theirs = map(parameters, (NAMES[name][0], HIDDEN.get(name, NAMES[name][1])))
    if list(theirs) == ["self"] and len(ours) > 1:
        pytest.skip("PyTorch's own signature tells nothing")
    names, (expected, behind) = needed(ours, UNNEEDED | OURS_ALONE - set(theirs))[0], needed(theirs)
    same = names == expected and all(same_default(ours[p].default, theirs[p].default) for p in names)
    assert same != (name in DIFFERENT), f"ours {list(ours.values())}, theirs {list(theirs.values())}"
    if same:
        open_to_mistakes = [p for p in names if p in behind and ours[p].kind is not inspect.Parameter.KEYWORD_ONLY]
        assert open_to_mistakes[:1] in ([], ["reduction"])
    else:
        assert set(names) <= set(expected)
    for p in ("dtype", "random_state"):
        assert p not in ours or ours[p].kind is inspect.Parameter.KEYWORD_ONLY or name == "nn.Module.to"


def same_default(a, b):
    return a == b or callable(b) and a == getattr(b, "__name__", None)
