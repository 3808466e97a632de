"""Nodes and numbers that the kernels of a run share: what a field of which node is. See `heap` for nodes."""

from __future__ import annotations

from typing import Final

from avm.air import tokens as t
from avm.ir.opcodes import Op
from avm.trace import states

EXPORTS: Final[tuple[str, ...]] = ()

WHY_OPERATION, WHY_ERROR, WHY_TRACE, WHY_OPERAND, WHY_STORE = 30, 31, 32, 33, 34
WHY_LIMIT, WHY_UNCAUGHT, WHY_UNUSED, WHY_JSON, WHY_STREAM = 35, 36, 37, 38, 39
WHY_RESULTS: Final = 40

PAR, SENT_BY, REQUESTED, SCALAR = states.PAR, states.SENT_BY, states.REQUESTED, states.SCALAR
STREAM, UNUSED, FAILED, FOLD = states.STREAM, states.UNUSED, states.FAILED, states.FOLD
AP, CANON_SENT_BY, CANON_STATE = states.AP, states.CANON_SENT_BY, states.CANON
SIZE_MAX: Final = states.SIZE_MAX

# errors, as the negative numbers that functions return
UNDEFINED: Final = -10003
CLEARED: Final = -10009
NOT_EQUAL: Final = -10001
ARE_EQUAL: Final = -10002
NOT_ARRAY: Final = -10005
LENS: Final = -10007
LENGTH: Final = -10010
NOT_STRING: Final = -10011
KEY_TYPE: Final = -10012

OP_END, OP_NULL, OP_NEVER, OP_SEQ, OP_SEQ_THEN = int(Op.END), int(Op.NULL), int(Op.NEVER), int(Op.SEQ), int(Op.SEQ_THEN)
OP_PAR, OP_PAR_RIGHT, OP_PAR_END = int(Op.PAR), int(Op.PAR_RIGHT), int(Op.PAR_END)
OP_XOR, OP_XOR_LEFT_END, OP_XOR_END = int(Op.XOR), int(Op.XOR_LEFT_END), int(Op.XOR_END)
OP_CALL, OP_AP, OP_AP_STREAM, OP_AP_MAP = int(Op.CALL), int(Op.AP), int(Op.AP_STREAM), int(Op.AP_MAP)
OP_CANON, OP_CANON_MAP, OP_CANON_SCALAR = int(Op.CANON), int(Op.CANON_MAP), int(Op.CANON_SCALAR)
OP_MATCH, OP_MISMATCH, OP_FOLD, OP_FOLD_STREAM = int(Op.MATCH), int(Op.MISMATCH), int(Op.FOLD), int(Op.FOLD_STREAM)
OP_NEXT, OP_RETURN, OP_NEW, OP_NEW_STREAM = int(Op.NEXT), int(Op.RETURN), int(Op.NEW), int(Op.NEW_STREAM)
OP_NEW_END: Final = int(Op.NEW_END)

T_SCALAR, T_SCALAR_LENS, T_LITERAL, T_OPEN_SQUARE = t.SCALAR, t.SCALAR_LENS, t.LITERAL, t.OPEN_SQUARE
T_CANON_STREAM, T_CANON_STREAM_LENS, T_STREAM, T_STREAM_MAP = (
    t.CANON_STREAM,
    t.CANON_STREAM_LENS,
    t.STREAM,
    t.STREAM_MAP,
)
T_CANON_STREAM_MAP, T_CANON_STREAM_MAP_LENS = t.CANON_STREAM_MAP, t.CANON_STREAM_MAP_LENS
T_BOOLEAN, T_I64, T_F64, T_INIT_PEER_ID, T_TIMESTAMP, T_TTL = (
    t.BOOLEAN,
    t.I64,
    t.F64,
    t.INIT_PEER_ID,
    t.TIMESTAMP,
    t.TTL,
)
T_LAST_ERROR, T_LAST_ERROR_LENS, T_ERROR, T_ERROR_LENS = t.LAST_ERROR, t.LAST_ERROR_LENS, t.ERROR, t.ERROR_LENS
STREAMS: Final = t.STREAM | t.STREAM_MAP
NUMBERS: Final = t.I64 | t.F64 | t.BOOLEAN

OPEN, CLOSE, OPEN_SQUARE, CLOSE_SQUARE, DOT, QUOTE, BANG = (
    ord("("),
    ord(")"),
    ord("["),
    ord("]"),
    ord("."),
    ord('"'),
    ord("!"),
)
MINUS, ZERO, NINE, LETTER_L = ord("-"), ord("0"), ord("9"), ord("l")

