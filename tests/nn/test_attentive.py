"""The LSTM that looks at a source: its definition, elementary operations, step by step, padding, batches, bad input."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from scratchml.autograd import Tensor, grad, gradcheck, ops
from scratchml.nn import AttentiveLSTM, attentive
from scratchml.nn.attentive import (alignments, attentive_backward, attentive_forward, context_gradients, contexts,
                                    fused_attentive, key_gradients, queries, query_gradients, state_gradients,
                                    states_after, weight_gradients)
from scratchml.nn.packing import pack
from tests.nn.test_lstm import leaves, same
from tests.reference import attentive as reference
from tests.strategies.attentive import OPERANDS, SIZES, lengths, seeds, sizes, values

PLACES = ("bahdanau", "luong")


def operands(drawn, seed, data=None):
    """The operands as the operation takes them, x with sequences first, and for how many steps and places."""
    X, *rest = values(OPERANDS, drawn, seed=seed)
    if data is None:
        return [X.swapaxes(0, 1).copy(), *rest], None, np.full(drawn["B"], drawn["S"])
    return [X.swapaxes(0, 1).copy(), *rest], data.draw(lengths(drawn["T"], drawn["B"])), \
        np.array(data.draw(lengths(drawn["S"], drawn["B"])))


def derivatives(results, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=result.shape) for result in results]


def both_ways(given, steps, n, seed=0):
    """Results and gradients."""
    packing = pack(steps, T=given[0].shape[1], B=len(n), batch_first=True)
    results, saved = attentive_forward(*given, n=n, packing=packing)
    return results, attentive_backward(saved, *derivatives(results, seed))


# --- equal to the definition

@given(sizes(), seeds, st.data())
def test_one_step(drawn, seed, data):
    a, u, w, h, Q, P, K = values("auwhQPK", drawn, seed=seed)
    n = np.array(data.draw(lengths(drawn["S"], drawn["B"])))
    same(queries(h, Q), reference.queries(h, Q))
    same(alignments(a, u, w, n), reference.alignments(a, u, w, n))
    same(contexts(P, K), reference.contexts(P, K))
    x, k, c, W, U, b = values(("x", "k", "c", "W", "U", "b"), drawn, seed=seed)
    same(states_after(x, k, h, c, W, U, b), reference.states_after(x, k, h, c, W, U, b))


@given(sizes(), seeds)
def test_one_step_back_and_the_sums(drawn, seed):
    s, v, W, K, P, dP, a, u, w, U, da, Q = values(("s", "v", "W", "K", "P", "dP", "a", "u", "w", "U", "da", "Q"), drawn,
                                                  seed=seed)
    same(context_gradients(s, v, W, K), reference.context_gradients(s, v, W, K))
    same(query_gradients(P, dP, a, u, w), reference.query_gradients(P, dP, a, u, w))
    same(state_gradients(s, U, da, Q), reference.state_gradients(s, U, da, Q))
    G, X, O, Y, R, L, V = values("GXOYRLV", drawn, seed=seed)
    same(weight_gradients(G, X, O, Y, R), reference.weight_gradients(G, X, O, Y, R))
    same(key_gradients(L, V), reference.key_gradients(L, V))


@given(sizes(), seeds, st.data())
def test_all_steps(drawn, seed, data):
    (X, K, u, h, c, W, U, b, _, Q, w), _, n = operands(drawn, seed, data)
    results = attentive_forward(X, K, u, h, c, W, U, b, 0 * b, Q, w, n=n,
                                packing=pack(T=drawn["T"], B=drawn["B"], batch_first=True))[0]
    expected = reference.attentive_lstm(X.swapaxes(0, 1), K, u, n, h, c, W, U, b, Q, w)
    same(tuple(part.swapaxes(0, 1) for part in results[:3]), expected)


# --- equal to elementary operations, and to differences

def composed(given, steps, n):
    """The same with a graph of two dozen nodes a step; a sequence that has ended keeps its states."""
    x, K, u, h, c, W, U, p, q, Q, w = given
    allowed, results = np.where(np.arange(K.shape[1]) < n[:, None], 0.0, -np.inf), []
    for t in range(x.shape[1]):
        there = (t < np.asarray(steps))[:, None].astype(float)
        P = ops.softmax(((h @ Q.T).unsqueeze(1) + u).tanh() @ w + allowed, dim=-1)
        k = (P.unsqueeze(1) @ K).squeeze(1)
        i, f, g, o = ops.split(ops.concatenate([x[:, t], k], dim=1) @ W.T + h @ U.T + p + q, U.shape[1], dim=-1)
        z = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        y = ops.sigmoid(o) * ops.tanh(z)
        h, c = there * y + (1 - there) * h, there * z + (1 - there) * c
        results.append([part * there for part in (y, k, P)])
    return *(ops.stack(part).swapaxes(0, 1) for part in zip(*results)), h, c


@given(sizes(), seeds, st.data())
def test_elementary_operations_give_the_same(drawn, seed, data):
    given, steps, n = operands(drawn, seed, data)
    given, packing = leaves(given), pack(steps, T=drawn["T"], B=drawn["B"], batch_first=True)
    ours, theirs = fused_attentive(*given, n=n, packing=packing), composed(given, steps, n)
    same(tuple(y.data for y in ours), tuple(y.data for y in theirs))
    weights = derivatives(ours, seed)
    ours, theirs = (grad(sum((y * g).sum() for y, g in zip(made, weights)), given) for made in (ours, theirs))
    same(tuple(g.data for g in ours), tuple(g.data for g in theirs), scale=100)


@pytest.mark.parametrize("steps, n", [(None, [3, 3]), ([1, 2], [3, 1])])
def test_gradcheck(steps, n):
    given, _, _ = operands(dict(T=2, B=2, S=3, D=2, H=2, A=2, C=2), 5)
    packing = pack(steps, T=2, B=2, batch_first=True)
    assert gradcheck(lambda *given: fused_attentive(*given, n=np.array(n), packing=packing), leaves(given),
                     fast_mode=True)


@pytest.mark.parametrize("attention", PLACES)
def test_gradcheck_of_the_layer(attention):
    """Of keys through keys and values, and of every weight."""
    layer, rng = AttentiveLSTM(2, 2, 3, 2, attention=attention, dtype="float64",
                               random_state=0), np.random.default_rng(1)
    given = leaves([rng.normal(size=shape) for shape in ((2, 3, 2), (2, 3, 3), (2, 2), (2, 2))])

    names = [name.rpartition(".")[::2] for name, _ in layer.named_parameters()]
    owners = {"": layer} | {f"attention.{name}": getattr(layer.attention, name) for name in
                            ("query_proj", "key_proj", "score")}

    def results(x, keys, h, c, *weights):
        for (owner, name), weight in zip(names, weights):
            owners[owner].__dict__[name] = weight
        (y, k, P), last = layer(x, keys, (h, c), lengths=[3, 1], key_lengths=[2, 3])
        return y, k[:1], P[:1], *last
    assert gradcheck(results, [*given, *layer.parameters()], fast_mode=True)


# --- laws

@pytest.mark.parametrize("attention", PLACES)
@given(drawn=sizes(), seed=seeds, data=st.data())
def test_step_by_step_is_the_whole(attention, drawn, seed, data):
    layer, x, K, steps, n, h = made(attention, drawn, seed, data)
    (y, k, P), last = layer(x, K, (h, -h), key_lengths=n)
    source, states = layer.source(K, n), (h, -h)
    for t in range(drawn["T"]):
        states, context, looks = layer.step(x[:, t], states, source, np.arange(drawn["B"]))
        same((states[0], context, looks), (y.data[:, t], k.data[:, t], P.data[:, t]))
    same(states, tuple(part.data for part in last))


@pytest.mark.parametrize("attention", PLACES)
@given(drawn=sizes(), seed=seeds, data=st.data())
def test_a_batch_is_its_members_one_by_one(attention, drawn, seed, data):
    layer, x, K, steps, n, h = made(attention, drawn, seed, data)
    together = flat(layer(x, K, (h, -h), steps, n))
    for b in range(drawn["B"]):
        one = np.s_[b:b + 1]
        alone = flat(layer(x[one, :steps[b]], K[one, :n[b]], (h[one], -h[one])))
        for ours, theirs in zip(together, alone):
            same(ours[(slice(b, b + 1), *map(slice, theirs.shape[1:]))], theirs)
        assert not any(part[b, steps[b]:].any() for part in together[:3]) and not together[2][b, :, n[b]:].any()


@pytest.mark.parametrize("attention", PLACES)
@given(drawn=sizes(), seed=seeds, data=st.data())
def test_what_stands_in_padding_changes_no_bit(attention, drawn, seed, data):
    layer, x, K, steps, n, h = made(attention, drawn, seed, data)
    results = []
    for filling in (0.0, np.nan):
        x[np.arange(drawn["T"]) >= np.array(steps)[:, None]] = filling
        K[np.arange(drawn["S"]) >= n[:, None]] = filling
        given = leaves([x, K, h])
        out = layer(*given[:2], (given[2], -given[2]), steps, n)
        loss = sum((part ** 3).sum() for part in (*out[0], *out[1]))
        results.append([*flat(out), *(g.data for g in grad(loss, [*given, *layer.parameters()]))])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("attention", PLACES)
@given(drawn=sizes(), seed=seeds)
def test_a_source_is_a_set_of_places(attention, drawn, seed):
    layer, x, K, *_, h = made(attention, drawn, seed)
    order = np.random.default_rng(seed).permutation(drawn["S"])
    y, k, P, *_ = flat(layer(x, K, (h, -h)))
    again = flat(layer(x, K[:, order], (h, -h)))
    same(again[:3], (y, k, P[:, :, order]))


def test_where_nothing_is_read_it_is_an_lstm():
    """Of places that are 0 the context is 0."""
    (X, K, u, h, c, W, U, p, q, Q, w), _, n = operands(SIZES, 3)
    packing = pack(T=SIZES["T"], B=SIZES["B"], batch_first=True)
    y, k, P, *last = attentive_forward(X, 0 * K, u, h, c, W, U, p, q, Q, w, n=n, packing=packing)[0]
    same((y, *last), attentive.lstm.lstm_forward(X, h, c, W[:, :SIZES["D"]], U, p, q, packing=packing)[0])
    assert not k.any()


def made(attention, drawn, seed, data=None):
    """A layer, x and keys, steps and places, and a first state."""
    rng = np.random.default_rng(seed)
    layer = AttentiveLSTM(drawn["D"], drawn["H"], drawn["C"], drawn["A"], attention=attention, dtype="float64",
                          random_state=rng)
    x, K, h = (rng.normal(size=[drawn[letter] for letter in shape]) for shape in ("BTD", "BSC", "BH"))
    if data is None:
        return layer, x, K, None, None, h
    steps, n = (data.draw(lengths(drawn[letter], drawn["B"])) for letter in "TS")
    return layer, x, K, steps, np.array(n), h


def flat(results):
    return tuple(part.data for part in (*results[0], *results[1]))


# --- twice, threads, precision, what is kept

def test_a_graph_can_be_swept_twice():
    given = leaves(operands(SIZES, 1)[0])
    y, *_ = fused_attentive(*given, n=np.array([5, 2, 3]), packing=pack([4, 1, 2], T=4, B=3, batch_first=True))
    first = grad(y.sum(), given, retain_graph=True)
    for one, two in zip(first, grad(y.sum(), given, retain_graph=True)):
        np.testing.assert_array_equal(one.data, two.data)


def test_chunks_and_threads_change_nothing(monkeypatch):
    given, _, n = operands(SIZES, 2)
    results = []
    for chunk, threads in ((2**17, "1"), (1, "2")):
        monkeypatch.setattr(attentive, "CHUNK", chunk)
        monkeypatch.setenv("SCRATCHML_NUM_THREADS", threads)
        results.append(both_ways(given, [4, 2, 3], n))
    for one, other in zip(*(made[0] + made[1] for made in results)):
        np.testing.assert_array_equal(one, other)


@given(sizes(), seeds)
def test_float32(drawn, seed):
    given, _, n = operands(drawn, seed)
    exact, single = both_ways(given, None, n), both_ways([array.astype(np.float32) for array in given], None, n)
    for ours, theirs in zip(single[0] + single[1], exact[0] + exact[1]):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(1, np.abs(theirs).max()))


def test_arrays_that_may_only_be_read_and_others_that_lie_apart():
    given, _, n = operands(SIZES, 4)
    strange = [np.repeat(array, 2, axis=0)[::2] for array in given]
    for array in strange:
        array.flags.writeable = False
    for ours, theirs in zip(both_ways(strange, [4, 2, 3], n), both_ways(given, [4, 2, 3], n)):
        same(ours, theirs)


# --- refused

@pytest.mark.parametrize("changed, message", [
    (dict(input=np.ones((2, 3, 5))), r"input: .* expected shape \(B, T, 2\).* got \(2, 3, 5\)"),
    (dict(input=np.ones((2, 0, 2))), "at least one sequence and one step"), (dict(input=np.ones((2, 2))), "input: "),
    (dict(keys=np.ones((3, 4, 3))), r"keys: .* expected shape \(2, S, 3\).* got \(3, 4, 3\)"),
    (dict(keys=np.ones((2, 0, 3))), "at least one place"), (dict(keys=np.ones((2, 4, 2))), "keys: "),
    (dict(hx=np.ones((2, 2))), "hx: .* expected a pair"), (dict(hx=(np.ones((2, 2)), np.ones((1, 2)))), "c of shape"),
    (dict(lengths=[3, 4]), "lengths: sequence 1 has length 4"), (dict(lengths=[0, 1]), "sequence 0 has length 0"),
    (dict(key_lengths=[4, 5]), "key_lengths: sequence 1 has length 5"), (dict(key_lengths=[4]), "key_lengths: "),
])
def test_inputs_that_do_not_fit(changed, message):
    layer = AttentiveLSTM(2, 2, 3)
    with pytest.raises(ValueError, match=message):
        layer(**{"input": np.ones((2, 3, 2)), "keys": np.ones((2, 4, 3)), **changed})


def test_a_layer_that_cannot_be():
    for sizes, message in (((0, 1, 1), "input_size=0"), ((1, 0, 1), "hidden_size=0"), ((1, 1, 0), "key_size=0"),
                           ((1, 1, 1, 0), "attention_size=0")):
        with pytest.raises(ValueError, match=message):
            AttentiveLSTM(*sizes)
    with pytest.raises(ValueError, match="attention='dot'"):
        AttentiveLSTM(1, 1, 1, attention="dot")
    with pytest.raises(ValueError, match="computes in float32"):
        AttentiveLSTM(2, 2, 3)(Tensor(np.ones((2, 3, 2))), np.ones((2, 4, 3)))


def test_names_and_shapes_of_the_weights():
    shapes = {"weight_ih": (8, 5), "weight_hh": (8, 2), "bias_ih": (8,), "bias_hh": (8,),
              "attention.query_proj.weight": (4, 2), "attention.key_proj.weight": (4, 3),
              "attention.key_proj.bias": (4,), "attention.score.weight": (1, 4)}
    assert {name: a.shape for name, a in AttentiveLSTM(2, 2, 3, 4).state_dict().items()} == shapes
    after = AttentiveLSTM(2, 2, 3, 4, attention="luong").state_dict()
    assert {name: a.shape for name, a in after.items()} == shapes | {"weight_ih": (8, 2)}
