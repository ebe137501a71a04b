"""The training loop: its batches, what it watches, when it ends, and what it leaves behind."""
import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from scratchml.autograd import Tensor
from scratchml.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Sequential
from scratchml.nn import cross_entropy, evaluate, fit, mse_loss, predict
from scratchml.nn.training import best_epoch, bounds, by_length, epoch_loss
from scratchml.optim import SGD, Adam, CosineAnnealingLR, LinearLR, ReduceLROnPlateau
from tests.reference import training as reference
from tests.strategies import training as strategies


# --- the equations

@given(st.integers(1, 60), st.integers(1, 70))
def test_batches_are_those_of_the_definition_and_of_nearly_equal_size(N, C):
    m = bounds(N, C)
    assert m.tolist() == reference.bounds(N, C) and len(m) == -(-N // C) + 1
    sizes = np.diff(m)
    assert sizes.sum() == N and 1 <= sizes.min() <= sizes.max() <= min(C, sizes.min() + 1)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_order_by_length_is_stable(N, seed):
    rng = np.random.default_rng(seed)
    r, T = rng.permutation(N), rng.integers(1, 4, N)
    o = by_length(r, T)
    assert o.tolist() == reference.by_length(r, T) and (np.diff(T[o]) >= 0).all()


@given(strategies.batches())
def test_every_sample_counts_alike_in_the_loss_of_an_epoch(drawn):
    J, n = drawn
    np.testing.assert_allclose(epoch_loss(J, n), reference.epoch_loss(J, n), rtol=1e-9, atol=1e-9 * np.abs(J).max())


@example([3.0, -2.2250738585072014e-308], 3.0)
@given(strategies.watched, strategies.steps)
def test_the_best_epoch_is_the_last_record(V, δ):
    assert best_epoch(V, δ) == reference.best_epoch(V, δ)
    if δ == 0:
        assert best_epoch(V, δ) == np.argmin(V) + 1


# --- the loop against the same steps by hand

def line(N=23, D=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    return X, X @ rng.normal(size=(D, 2)) + 0.1 * rng.normal(size=(N, 2))


def model(D=3, K=2, seed=0):
    return Linear(D, K, dtype="float64", random_state=seed)


def test_one_batch_an_epoch_is_gradient_descent():
    X, y = line()
    fitted, by_hand = model(), model()
    history = fit(fitted, SGD(fitted.parameters(), lr=0.1), mse_loss, X, y, batch_size=99, epochs=4, random_state=0)
    losses = []
    for _ in range(4):
        W, b = by_hand.weight.data, by_hand.bias.data
        error = X @ W.T + b - y
        losses.append((error ** 2).mean())
        by_hand.weight.data = W - 0.1 * 2 * error.T @ X / y.size
        by_hand.bias.data = b - 0.1 * 2 * error.sum(axis=0) / y.size
    np.testing.assert_allclose(fitted.weight.data, by_hand.weight.data, rtol=1e-12)
    np.testing.assert_allclose(fitted.bias.data, by_hand.bias.data, rtol=1e-12)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)
    assert history.validation_loss == [] and history.best_epoch == np.argmin(losses) + 1


class Seen(Module):
    """Notes the samples it is shown, and in which mode; `w` stays what it is, as its gradient is zero."""

    def __init__(self):
        self.w = Tensor([1.0], requires_grad=True)
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, x.detach().data[:, 0].tolist()))
        return (x * self.w).sum() * 0.0


def test_every_epoch_shows_each_sample_once_in_a_new_order():
    net = Seen()
    fit(net, SGD(net.parameters()), lambda output: output, np.arange(10.0)[:, None], None, batch_size=4, epochs=3,
        random_state=0)
    assert all(training for training, _ in net.seen) and [len(part) for _, part in net.seen] == [3, 3, 4] * 3
    epochs = [sum((part for _, part in net.seen[e:e + 3]), []) for e in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] and epochs[0] != list(range(10))


