"""One sequence at a time: what python-crfsuite's Tagger is asked, asked of a `CRF` of ours.

A sequence is `set` once.  Then come the questions: its labels, how likely a labelling is as a whole, how likely one
label is at one place.  `CRF.tagger_` is such a tagger.

>>> from scratchml.sequences import CRF
>>> model = CRF(c2=0.1).fit([[["it"], ["rains"]], [["rain"], ["falls"]]], [["O", "VERB"], ["NOUN", "VERB"]])
>>> tagger = model.tagger_
>>> tagger.tag([["rain"], ["rains"]])
['NOUN', 'VERB']
>>> round(tagger.probability(["NOUN", "VERB"]), 2), round(tagger.marginal("NOUN", 0), 2)
(0.6, 0.73)
"""
from numbers import Integral
from typing import NamedTuple

import numpy as np

from scratchml.sequences.corpus import read_labels
from scratchml.sequences.crf import log_partition, node_marginals, viterbi
from scratchml.sequences.crf_training import loss
from scratchml.sequences.decoding import field_of
from scratchml.sequences.schemes import check_possible


class Info(NamedTuple):
    """What a model consists of; weights that are 0 are left out."""
    labels: dict                                         # {label: number}
    attributes: dict                                     # {attribute: number}
    transitions: dict                                    # {(label, next label): weight}
    state_features: dict                                 # {(attribute, label): weight}


class Tagger:
    """A fitted CRF that is asked of one sequence after the other.

    Parameters
    ----------
    model : CRF
        The model.
    """

    def __init__(self, model):
        self.model, self.weights = model, model.weights_
        self._field = self._gamma = None                 # (E, A) and γ of the sequence that is set

    def labels(self):
        """The labels, sorted."""
        return list(self.model.classes_)

    def info(self):
        """Labels, attributes and weights by name, as `Info`."""
        model, numbers = self.model, ({name: k for k, name in enumerate(names)}
                                      for names in (self.model.classes_, self.model.attributes_))
        weights = ({name: weight for name, weight in part.items() if weight}
                   for part in (model.transition_features_, model.state_features_))
        return Info(*numbers, *weights)

    def set(self, xseq):
        """The sequence that is asked about from now on.  Raises ValueError as `CRF.predict` does.

        Parameters
        ----------
        xseq : sequence (T,)
            The tokens.
        """
        starts, *field = self.model._field([xseq], None)
        if not starts[-1]:
            self._field, self._gamma = (np.empty((0, len(self.model.classes_))), None), None
            return
        E, A = field_of(*field, 0)
        A = A[0] if len(A) == 1 else A
        check_possible(np.array([log_partition(E, A)]))
        self._field, self._gamma = (E, A), None

    def tag(self, xseq=None):
        """The best path (T,).  Raises ValueError as `set` does, and where no sequence is set.

        Parameters
        ----------
        xseq : sequence (T,) or None, default=None
            The tokens, which are set first; None for those that are.
        """
        if xseq is not None:
            self.set(xseq)
        E, A = self._asked()
        return [self.model.classes_[k] for k in viterbi(E, A)[0].tolist()] if len(E) else []

    def probability(self, yseq):
        """How likely these labels are, all together; None, where one is not known, stands for any.

        Raises ValueError for another number of labels, those that were not seen, and where no sequence is set.

        Parameters
        ----------
        yseq : sequence (T,) of str or int
            The labels.
        """
        E, A = self._asked()
        y, _ = read_labels([yseq], np.array([0, len(E)]), {label: k for k, label in enumerate(self.model.classes_)})
        return float(np.exp(-loss(E, A, y))) if len(E) else 1.0

    def marginal(self, y, pos):
        """How likely one label is at one place.

        Raises ValueError for a label that was not seen, a place that is not there, and where no sequence is set.

        Parameters
        ----------
        y : str or int
            The label.
        pos : int
            The place, from 0 on.
        """
        E, A = self._asked()
        if y not in self.model.classes_:
            raise ValueError(f"y: the label {y!r} was not seen in training; seen were {self.model.classes_[:20]}")
        if not isinstance(pos, Integral) or not 0 <= pos < len(E):
            raise ValueError(f"pos={pos!r}: expected a place of the sequence, from 0 on and below {len(E)}")
        if self._gamma is None:
            self._gamma = node_marginals(E, A)
        return float(self._gamma[pos, self.model.classes_.index(y)])

    def _asked(self):
        if self._field is None:
            raise ValueError("no sequence is set; call set(x) or tag(x) first")
        return self._field
