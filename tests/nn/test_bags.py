"""Bags of vectors: the sums, their gradients, what is refused."""
import numpy as np
import pytest
from hypothesis import given

from scratchml.autograd import Tensor, grad, gradcheck, gradgradcheck
from scratchml.core.sparse import Rows, dense, sparse_rows
from scratchml.nn import Embedding, EmbeddingBag
from scratchml.nn.bags import bag, bag_by_table
from tests.reference import bags as reference
from tests.strategies import bags as strategies


@given(strategies.bags())
def test_the_sums_are_those_of_the_definition(drawn):
    G, E, g = drawn
    np.testing.assert_allclose(bag(G, E), reference.bag(dense(G), E), rtol=1e-12, atol=1e-13 * np.abs(E).max(initial=0))
    np.testing.assert_allclose(bag_by_table(G, g), reference.bag_by_table(dense(G), g), rtol=1e-12,
                               atol=1e-13 * np.abs(g).max(initial=0))


def test_gradients_are_those_of_the_sums():
    G = strategies.rows(np.random.default_rng(1), 5, 4)
    layer = EmbeddingBag(4, 3, dtype="float64", random_state=0)

    def sums(E):
        layer.weight = E
        return layer(G) ** 2

    E = Tensor(layer.weight.data.copy(), requires_grad=True)
    assert gradcheck(sums, (E,)) and gradgradcheck(sums, (E,))
    plain, with_graph = (grad(sums(E).sum(), E, create_graph=create)[0].data for create in (False, True))
    np.testing.assert_allclose(with_graph, plain, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bags_of_one_thing_are_its_vector(dtype):
    ids = np.array([3, 0, 3])
    one = EmbeddingBag(5, 4, dtype=dtype, random_state=0), Embedding(5, 4, dtype=dtype, random_state=0)
    y = one[0](sparse_rows(np.eye(5)[ids])), one[1](ids)
    np.testing.assert_array_equal(y[0].data, y[1].data)
    for result in y:
        (result * np.arange(12.0).reshape(3, 4).astype(dtype)).sum().backward()
    np.testing.assert_array_equal(one[0].weight.grad.data, one[1].weight.grad.data)
    assert y[0].dtype == dtype and not one[0].weight.grad.data[[1, 2, 4]].any()


def test_many_bags_are_the_same_bits_on_any_number_of_threads(monkeypatch):
    G = strategies.rows(np.random.default_rng(2), 3000, 50)
    E = np.random.default_rng(3).normal(size=(50, 40)).astype(np.float32)
    found = []
    for threads in "12":
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        found.append(bag(G, E))
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0], dense(G) @ E, atol=1e-5)


def test_no_bag_at_all():
    layer = EmbeddingBag(3, 2, random_state=0)
    y = layer(Rows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), (0, 3)))
    assert y.shape == (0, 2)
    y.sum().backward()
    assert not layer.weight.grad.data.any()


def entries(indptr, indices, data, V=3):
    return Rows(np.array(indptr), np.array(indices), np.array(data), (len(indptr) - 1, V))


@pytest.mark.parametrize("rows, message", [
    (np.eye(3), "expected Rows of core.sparse, got ndarray; sparse_rows makes them"), ([[0, 1]], "got list"),
    (entries([0, 1], [3], [1.0]), "columns 0 ... 2, got 3 ... 3"),
    (entries([0, 1], [-1], [1.0]), "columns 0 ... 2, got -1"),
    (entries([0, 2], [1], [1.0]), "rises from 0 to the 1 entries"), (entries([1, 1], [1], [1.0]), "rises from 0"),
    (entries([0, 2, 1], [1], [1.0]), "rises"), (entries([0, 1], [1], [1.0, 2.0]), "2 entries"),
    (entries([0, 1], [1], [np.nan]), "input: Input contains NaN"), (entries([0, 1], [1], [1e150]), "contains infinity"),
])
def test_what_are_no_bags_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingBag(3, 2, random_state=0)(rows)


@pytest.mark.parametrize("sizes", [(0, 2), (3, 0), (2.0, 2), (True, 2)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(ValueError, match="_embeddings=|_dim="):
        EmbeddingBag(*sizes)