def test_samples_kept_apart_are_the_same_every_epoch_and_never_trained_on():
    net = Seen()
    fit(net, SGD(net.parameters()), lambda output: output, np.arange(10.0)[:, None], None, batch_size=4, epochs=3,
        validation_split=0.3, random_state=1)
    trained = {x for training, part in net.seen if training for x in part}
    watched = [part for training, part in net.seen if not training]
    assert len(watched) == 3 and watched[0] == watched[1] == watched[2] and len(watched[0]) == 3
    assert trained | set(watched[0]) == set(range(10)) and not trained & set(watched[0])
    assert sorted(watched[0]) not in ([7, 8, 9], [0, 1, 2])                     # drawn, not cut off


def test_the_seed_decides():
    X, y = line()

    def weights(seed):
        net = Sequential(Linear(3, 5, random_state=1), Dropout(0.3, random_state=2), Linear(5, 2, random_state=3))
        fit(net, Adam(net.parameters()), mse_loss, X, y, batch_size=5, epochs=2, validation_split=0.2,
            random_state=seed)
        return net[0].weight.data

    np.testing.assert_array_equal(weights(0), weights(0))
    assert (weights(0) != weights(1)).any()


def test_validation_data_are_evaluated_in_evaluation_mode():
    X, y = line()
    net = Sequential(Linear(3, 8, random_state=0), BatchNorm1d(8), ReLU(), Dropout(0.5, random_state=0),
                     Linear(8, 2, random_state=1))
    history = fit(net, SGD(net.parameters(), lr=0.05), mse_loss, X, y, batch_size=6, epochs=2,
                  validation_data=(X[:7], y[:7]), random_state=0)
    net.eval()
    expected = (net(X[:7]).detach().data - y[:7]) ** 2
    np.testing.assert_allclose(history.validation_loss[-1], expected.mean(), rtol=1e-6)
    assert evaluate(net, mse_loss, X[:7], y[:7], batch_size=3) == pytest.approx(expected.mean(), rel=1e-6)


# --- when it ends

def stairs(losses):
    """A model and a loss that takes the given values, an epoch each; `w` counts the steps."""
    net = Sequential(Linear(1, 1, bias=False, dtype="float64", random_state=0))
    net[0].weight.data = np.zeros((1, 1))
    values = iter(losses)
    return net, lambda output: output.sum() * 0.0 - net[0].weight.sum() + (next(values) + float(net[0].weight.item()))


def test_early_stopping_puts_the_best_weights_back():
    losses = [5.0, 3.0, 4.0, 2.0, 2.5, 2.0, 9.0, 1.0]
    net, loss = stairs(losses)
    optimizer = SGD(net.parameters(), lr=1.0, momentum=0.0)
    history = fit(net, optimizer, loss, np.zeros((1, 1)), None, epochs=8, patience=3)
    assert history.loss == losses[:7] and history.best_epoch == 4
    assert net[0].weight.item() == 4.0                  # each step adds one

    net, loss = stairs(losses)
    history = fit(net, SGD(net.parameters(), lr=1.0), loss, np.zeros((1, 1)), None, epochs=8)
    assert history.best_epoch == 8 and net[0].weight.item() == 8.0              # no patience, no going back

    net, loss = stairs(losses)
    history = fit(net, SGD(net.parameters(), lr=1.0), loss, np.zeros((1, 1)), None, epochs=7, patience=5)
    assert history.best_epoch == 4 and net[0].weight.item() == 4.0              # also where the epochs run out

    net, loss = stairs(losses)
    history = fit(net, SGD(net.parameters(), lr=1.0), loss, np.zeros((1, 1)), None, epochs=8, patience=2, min_delta=1.5)
    assert history.best_epoch == 2 and len(history.loss) == 4 and net[0].weight.item() == 2.0


def test_the_optimiser_goes_back_with_the_weights():
    net, loss = stairs([2.0, 1.0, 3.0, 4.0])
    optimizer = SGD(net.parameters(), lr=1.0, momentum=0.5)
    fit(net, optimizer, loss, np.zeros((1, 1)), None, epochs=4, patience=2)
    np.testing.assert_allclose(optimizer.state[0]["momentum_buffer"], [[-1.5]])


def test_a_callback_sees_every_epoch_and_can_stop():
    X, y = line()
    net, seen = model(), []

    def callback(progress):
        seen.append(progress)
        return progress.iteration == 3

    history = fit(net, SGD(net.parameters()), mse_loss, X, y, epochs=9, callback=callback, random_state=0)
    assert [p.iteration for p in seen] == [1, 2, 3] and [p.loss for p in seen] == history.loss
    assert all(p.estimator is net for p in seen)