# A compiled operand: kind of its token; text of a literal, or name; its value if that never changes; its lens: accessors (two words
# each), how many, text.
O_KIND, O_TEXT, O_JSON, O_FIRST, O_COUNT, O_LENS, OPERAND = 0, 1, 2, 3, 4, 5, 6
A_FIELD, A_INDEX, A_SCALAR = 0, 1, 2

# A compiled call: its operands; output; tetraplet and hash of the arguments if they never change.
C_PEER, C_SERVICE, C_FUNCTION, C_ARGUMENTS, C_COUNT, C_OUTPUT, C_NAME, C_POSITION = 0, 1, 2, 3, 4, 5, 6, 7
C_TETRAPLET, C_HASH, C_CONSTANT, CALL = 8, 9, 10, 11
NONE, TO_SCALAR, TO_STREAM = 0, 1, 2

LATER_MAX: Final = 4096
"""Arguments up to this size are kept until their hash is checked together with others, which is much faster."""

# What a variable holds. `new` leaves HIDDEN.
HIDDEN: Final = 1
N_TAG, N_VALUE, N_TETRAPLET, N_POS, N_KIND, N_CID, RECORD = 0, 1, 2, 3, 4, 5, 6
"""A record; a canon has its records in a vector behind the same fields, N_VALUE being the array of all values once it is known."""
N_RECORDS, N_COUNT = 6, 7
N_KEYS, N_GROUPS, CANON_MAP_NODE = 8, 9, 12
"""A canon map knows its groups by key, and in the order in which they came: key (its JSON text), its values."""
B_KEY, B_VALUES, GROUP = 0, 1, 4
TAG_RECORD, TAG_CANON, TAG_MAP = 1, 2, 3

# Cells of variables: depth, content, the cell below. Cells of streams: span, stream, the cell below.
X_DEPTH, X_CONTENT, X_BELOW, CELL = 0, 1, 2, 3
Y_LEFT, Y_RIGHT, Y_STREAM, Y_BELOW, SCOPE = 0, 1, 2, 3, 4
EVERYWHERE: Final = 1 << 62

# A stream: three parts of a list of generations (sorted) and a size each, and how many values there are.
M_COUNT, M_PARTS, STREAM_NODE = 0, 1, 7
G_NUMBER, G_RECORDS, G_NEXT, GENERATION = 0, 1, 4, 5
STREAM_SIZE_MAX: Final = 1024
GENERATIONS_MAX: Final = (2**31 - 1) // 12
PART_PREVIOUS, PART_CURRENT, PART_NEW = 0, 1, 2

# A running loop: records (place and number) or the elements of an array (their ends); where it is; the fold it belongs to.
I_RECORDS, I_COUNT, I_INDEX, I_BODY, I_LAST, I_AUTOMATON, I_STEPS, I_BACK = 0, 1, 2, 3, 4, 5, 6, 7
I_ELEMENTS, I_TETRAPLET, I_POS, I_KIND, I_CID, I_ITEM, I_AT, ITERATOR = 8, 9, 10, 11, 12, 13, 14, 15

# A running fold over a stream, see `avm.trace.fold`: windows by position (previous, current), final windows, slot, lore, queue.
F_PREV_LORE, F_CURRENT_LORE, F_PREV_POS, F_PREV_LEN, F_CURRENT_POS, F_CURRENT_LEN = 0, 1, 2, 3, 4, 5
F_SLOT, F_BACK, F_BACKWARD, F_LORE, F_QUEUE, AUTOMATON = 6, 7, 8, 9, 12, 15
Q_VALUE, Q_BEFORE, Q_BEFORE_END, Q_AFTER, Q_AFTER_END, Q_PREV, Q_CURRENT, Q_PHASE, ITERATION = 0, 1, 2, 3, 4, 5, 6, 7, 8
W_BEFORE, W_BEFORE_LEN, W_AFTER, W_AFTER_LEN, WINDOW = 0, 1, 2, 3, 4

# The rounds of such a fold.
L_PC, L_AUTOMATON, L_STREAM, L_CURSOR, L_SLICES, L_NEXT, L_COMPLETE, LOOP = 0, 1, 2, 3, 6, 9, 10, 11

# Frames, as in `avm.exec.frames`.
K_PAR_LEFT, K_PAR_RIGHT, K_XOR_LEFT, K_XOR_RIGHT, K_NEW, K_NEW_STREAM = 0, 1, 2, 3, 4, 5
K_FOLD, K_GENERATION, K_NEXT, K_LAST = 6, 7, 8, 9
FRAME: Final = 16
Z_KIND, Z_A, Z_B, Z_C, Z_D = 0, 1, 2, 3, 4
Z_MARK: Final = 5
"""Of a par: slot, and four words of each slider."""
