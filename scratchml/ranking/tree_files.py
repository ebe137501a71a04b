"""Trees as arrays in a file, and back: end to end, with the number of nodes of each.

A walk down a tree follows the numbers that it finds, so numbers from a file are looked at before they are followed.
"""
from dataclasses import fields

import numpy as np

from scratchml.ranking.trees import Tree

PARTS = tuple(field.name for field in fields(Tree) if field.name != "stopped_by")
TYPES = dict(feature=np.int32, threshold=np.float64, missing_left=np.bool_, left=np.int32, right=np.int32,
             value=np.float64,
             count=np.int64, gain=np.float64)


def arrays_of(trees):
    """Arrays by name, and the `stopped_by` of each tree."""
    arrays = {part: np.concatenate([getattr(tree, part) for tree in trees]) if trees else np.empty(0, TYPES[part])
              for part in PARTS}
    arrays["sizes"] = np.array([len(tree.feature) for tree in trees], np.int64)
    return arrays, [list(tree.stopped_by) for tree in trees]


def trees_of(arrays, stopped_by, D):
    """The trees of arrays that `arrays_of` made, for tables of D features.  Raises ValueError for what is no tree."""
    sizes = arrays["sizes"]
    whole = sizes.ndim == 1 and sizes.dtype == np.int64 and (sizes > 0).all()
    if not whole or any(arrays[part].shape != (sizes.sum(),) or arrays[part].dtype != TYPES[part] for part in PARTS):
        raise ValueError("its arrays have other shapes or types than trees have")
    if len(stopped_by) != len(sizes):
        raise ValueError(f"it tells of {len(stopped_by)} trees what limited them, and has {len(sizes)}")
    ends = np.cumsum(sizes)
    return [_checked(Tree(*(arrays[part][end - size:end] for part in PARTS), tuple(why)), D)
            for size, end, why in zip(sizes, ends, stopped_by)]


def _checked(tree, D):
    """The tree, if each walk down it ends: children come behind their parents."""
    M = len(tree.feature)
    inner, node = tree.feature >= 0, np.arange(M)
    for child in (tree.left, tree.right):
        if (child[inner] <= node[inner]).any() or (child >= M).any():
            raise ValueError("a node has a child that is none of the nodes behind it")
    if tree.feature.max(initial=-1) >= D or tree.feature.min(initial=0) < -1:
        raise ValueError(f"a node asks for a feature other than 0 ... {D - 1}")
    if not np.isfinite(tree.value).all():
        raise ValueError("a leaf has a value that is not finite")
    return tree
