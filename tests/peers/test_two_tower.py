"""The loss of a batch, and what it does to the vectors, agree with PyTorch's autograd."""
import numpy as np
import pytest

from scratchml.core.sparse import known_entries
from scratchml.recommend import towers, two_tower
from tests.strategies.item_neighbors import known

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("log_q", [True, False])
def test_steps_of_pytorch(log_q):
    A = known_entries(np.where(np.isnan(known(9, 7, 3)), np.nan, 1))
    users, items = np.repeat(np.arange(9), np.diff(A.indptr)), A.indices.astype(np.int64)
    both = [towers.Tower(towers.side_of(n, None, "X"), 5, np.random.default_rng(n)) for n in A.shape]
    tables = [torch.tensor(one.E, requires_grad=True) for one in both]
    step, optimizer = two_tower._Step(both, A, 0.2, 0.02, "softmax", log_q, 0), torch.optim.SparseAdam(tables, lr=0.02)
    shift = torch.tensor(np.log(step.share[items]), dtype=torch.float32) if log_q else 0
    for some in np.array_split(np.random.default_rng(0).permutation(len(items)), 4) * 2:
        if not len(some):
            continue
        at = torch.tensor(items[some])
        u = torch.nn.functional.normalize(torch.nn.functional.embedding(torch.tensor(users[some]), tables[0],
                                                                        sparse=True))
        v = torch.nn.functional.normalize(torch.nn.functional.embedding(at, tables[1], sparse=True))
        s = u @ v.T / 0.2 - (shift[some] if log_q else 0)
        hits = (at[:, None] == at).fill_diagonal_(False)
        loss = torch.nn.functional.cross_entropy(s.masked_fill(hits, -torch.inf), torch.arange(len(some)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        # Adam divides rounding by itself
        assert step(users[some], items[some], np.random.default_rng(0)) == pytest.approx(loss.item(), rel=1e-4)
    for ours, theirs in zip(both, tables):
        np.testing.assert_allclose(ours.E, theirs.detach().numpy(), rtol=0, atol=1e-4)
