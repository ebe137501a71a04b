"""Loss classes do what their functions do, keep their arrays, and take the functions' options in their order."""
import copy
import inspect

import numpy as np
import pytest

from scratchml import nn
from scratchml.nn.loss_layers import Loss
from tests.nn.test_layers import assert_same_gradients, leaf
from tests.nn.test_losses import inside

S = np.array([1.0, -1.0, -1.0])
P = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4))
CALLS = {
    "BCELoss": ("binary_cross_entropy", dict(weight=np.arange(4.0)), lambda: (inside(3, 4), P)),
    "BCEWithLogitsLoss": ("binary_cross_entropy_with_logits", dict(pos_weight=np.arange(4.0)), lambda: (leaf(3, 4), P)),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", dict(margin=-0.5), lambda: (leaf(3, 2), leaf(3, 2, seed=1), S)),
    "CosineSimilarity": ("cosine_similarity", dict(dim=0, eps=0.1), lambda: (leaf(3, 2), leaf(3, 2, seed=1))),
    "PairwiseDistance": ("pairwise_distance", dict(p=3.0, keepdim=True), lambda: (leaf(3, 2), leaf(3, 2, seed=1))),
    "CrossEntropyLoss": ("cross_entropy", dict(weight=np.arange(1.0, 5), label_smoothing=0.1, ignore_index=2),
                         lambda: (leaf(3, 4), [0, 2, 3])),
    "HingeEmbeddingLoss": ("hinge_embedding_loss", dict(margin=0.3), lambda: (leaf(3), S)),
    "HuberLoss": ("huber_loss", dict(delta=0.3), lambda: (leaf(3, 4), P)),
    "KLDivLoss": ("kl_div", dict(reduction="batchmean", log_target=True), lambda: (leaf(3, 4), leaf(3, 4, seed=1))),
    "L1Loss": ("l1_loss", dict(reduction="none"), lambda: (leaf(3, 4), P)),
    "MSELoss": ("mse_loss", dict(reduction="sum"), lambda: (leaf(3, 4), P)),
    "MarginRankingLoss": ("margin_ranking_loss", dict(margin=0.4), lambda: (leaf(3), leaf(3, seed=1), S)),
    "NLLLoss": ("nll_loss", dict(weight=np.arange(1.0, 5)), lambda: (leaf(3, 4), [0, 2, 3])),
    "SmoothL1Loss": ("smooth_l1_loss", dict(beta=0.3), lambda: (leaf(3, 4), P)),
    "TripletMarginLoss": ("triplet_margin_loss", dict(margin=2.0, p=3.0, swap=True),
                          lambda: (leaf(3, 2), leaf(3, 2, seed=1), leaf(3, 2, seed=2))),
}


def test_every_class_is_listed():
    assert {cls.__name__ for cls in Loss.__subclasses__()} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_class_is_its_function_with_options(name):
    function, options, inputs = CALLS[name]
    function, cls, inputs = getattr(nn.functional, function), getattr(nn, name), inputs()
    learned = [x for x in inputs if getattr(x, "requires_grad", False)]
    for chosen in ({}, options):
        if name == "KLDivLoss":
            chosen = {**chosen, "log_target": True}
        assert_same_gradients(cls(**chosen)(*inputs), function(*inputs, **chosen), learned)
        assert_same_gradients(copy.deepcopy(cls(**chosen))(*inputs), function(*inputs, **chosen), learned)
    arrays = {key for key, value in options.items() if isinstance(value, np.ndarray)}
    assert set(cls(**options).state_dict()) == arrays
    assert list(inspect.signature(cls).parameters) == list(inspect.signature(function).parameters)[len(inputs):]
    named = dict(zip(inspect.signature(function).parameters, inputs))
    assert (cls(**chosen)(**named).data == function(*inputs, **chosen).data).all()
    assert cls.__name__ in repr(cls()) and cls.__doc__


def test_weights_of_classes_may_come_as_a_list():
    criterion = nn.CrossEntropyLoss([1.0, 3.0])
    z = leaf(2, 2)
    assert criterion(z, [0, 1]).item() == nn.cross_entropy(z, [0, 1], [1.0, 3.0]).item()
    criterion.load_state_dict({"weight": [2.0, 2.0]})
    assert criterion(z, [0, 1]).item() == pytest.approx(nn.cross_entropy(z, [0, 1]).item(), rel=1e-15)


def test_options_that_are_none():
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        nn.MSELoss(size=3)
    with pytest.raises(TypeError, match="too many positional"):
        nn.CrossEntropyLoss(None, 3)
    with pytest.raises(ValueError, match="reduction='avg'"):
        nn.L1Loss("avg")([1.0], [2.0])
