"""What native adapters work on: the words of a service, of a module in it, of an adapter, and the arena.

`state`    one for each service: functions of wasmtime, the arena, what went wrong. Python and kernels read and write it.
`home`     one for each instance: handles of its store, its memory and its functions.
`program`  one for each adapter of a module file: instructions and types, four words for an instruction. Never changes.
`env`      one for each imported function: what its callback is called with.
arena      bytes of one service that never move. What a call needs is put behind what is there, and dropped when the call ends: stacks
           of adapters, values, and how a call failed. A *value* in the arena has the form that it has in a module's memory, with
           offsets of the arena for addresses; a byte array without bytes and with address 0 is an array of u8 that never was allocated.

An editor of this file must preserve: words of state, home, program and env come from Python alone, no module can write them.
"""

from __future__ import annotations

from typing import Final

EXPORTS: Final[tuple[str, ...]] = ()

# ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────────

S_CALL, S_DATA, S_SIZE, S_LIMITER, S_TRAP = 0, 1, 2, 3, 4
"""Addresses: wasmtime_func_call_unchecked, wasmtime_memory_data, wasmtime_memory_data_size, wasmtime_store_limiter,
wasmtime_trap_new."""
S_BUDGET: Final = 8
"""Bytes and elements that the call may still copy out of memories."""
S_ARENA, S_ARENA_SIZE, S_TOP, S_PEAK = 9, 10, 11, 12
"""S_PEAK: how far the arena was used, since that was looked at last."""
S_END: Final = 13
"""End of the arena for who allocates: behind it lie elements of arrays that are being read."""
S_FRAMES: Final = 14
"""The adapter that failed last; each leads to the one it had called."""
S_CODE, S_A, S_B, S_C = 15, 16, 17, 18
"""What went wrong, with its numbers."""
S_PC: Final = 19
"""Instruction at work."""
S_LIMIT: Final = 20
"""Bytes that all memories and tables may have together; -1 for no limit."""
S_HOMES, S_HOME_COUNT, S_TABLE_BYTES = 21, 22, 23
S_RESULT: Final = 24
"""Place of the result of a call from outside: two words in the arena."""
S_OUT: Final = 25
"""Place of its text."""
S_READ_MAX: Final = 26
"""Arguments must end here, so that what a call lifts has room behind them."""
S_PREPARE: Final = 27
"""Function that is asked for call parameters: `(state, shape)`, 0 when they are there."""
S_PARAMETERS: Final = 28
"""For each shape of call parameters: address and size of their image, place of the root in it, and the program with the type."""
PARAMETERS_WORDS: Final = 4
SHAPES: Final = 3
S_LINK: Final = 40
"""Function that is asked, `(env)`, to link an imported function: it sets E_PROGRAM."""
S_DEPTH: Final = 41
"""Imported functions that are at work within each other."""
STATE: Final = 48

# ── home ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

H_LENGTH, H_NUMBER, H_CONTEXT, H_STORE, H_MEMORY, H_TABLE_ELEMENTS, H_SET_POINTER, H_CALLED = 0, 1, 2, 3, 4, 5, 6, 7
"""H_MEMORY: address of the handle, 0 for none. H_SET_POINTER: as an exported function. H_CALLED: place of the called functions, two
words for each: home and program."""
H_CORES: Final = 8
"""Addresses of the exported functions; the first one allocates."""

# ── program ──────────────────────────────────────────────────────────────────────────────────────────────────────────

P_LENGTH, P_NUMBER, P_ARGUMENTS, P_RESULTS, P_DEPTH, P_CODE, P_TYPES, P_NAMES, P_NAMES_SIZE, P_TEXT = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
)
"""P_DEPTH: values that lie on the stack at once. P_TYPES: place of the types of arguments, then results. P_NAMES: address of the names
of fields, each as `"name":`. P_TEXT: whether arguments and result can be JSON text."""
PROGRAM: Final = 10
WORDS: Final = 4
"""Of an instruction: its operation, two numbers, and its position in the adapter."""

(
    OP_END, OP_ARG, OP_ARG_I32, OP_ARG_F32, OP_CORE, OP_TARGET, OP_CAST, OP_LIFT_TEXT, OP_LIFT_BLOCK, OP_LOWER_TEXT, OP_SIZE, OP_DUP,
    OP_SWAP, OP_LIFT_ARRAY, OP_LOWER_ARRAY, OP_LIFT_RECORD, OP_LOWER_RECORD, OP_TRUTH, OP_PUSH,
) = range(19)  # fmt: skip

CORE_I32, CORE_F32, CORE_LONG = 0, 1, 2
"""How results of core functions become values, two bits for each."""
CORE_ARGUMENTS_MAX: Final = 255
"""Of a core function that is called natively; as many as fit a byte."""
CORE_RESULTS_MAX: Final = 16
"""Of such a function; what becomes of them must fit a word."""

# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────

T_KIND, T_WIDTH, T_TAG, T_CHECKED, T_CHILD, T_LOW, T_HIGH, T_COUNT, T_IMAGE, T_FLAT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
"""T_WIDTH: bytes as a field or element. T_CHECKED: of an array, bytes of an element as bounds are checked. T_LOW, T_HIGH: range of
an integer, as signed numbers. T_FLAT: of a record, whether it is copied as it is."""
TYPE: Final = 10
F_TYPE, F_PLACE, F_NAME, F_NAME_END, FIELD = 0, 1, 2, 3, 4
"""A field, behind the type of its record: its type, where it is in the image, and the range of its name."""
(
    K_INTEGER, K_UNSIGNED64, K_BOOL, K_F32, K_F64, K_TEXT, K_BYTES, K_LIST, K_ARRAY, K_RECORD,
) = range(10)  # fmt: skip
"""K_BYTES: a byte array. K_LIST: an array of u8, or a byte array that is an element of an array."""

# ── env ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

E_STATE, E_HOME, E_PROGRAM, E_FALLBACK, E_MASK, E_SHAPE, ENV = 0, 1, 2, 3, 4, 5, 8
"""E_PROGRAM: of an adapter; UNLINKED before somebody has looked for one; PYTHON where the function at E_FALLBACK is called instead, with
the same arguments. E_MASK: of the log. E_SHAPE: of call
parameters."""
UNLINKED, PYTHON, LINKED = 0, 1, 2
FRAMES_BYTES: Final = 1 << 16
"""End of the arena that is kept for frames of adapters that failed."""

# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

FRAME_BEFORE, FRAME_HOME, FRAME_PROGRAM, FRAME_PC, FRAME_CODE, FRAME_A, FRAME_B, FRAME_C, FRAME = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
)
"""A failed adapter: the one it had called, or 0; FRAME_PROGRAM is -1 for a function of the host."""

(
    FAULT_NONE, FAULT_CAST, FAULT_BOUNDS, FAULT_ACCESS, FAULT_WRITE, FAULT_UTF8, FAULT_BUDGET, FAULT_NO_MEMORY, FAULT_CALL, FAULT_ALLOCATE,
    FAULT_TARGET, FAULT_ARENA, FAULT_DEPTH,
) = range(13)  # fmt: skip

FAILED: Final = -1
DECLINED: Final = -2
"""The arguments are not in a form that is read natively; nothing has happened."""
NOTHING: Final = -3
"""The call is done and has no result."""
VALUE: Final = -4
"""The result is in the arena, not as text."""

ARENA_START: Final = 64
U32_MAX: Final = 0xFFFFFFFF
