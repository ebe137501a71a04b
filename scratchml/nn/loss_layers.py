"""Loss classes: a loss function with its options fixed, as a Module of answers and targets.

A script makes its criterion once and calls it every step.  Each class has the options of its function, in the same
order and with the same defaults, and does nothing but hand them on; so it is one class, and a line for each name.
Arrays among the options, such as the weights of classes, are buffers.

>>> criterion = CrossEntropyLoss(label_smoothing=0.1)
>>> criterion, criterion([[2.0, 0.0], [0.0, 1.0]], [0, 1])
(CrossEntropyLoss(weight=None, ignore_index=-100, reduction='mean', label_smoothing=0.1), Tensor(0.29509485))
"""
import inspect
import re

import numpy as np

from scratchml.autograd import Tensor
from scratchml.nn import loss_functions, similarity
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.module import Module


class Loss(Module):
    """A function of a loss, or of a similarity, whose options are given beforehand: what all classes here are.

    A subclass names the `function`, and how many of its parameters are `inputs`; the others are the class's.  Raises
    TypeError for options that the function has not.  What else is wrong the function says when it is called.
    """

    def __init_subclass__(cls, function=None, inputs=2):
        if function is None:                             # a script's own, made of one of those here
            return
        options = list(inspect.signature(function).parameters.values())[inputs:]
        cls.function, cls.settings = staticmethod(function), tuple(option.name for option in options)
        cls.__signature__ = inspect.Signature(options)
        explained = inspect.cleandoc(function.__doc__ or "").partition("Parameters\n----------\n")[2]
        explained = [row for row in re.split(r"\n(?=\S)", explained) if row.partition(" : ")[0] in cls.settings]
        cls.__doc__ = (f"`{function.__name__}` of the inputs, with options that are fixed beforehand; raises as it "
                       "does.\n\nParameters\n----------\n" + "\n".join(explained))

    def __init__(self, *options, **named):
        given = self.__signature__.bind(*options, **named)
        given.apply_defaults()
        for name, value in given.arguments.items():
            if isinstance(value, (list, tuple, np.ndarray, Tensor)):
                self.register_buffer(name, value if isinstance(value, (np.ndarray, Tensor)) else np.array(value, float))
            else:
                setattr(self, name, value)

    def forward(self, *inputs, **named):
        """The loss.

        Parameters
        ----------
        *inputs : object
            What the function takes first: answers and targets.
        **named : object
            The same by name.
        """
        return self.function(*inputs, **named, **{name: getattr(self, name) for name in self.settings})


class BCELoss(Loss, function=loss_functions.binary_cross_entropy):
    pass


class BCEWithLogitsLoss(Loss, function=loss_functions.binary_cross_entropy_with_logits):
    pass


class CosineSimilarity(Loss, function=similarity.cosine_similarity):
    pass


class CosineEmbeddingLoss(Loss, function=loss_functions.cosine_embedding_loss, inputs=3):
    pass


class CrossEntropyLoss(Loss, function=cross_entropy):
    pass


class HingeEmbeddingLoss(Loss, function=loss_functions.hinge_embedding_loss):
    pass


class HuberLoss(Loss, function=loss_functions.huber_loss):
    pass


class KLDivLoss(Loss, function=loss_functions.kl_div):
    pass


class L1Loss(Loss, function=loss_functions.l1_loss):
    pass


class MarginRankingLoss(Loss, function=loss_functions.margin_ranking_loss, inputs=3):
    pass


class MSELoss(Loss, function=loss_functions.mse_loss):
    pass


class NLLLoss(Loss, function=loss_functions.nll_loss):
    pass


class PairwiseDistance(Loss, function=similarity.pairwise_distance):
    pass


class SmoothL1Loss(Loss, function=loss_functions.smooth_l1_loss):
    pass


class TripletMarginLoss(Loss, function=loss_functions.triplet_margin_loss, inputs=3):
    pass