def test_verbose_writes_a_line_an_epoch_to_stderr(capsys):
    X, y = line()
    net = model()
    fit(net, SGD(net.parameters()), mse_loss, X, y, epochs=2, validation_split=0.2, verbose=1, random_state=0)
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 2 and "epoch 2 of 2" in err and "validation loss" in err


@pytest.mark.parametrize("exception", [KeyboardInterrupt, RuntimeError])
def test_what_interrupts_an_epoch_leaves_the_last_whole_one(exception):
    X, y = line()
    calls = []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 12:                             # in the third epoch of five batches
            raise exception
        return mse_loss(output, target)

    net, expected = model(), model()
    optimizer = Adam(net.parameters(), lr=0.1)
    net.eval()
    with pytest.raises(exception):
        fit(net, optimizer, loss, X, y, batch_size=5, epochs=5, random_state=0)
    fit(expected, Adam(expected.parameters(), lr=0.1), mse_loss, X, y, batch_size=5, epochs=2, random_state=0)
    np.testing.assert_array_equal(net.weight.data, expected.weight.data)
    assert optimizer.state[0]["step"] == 10 and net.weight.grad is None and not net.training


def test_the_mode_of_each_part_is_put_back():
    X, y = line()
    net = Sequential(Linear(3, 4, dtype="float64", random_state=0), BatchNorm1d(4, dtype="float64"),
                     Linear(4, 2, dtype="float64", random_state=1))
    net[1].eval()
    fit(net, SGD(net.parameters()), mse_loss, X, y, random_state=0)
    predict(net, X)
    assert [part.training for part in net.modules()] == [True, True, False, True]


def test_gradients_are_scaled_down_to_max_norm():
    X, y = line()
    free, held = model(), model()
    start = free.weight.data.copy(), free.bias.data.copy()
    fit(held, SGD(held.parameters(), lr=1.0), mse_loss, X, 100 * y, batch_size=99, max_norm=0.5)
    moved = np.sqrt(sum(((a - b.data) ** 2).sum() for a, b in zip(start, (held.weight, held.bias))))
    assert moved == pytest.approx(0.5, rel=1e-6)
    fit(free, SGD(free.parameters(), lr=1.0), mse_loss, X, 100 * y, batch_size=99)
    assert np.abs(free.weight.data - start[0]).max() > 0.5


# --- sequences

class SeenSteps(Module):
    """Notes the numbers (n, T) and lengths of each batch; its output is one number a step, 1 at every start."""

    def __init__(self):
        self.w = Tensor([1.0], requires_grad=True)
        self.seen = []

    def forward(self, numbers, lengths):
        self.seen.append((self.training, numbers.copy(), lengths.copy()))
        return self.w * np.ones(numbers.shape)


