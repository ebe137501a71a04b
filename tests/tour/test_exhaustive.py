"""What the demonstration of nearest neighbours makes itself: recall, and how stale a list is."""
import numpy as np
import pytest

from scratchml.tour.exhaustive import K, products_in_a_graph, recall, staleness, task_of


@pytest.mark.parametrize("space", ["l2", "ip", "cosine"])
def test_recall_counts_what_is_as_near_as_the_true_last(space):
    rng = np.random.default_rng(0)
    X, Q = rng.normal(size=(40, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    near = {"l2": ((Q[:, None] - X) ** 2).sum(axis=2), "ip": -Q @ X.T,
            "cosine": -(Q @ X.T) / np.linalg.norm(X, axis=1)}[space]
    order = np.argsort(near, axis=1)
    task = task_of(X, Q, space)
    assert recall(task, order[:, :K]) == 1 and recall(task, order[:, K:2 * K]) == 0
    assert recall(task, np.c_[order[:, :4], np.full((5, K - 4), -1)]) == pytest.approx(0.4)


def test_lists_are_as_stale_as_the_new_items_are_good():
    """Customers want small first numbers: in one order nothing that is new is wanted, in the other all of it."""
    items, users = np.arange(1.0, 101)[:, None], -np.ones((2, 1))
    assert [stale for _, stale in staleness(users, items, np.arange(100))] == [0, 0, 0, 0]
    assert [stale for _, stale in staleness(users, items, -np.arange(100))] == pytest.approx([0.1, 0.5, 1, 1])


def test_the_added_coordinate_keeps_the_order_of_products():
    """With as many nodes in hand as there are, both graphs are exact."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)).astype(np.float32) * rng.lognormal(size=(60, 1)).astype(np.float32)
    *_, (ef, direct, reduced) = products_in_a_graph(task_of(X, rng.normal(size=(4, 4)).astype(np.float32), "ip"), 0)
    assert ef > 60 and direct == reduced == 1
