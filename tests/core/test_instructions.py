"""Instructions that Python has no words for: the same results as in plain Python, and the instructions themselves."""
import numba
import numpy as np
import pytest

from scratchml.core.instructions import LINES, look, prefetch, ring
from scratchml.core.jit import kernel

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled with NUMBA_DISABLE_JIT=1")


@kernel
def summed_in_order(X, order, ahead):
    total = 0.0
    for i in range(order.size):
        prefetch(X, order[i] + ahead)
        total += X[order[i]].sum()
    return total


@pytest.mark.parametrize("shape", [(9,), (9, 1), (9, 10), (9, 200), (9, 2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.int8])
@pytest.mark.parametrize("ahead", [0, 3, -2**40, 2**40])
def test_what_is_fetched_ahead_changes_nothing_wherever_it_lies(shape, dtype, ahead):
    X = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    before, order = X.copy(), np.array([4, 0, 8, 4])
    assert summed_in_order(X[..., None], order, ahead) == X[order].sum()
    np.testing.assert_array_equal(X, before)


@compiled
def test_fetching_ahead_is_an_instruction_for_each_line():
    summed_in_order(np.zeros((2, 10)), np.array([0]), 0)
    code = "".join(summed_in_order.inspect_llvm().values())
    assert code.count("call void @llvm.prefetch") >= LINES and ", i32 0, i32 3, i32 1)" in code


def test_outside_of_a_kernel_nothing_is_fetched():
    assert prefetch(np.zeros(3), 7) is None


@kernel
def rung_and_looked_at(bell, times):
    for _ in range(times):
        ring(bell)
    return look(bell)


def test_a_bell_counts_its_rings():
    bell = np.array([5, 7])
    assert rung_and_looked_at(bell, 3) == 8
    assert bell.tolist() == [8, 7]


@compiled
def test_bells_are_rung_and_looked_at_by_atomic_instructions():
    rung_and_looked_at(np.zeros(1, np.int64), 1)
    code = "".join(rung_and_looked_at.inspect_llvm().values())
    assert "load atomic i64" in code and "atomicrmw add" in code and "seq_cst" in code