def sequences(N=40, T=9, seed=0):
    """Numbers (N, T), 0 behind the ends, the lengths, and targets (N, T), -1 behind the ends and at some places."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, T + 1, N)
    there = np.arange(T) < lengths[:, None]
    y = np.where(there & (rng.random((N, T)) < 0.8), rng.normal(size=(N, T)), -1.0)
    return np.where(there, 1 + np.arange(N)[:, None], 0), lengths, y


def squares(output, y):
    """The sum of squares where there is a target, and how many there are."""
    known = y.data != -1 if isinstance(y, Tensor) else y != -1
    return ((output - y) ** 2 * known).sum(), known.sum()


def test_batches_of_like_length_are_cut_and_hold_each_sample_once():
    numbers, lengths, y = sequences()
    net = SeenSteps()
    fit(net, SGD(net.parameters()), squares, (numbers, lengths), y, lengths=lengths, batch_size=6, epochs=3,
        random_state=0)
    epochs = [net.seen[e:e + 7] for e in range(0, 21, 7)]
    assert len(net.seen) == 21
    spans = []
    for epoch in epochs:
        assert sorted(n for _, part, _ in epoch for n in part[:, 0]) == list(range(1, 41))
        for _, part, T in epoch:
            assert part.shape[1] == T.max() and ((part > 0).sum(axis=1) == T).all()
        ordered = sorted((T.min(), T.max()) for _, _, T in epoch)
        assert all(a[1] <= b[0] for a, b in zip(ordered, ordered[1:]))         # of like length
        spans.append([(T.min(), T.max()) for _, _, T in epoch])
    assert spans[0] != sorted(spans[0]) and spans[0] != spans[1]               # the short ones do not come first
    members = [{frozenset(part[:, 0]) for _, part, _ in epoch} for epoch in epochs]
    assert members[0] != members[1]                                            # of equals others meet in each epoch


def test_the_loss_of_an_epoch_is_the_mean_over_tokens_and_so_is_the_step():
    numbers, lengths, y = sequences()
    known = y != -1
    whole = ((1 - y[known]) ** 2).sum() / known.sum()
    net = SeenSteps()
    history = fit(net, SGD(net.parameters(), lr=0.0), squares, (numbers, lengths), y, lengths=lengths, batch_size=6,
                  validation_data=((numbers, lengths), y, lengths), random_state=0)
    assert history.loss[0] == pytest.approx(whole, rel=1e-12)
    assert history.validation_loss[0] == pytest.approx(whole, rel=1e-12)
    assert all(part.shape[1] == T.max() for _, part, T in net.seen)
    assert evaluate(net, squares, (numbers, lengths), y, batch_size=7) == pytest.approx(whole, rel=1e-12)
    fit(net, SGD(net.parameters(), lr=0.5), squares, (numbers, lengths), y, batch_size=40)
    assert net.w.item() == pytest.approx(1 - (1 - y[known]).sum() / known.sum(), rel=1e-12)       # 1 - ½ ∂/∂w


def test_a_batch_of_which_nothing_counts_is_no_step_and_an_epoch_of_such_is_an_error():
    numbers, lengths, y = sequences(N=6)
    y[0] = -1
    net = SeenSteps()
    optimizer = Adam(net.parameters())
    fit(net, optimizer, squares, (numbers, lengths), y, batch_size=1, random_state=0)
    assert optimizer.state[0]["step"] == 5
    before = net.w.item()
    with pytest.raises(ValueError, match="loss: its counts are 0 in all batches"):
        fit(net, optimizer, squares, (numbers, lengths), np.full(y.shape, -1.0), random_state=0)
    assert net.w.item() == before


@pytest.mark.parametrize("lengths, message", [
    (np.zeros(40, int), "lengths: sequence 0 has length 0; fit expected 1 ... 9"), (np.full(40, 10), "has length 10"),
    (np.ones(39, int), "lengths: fit expected 40 whole numbers"), (np.ones(40), "whole numbers"), (7, "whole numbers"),
    (["a"] * 40, "whole numbers"), (np.ma.masked_less(np.arange(40), 3), "lengths: contains masked"),
])
def test_lengths_that_are_none_are_refused(lengths, message):
    numbers, right, y = sequences()
    net = SeenSteps()
    with pytest.raises(ValueError, match=message):
        fit(net, SGD(net.parameters()), squares, (numbers, right), y, lengths=lengths)
    with pytest.raises(ValueError, match=message):
        evaluate(net, squares, (numbers, right), y, lengths=lengths)


def test_arrays_of_other_numbers_of_steps_are_not_cut_in_silence():
    numbers, lengths, y = sequences()
    net = SeenSteps()
    with pytest.raises(ValueError, match=r"same number of steps T, got shapes \[\(40, 9\), \(40, 8\)\]"):
        fit(net, SGD(net.parameters()), squares, (numbers, lengths), y[:, :8], lengths=lengths)
    with pytest.raises(ValueError, match=r"validation_data: expected a tuple \(X, y, lengths\)"):
        fit(net, SGD(net.parameters()), squares, (numbers, lengths), y, lengths=lengths,
            validation_data=((numbers, lengths), y))
    with pytest.raises(ValueError, match=r"validation_data\[2\]: sequence 0"):
        fit(net, SGD(net.parameters()), squares, (numbers, lengths), y, lengths=lengths,
            validation_data=((numbers, lengths), y, 0 * lengths))


class Numbers(Module):
    def __init__(self):
        self.w = Tensor([1.0], requires_grad=True)
        self.seen = []

    def forward(self, numbers):
        self.seen.append(sorted(numbers.tolist()))
        return self.w.sum()


def test_lengths_order_samples_that_are_but_numbers():
    net = Numbers()
    fit(net, SGD(net.parameters()), lambda output: output, np.arange(6), None, lengths=[7, 1, 7, 1, 900, 2],
        batch_size=2, epochs=5, random_state=0)
    assert {tuple(part) for part in net.seen} == {(1, 3), (0, 5), (2, 5), (2, 4), (0, 4)}
    assert all(sorted(sum(net.seen[e:e + 3], [])) == list(range(6)) for e in range(0, 15, 3))


# --- a schedule

def test_a_schedule_goes_a_step_a_batch():
    X, y = line()
    net = model()
    optimizer = SGD(net.parameters(), lr=0.5)
    schedule, seen = CosineAnnealingLR(optimizer, 10), []

    def loss(output, target):
        seen.append(optimizer.param_groups[0]["lr"])
        return mse_loss(output, target)

    fit(net, optimizer, loss, X, y, batch_size=5, epochs=2, schedule=schedule, random_state=0)
    np.testing.assert_allclose(seen, 0.25 * (1 + np.cos(np.pi * np.arange(10) / 10)), rtol=1e-12)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-15)


def test_an_interrupted_epoch_takes_the_schedule_back():
    X, y = line()
    net, calls = model(), []
    optimizer = SGD(net.parameters(), lr=0.5)
    schedule = LinearLR(optimizer, 1.0, 0.0, total_iters=20)

    def loss(output, target):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return mse_loss(output, target)

    with pytest.raises(KeyboardInterrupt):
        fit(net, optimizer, loss, X, y, batch_size=5, epochs=2, schedule=schedule, random_state=0)
    assert schedule.last_epoch == 5 and optimizer.param_groups[0]["lr"] == pytest.approx(0.375)


def test_early_stopping_takes_the_schedule_back():
    net, loss = stairs([2.0, 1.0, 3.0, 4.0])
    optimizer = SGD(net.parameters(), lr=1.0)
    schedule = LinearLR(optimizer, 1.0, 1.0, total_iters=20)
    fit(net, optimizer, loss, np.zeros((1, 1)), None, epochs=4, patience=2, schedule=schedule)
    assert schedule.last_epoch == 2


def test_schedules_that_cannot_be_stepped_are_refused():
    X, y = line()
    net = model()
    optimizer = SGD(net.parameters())
    for wrong in (ReduceLROnPlateau(optimizer), CosineAnnealingLR(SGD(net.parameters()), 3), "cosine"):
        with pytest.raises(ValueError, match="schedule=.*: expected a schedule of scratchml.optim that was made for"):
            fit(net, optimizer, mse_loss, X, y, schedule=wrong)


# --- predict

def test_predictions_do_not_depend_on_the_size_of_the_batch():
    X, _ = line()
    net = Sequential(Linear(3, 4, random_state=0), Dropout(0.5, random_state=0), Linear(4, 2, random_state=1))
    whole = predict(net, X)
    assert type(whole) is np.ndarray and whole.shape == (23, 2) and whole.dtype == np.float32
    np.testing.assert_allclose(predict(net, X, batch_size=4), whole, rtol=1e-5, atol=1e-6)
    net.eval()
    np.testing.assert_allclose(net(X).detach().data, whole, rtol=1e-5, atol=1e-6)


class Weighted(Module):
    def __init__(self):
        self.inner = Linear(2, 3, random_state=0)

    def forward(self, x, k):
        assert k.dtype.kind == "i"                       # whole numbers remain arrays
        return self.inner(x) * k[:, None].astype(np.float32)


def test_a_model_of_several_inputs_gets_a_tuple():
    X, k = np.random.default_rng(0).normal(size=(9, 2)), np.arange(9)
    net = Weighted()
    history = fit(net, SGD(net.parameters()), cross_entropy, (X, k), k % 3, batch_size=4, validation_split=0.3,
                  random_state=0)
    assert len(history.validation_loss) == 1 and predict(net, (X, k), batch_size=2).shape == (9, 3)


# --- errors

@pytest.mark.parametrize("changed, message", [
    (dict(epochs=0), "epochs=0"), (dict(batch_size=2.5), "batch_size=2.5"), (dict(patience=0), "patience=0"),
    (dict(min_delta=-1), "min_delta=-1"), (dict(max_norm=0), "max_norm=0"), (dict(validation_split=1.0), "below 1"),
    (dict(validation_split=-0.1), "validation_split"), (dict(validation_split=0.01), "0 would be kept apart"),
    (dict(validation_split=0.2, validation_data=(np.ones((1, 3)), np.ones((1, 2)))), "expected one of them"),
    (dict(validation_data=np.ones((1, 3))), "a tuple"), (dict(random_state="x"), "random_state"),
    (dict(y=np.zeros((4, 2))), "of one length, got .23, 4."), (dict(X=np.zeros((0, 3)), y=np.zeros((0, 2))), "none"),
    (dict(X=np.full((23, 3), np.nan)), "X: Input contains NaN"), (dict(y=np.full((23, 2), np.inf)), "y: .*infinity"),
    (dict(X=np.array([["a"] * 3] * 23)), "expected numbers"), (dict(X=5.0), "single number"),
    (dict(X=()), "empty tuple"),
    (dict(X=[[1.0, 2.0], [3.0]]), "X: expected an array of numbers, got rows of different lengths"),
    (dict(validation_data=(np.ones((1, 3)), None)), "validation_data: expected targets where y has them"),
    (dict(y=None, validation_data=(np.ones((1, 3)), np.ones(1))), "validation_data: expected targets where y has them"),
    (dict(loss=lambda output, y: output), "one entry"), (dict(loss=lambda output, y: 1.0), "float"),
    (dict(loss=lambda output, y: (output.sum(), -1)), "loss: the count=-1"),
    (dict(loss=lambda output, y: (output.sum(), np.nan)), "loss: the count=nan"),
    (dict(loss=lambda output, y: (output.sum(), "9")), "loss: the count='9'"),
    (dict(loss=lambda output, y: (output, 3)), "one entry"), (dict(loss=lambda output, y: (output, y, 1)), "got tuple"),
])
def test_bad_arguments_are_named(changed, message):
    X, y = line()
    net = model()
    arguments = {"loss": mse_loss, "X": X, "y": y, **changed}
    before = net.weight.data.copy()
    with pytest.raises(ValueError, match=message):
        fit(net, SGD(net.parameters()), arguments.pop("loss"), arguments.pop("X"), arguments.pop("y"), **arguments)
    np.testing.assert_array_equal(net.weight.data, before)


def test_a_loss_that_is_not_finite_is_an_error_and_no_step():
    X, y = line()
    net = model()
    optimizer = SGD(net.parameters(), lr=1e200)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="loss: became .* epoch 1; lower the step length"):
        fit(net, optimizer, mse_loss, X, y, batch_size=5, random_state=0)
    np.testing.assert_array_equal(net.weight.data, model().weight.data)


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_validation_loss_that_is_not_finite_ends_at_the_last_whole_epoch(bad, patience):
    net, loss = stairs([5.0, 4.0, 3.0, bad])             # of training and of what is kept apart in turn
    with pytest.raises(ValueError, match=f"loss: became {bad} on the samples kept apart after epoch 2; lower"):
        fit(net, SGD(net.parameters(), lr=1.0), loss, np.zeros((1, 1)), None, epochs=4, patience=patience,
            validation_data=(np.zeros((1, 1)), None))
    assert net[0].weight.item() == 1.0


def test_weights_that_the_last_step_has_spoilt_are_no_result():
    net = model()
    before = net.weight.data.copy()
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="led weight to NaN or infinity in epoch 1; lower"):
        fit(net, SGD(net.parameters(), lr=1e200), lambda output: (output * 1e200).sum(), np.ones((4, 3)), None)
    np.testing.assert_array_equal(net.weight.data, before)


def test_outputs_that_are_not_one_a_sample_are_an_error():
    class Mean(Module):
        def forward(self, x):
            return x.mean()

    with pytest.raises(ValueError, match="put the samples on the first axis"):
        predict(Mean(), np.ones((4, 2)))


def test_outputs_that_are_no_tensor_are_an_error():
    class Pair(Module):
        def forward(self, x):
            return x, x

    with pytest.raises(ValueError, match="model: expected an output that is a Tensor, got tuple"):
        predict(Pair(), np.ones((4, 2)))
