"""Sequences of different lengths without padding: the steps that are there, one after the other.

A batch of sequences comes padded to the longest.  A recurrent layer that ran over the padding would waste its time, and
end in a state that the padding has changed.  So the layer packs: the sequences are ordered by length, the longest
first, and row after row come the first step of all of them, then the second step of those that have one, and so on.
Step t then is one block of rows, and its sequences are the first so many of those of the step before:

    lengths 3, 1, 2        packed rows, by (sequence, step):  (0, 0) (2, 0) (1, 0) | (0, 1) (2, 1) | (0, 2)

What is padding appears in no row, so it can influence nothing.  Sequences are read backwards the same way: only the
step that is found in a row differs, t becomes length - 1 - t.  So one sweep over blocks serves both directions.

>>> packing = pack(lengths=[3, 1, 2], T=3, B=3)
>>> packing.first.tolist(), packing.rows.tolist(), packing.order.tolist()
([0, 3, 6, 8, 9], [0, 2, 1, 3, 5, 6], [0, 2, 1])
"""
from typing import NamedTuple

import numpy as np


class Packing(NamedTuple):
    """Where the rows of a padded batch are found, and how many sequences take each step.

    first  (T+2,)   0, B, and then for each step the sum so far of the sequences that take it: states in a row, those
                    before the first step included, so that step t leads from rows first[t] ... to rows first[t+1] ...
    rows   (N,)     row of the padded array, as (T B, D) or (B T, D), for each packed row; None if they are the same
    order  (B,)     sequences, the longest first; None if that is how they come
    last   (B,)     packed row of the last step of each sequence, in that order; None if those are the last B rows
    shape           the first two dimensions of the padded array
    """
    first: np.ndarray
    rows: np.ndarray | None
    order: np.ndarray | None
    last: np.ndarray | None
    shape: tuple[int, int]

    def packed(self, x):
        """The rows (N, D) of a padded array: a view if there is nothing to move."""
        x = x.reshape(-1, x.shape[-1])
        return x if self.rows is None else x.take(self.rows, axis=0)

    def room(self, D, dtype):
        """A padded array (..., D) to be filled, zero where there is padding, and an array (N, D) of packed rows for it.

        They are the same memory if there is nothing to move; else `fill` moves them.
        """
        N = int(self.first[-1] - self.first[1])
        x = (np.empty if N == self.shape[0] * self.shape[1] else np.zeros)((*self.shape, D), dtype)
        return x, x.reshape(-1, D) if self.rows is None else np.empty((N, D), dtype)

    def fill(self, x, rows):
        """Put packed `rows` into the padded array x that `room` has made with them."""
        if self.rows is not None:
            x.reshape(-1, x.shape[-1])[self.rows] = rows
        return x

    def steps(self):
        """For each step the packed row that it begins with, and the number of its rows."""
        starts = (self.first[1:] - self.first[1]).tolist()
        return [(start, stop - start) for start, stop in zip(starts, starts[1:])]

    def sorted(self, state):
        """A copy of a state (B, H), the longest sequence first."""
        return state.copy() if self.order is None else state.take(self.order, axis=0)

    def unsorted(self, state):
        """A copy of a state (B, H) of sorted sequences, as they came."""
        if self.order is None:
            return state.copy()
        unsorted = np.empty_like(state)
        unsorted[self.order] = state
        return unsorted

    def at_last(self, rows):
        """The rows (B, H) of packed rows (N, H) that belong to the last steps, as the sequences came."""
        return self.unsorted(rows[len(rows) - self.first[1]:] if self.last is None else rows.take(self.last, axis=0))


def pack(lengths=None, *, T, B, batch_first=False, reverse=False):
    """The `Packing` of B sequences of T steps, or of `lengths` (B,) steps, checked before: whole numbers in 1 ... T.

    `batch_first` says that the padded array is (B, T, D) instead of (T, B, D), `reverse` that sequences are read from
    their last step.
    """
    shape = (B, T) if batch_first else (T, B)
    if lengths is None or min(lengths) == T:
        steps = np.arange(T)[::-1] if reverse else np.arange(T)
        moved = reverse and T > 1 or batch_first and B > 1 and T > 1
        rows = (np.arange(B)[None] * T + steps[:, None] if batch_first else
                steps[:, None] * B + np.arange(B)).ravel() if moved else None
        return Packing(B * np.arange(T + 2), rows, None, None, shape)
    lengths = np.asarray(lengths)
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    running = np.arange(ordered[0])[:, None] < ordered   # (steps, B): a step's sequences are its first ones
    first = np.concatenate([[0, B], B + running.sum(axis=1).cumsum()])
    t, b = np.nonzero(running)                           # step after step
    at = ordered[b] - 1 - t if reverse else t
    rows = order[b] * T + at if batch_first else at * B + order[b]
    last = first[ordered] - B + np.arange(B)
    return Packing(first, rows, order, last, shape)
