"""What the processor can do and Python cannot say: fetch ahead, multiply in registers, look and ring across threads.

Each is a function for kernels, in LLVM's words, and beside it the same as plain Python.
"""
import contextlib
import itertools

import numba
import numpy as np
from numba.core.cgutils import (
    alloca_once_value, for_range, get_or_insert_function, int32_t, intp_t, ir, unpack_tuple, voidptr_t)
from numba.core.codegen import ll

# --- fetching ahead -------------------------------------------------------------------------------

LINE = 64                                                # bytes of a line of the cache
LINES = 8                                                # of a row: the processor fetches what lies behind


def prefetch(array, n):
    """In a kernel: let the processor fetch array[n] into its cache while the kernel goes on; nothing in plain Python.

    For a walk through rows in an order that no processor guesses, a few steps ahead of their use.  The array is
    C-contiguous, and nothing is read: `n` may lie outside.  It changes no result.
    """


@numba.extending.overload(prefetch)
def _prefetch(array, n):
    return lambda array, n: _fetch_lines(array, n)


@numba.extending.intrinsic
def _fetch_lines(typing, array, n):
    """llvm.prefetch for the first LINES lines of array[n]."""
    def build(context, builder, signature, arguments):
        view = context.make_array(array)(context, builder, arguments[0])
        size, number = builder.extract_value(view.strides, 0), ir.Constant
        place = builder.mul(context.cast(builder, arguments[1], n, numba.types.intp), size)
        start = builder.add(builder.ptrtoint(view.data, size.type), place)
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [voidptr_t],
                                                 ir.FunctionType(ir.VoidType(), [voidptr_t, int32_t, int32_t, int32_t]))
        to_read, keep, data = int32_t(0), int32_t(3), int32_t(1)
        for line in range(LINES):
            with builder.if_then(builder.icmp_signed("<", number(size.type, line * LINE), size)):
                address = builder.add(start, number(size.type, line * LINE))
                builder.call(fetch, [builder.inttoptr(address, voidptr_t), to_read, keep, data])
        return context.get_dummy_value()
    return numba.types.void(array, n), build


# --- sums that stay in registers ------------------------------------------------------------------

_FEATURES = {}
with contextlib.suppress(RuntimeError):                  # a processor that LLVM does not know
    _FEATURES = ll.get_host_cpu_features()
VECTOR = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16         # bytes of a register
PANEL = 2 * VECTOR                                       # of a row of a tile
TALL, LOW = (12, 4) if _FEATURES.get("avx512f") or _FEATURES.get("neon") else (6, 2)     # rows: of 32 registers, or 16


def multiply_tile(A, B, out, height, add):
    """In a kernel: out[:R, :W] = A[:R, :K] B, added to what is there if `add`; B (K, W), R = `height` TALL, LOW or 1.

    W numbers fill PANEL bytes.  The sums over K stay in registers, two for each row.  Rows of B and of `out` are
    contiguous; A may lie in memory in any way.
    """
    tile = out[:height, :B.shape[1]]
    sums = np.zeros_like(tile)
    with np.errstate(over="ignore", invalid="ignore"):   # as where it is compiled
        for k in range(len(B)):
            sums += A[:height, k, None] * B[k]
        tile[:] = tile + sums if add else sums


@numba.extending.overload(multiply_tile, prefer_literal=True)
def _multiply_tile(A, B, out, height, add):
    return lambda A, B, out, height, add: _multiply_in_registers(A, B, out, height, add)


@numba.extending.intrinsic(prefer_literal=True)
def _multiply_in_registers(typing, A, B, out, height, add):
    """`multiply_tile`: a loop over k with two multiply-adds of vectors for each row of A."""
    def build(context, builder, signature, arguments):
        A_, B_, out_ = (context.make_array(kind)(context, builder, argument)
                        for kind, argument in zip((A, B, out), arguments))
        number, rows, pair = context.get_value_type(B.dtype), range(height.literal_value), range(2)
        size = context.get_abi_sizeof(number)
        vector = ir.VectorType(number, VECTOR // size)
        multiply_add = get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3),
                                              f"llvm.fmuladd.v{vector.count}f{8 * size}")

        def place(view, row, column, kind, number=0):    # of view[row, column], and so many vectors behind it
            strides = unpack_tuple(builder, view.strides)
            steps = [builder.mul(index, stride) for index, stride in zip((row, column), strides)]
            address = builder.add(builder.ptrtoint(view.data, intp_t), builder.add(*steps))
            return builder.inttoptr(builder.add(address, intp_t(number * VECTOR)), kind.as_pointer())

        def filled(value):
            lone = builder.insert_element(vector(ir.Undefined), value, int32_t(0))
            return builder.shuffle_vector(lone, lone, ir.VectorType(int32_t, vector.count)([0] * vector.count))

        sums = [[alloca_once_value(builder, vector([0] * vector.count)) for _ in pair] for _ in rows]
        with for_range(builder, unpack_tuple(builder, B_.shape)[0]) as loop:
            columns = [builder.load(place(B_, loop.index, intp_t(0), vector, i), align=size) for i in pair]
            for row in rows:
                factor = filled(builder.load(place(A_, intp_t(row), loop.index, number)))
                for total, column in zip(sums[row], columns):
                    builder.store(builder.call(multiply_add, [factor, column, builder.load(total)]), total)
        with builder.if_else(arguments[4]) as (then, otherwise):
            for branch, adds in ((then, True), (otherwise, False)):
                with branch:
                    for row, i in itertools.product(rows, pair):
                        target, total = place(out_, intp_t(row), intp_t(0), vector, i), builder.load(sums[row][i])
                        total = builder.fadd(builder.load(target, align=size), total) if adds else total
                        builder.store(total, target, align=size)
        return context.get_dummy_value()
    return numba.types.void(A, B, out, height, add), build

# --- bells between threads -------------------------------------------------------------------------
#
# In a loop that waits for a number to change, a compiler reads it once; and where another thread writes it, only
# an atomic access promises that it comes over.


def look(bell):
    """In a kernel: bell[0], an int64, as another thread may have written it a moment ago."""
    return bell[0]


def ring(bell):
    """In a kernel: bell[0] += 1, seen at once by threads that look."""
    bell[0] += 1


@numba.extending.overload(look)
def _look(bell):
    return lambda bell: _read_anew(bell)


@numba.extending.overload(ring)
def _ring(bell):
    return lambda bell: _add_at_once(bell)


@numba.extending.intrinsic
def _read_anew(typing, bell):
    def build(context, builder, signature, arguments):
        view = context.make_array(bell)(context, builder, arguments[0])
        return builder.load_atomic(view.data, "seq_cst", align=8)
    return numba.types.int64(bell), build


@numba.extending.intrinsic
def _add_at_once(typing, bell):
    def build(context, builder, signature, arguments):
        view = context.make_array(bell)(context, builder, arguments[0])
        builder.atomic_rmw("add", view.data, ir.Constant(ir.IntType(64), 1), "seq_cst")
        return context.get_dummy_value()
    return numba.types.void(bell), build
