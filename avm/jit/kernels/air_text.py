"""AIR text of the usual form to the skeleton of its program: operations, where their instructions begin, where they jump to.

Problem: a host meets many scripts once, and most of a script's instructions never run at this peer; reading all of their operands is
         most of the work.
Idea:    one pass over the bytes checks everything that makes a script valid, and leaves operands unread; `avm.ir.unread` reads those
         of an operation when it runs.
Input:   UTF-8. Output: number of operations; UNUSUAL where the text has an error or is not of the usual form of `avm.air.quick`;
         or which buffer is too short.

An editor of this file must preserve: what is taken here is taken by `avm.ir.quick` and gives the same program; all checks of
`avm.air.validate` are made. `tests/avm/jit/test_air_text.py` compares them. Names are looked up with a bounded number of probes,
so that no choice of names makes it slow.
"""

from __future__ import annotations

from typing import Final

from avm.air import tokens as t
from avm.air.legal import AP_VALUE, FAIL_VALUE, MAP_KEY, OUTPUT, PEER, SCALAR_ITERABLE, STRING, VALUE, VARIABLE
from avm.air.limits import FLOAT_BYTES_MAX
from avm.ir.opcodes import Op
from avm.jit.kernel_types import Bytes, Longs, Octets, Words, inline

EXPORTS: Final = ("read_air",)

UNUSUAL: Final = -1
OPERATIONS_FULL: Final = -2
NAMES_FULL: Final = -3
FRAMES_FULL: Final = -4

NO_LAST: Final = 0xFFFFFFFF
"""First operand of a fold without last instruction."""

LEFT_BARE: Final = 1 << 30
RIGHT_BARE: Final = 1 << 31
POSITION: Final = LEFT_BARE - 1
"""Second operand of `par`: its end, and whether a branch is nothing but `next`."""

# Registers: numbers that all functions share.
R_NAMES, R_OPERATIONS, R_DEPTH, R_PENDING, R_ON, R_WRONG, R_SEED, REGISTERS = 0, 1, 2, 3, 4, 5, 6, 8

# A name: where it stands first, how long it is, its hash, first definition, first fold over it, first use before any of those, the
# innermost fold over it that is open (its frame and 1), whether a `next` of it has been met, whether something follows one.
N_START, N_LENGTH, N_HASH, N_DEFINED, N_FOLD, N_USED, N_OPEN, N_FLAGS, NAME = 0, 1, 2, 3, 4, 5, 6, 7, 8
NEXT_MET: Final = 1
SUSPECT: Final = 2
NEVER: Final = 1 << 62
PROBES_MAX: Final = 64

# A frame: an open instruction.
F_KIND, F_START, F_PC, F_COUNT, F_MARK, F_NAME, F_FLAGS, F_STEPS, F_OPERAND, FRAME = 0, 1, 2, 3, 4, 5, 6, 7, 8, 10
BARE_LEFT: Final = 1
BARE_RIGHT: Final = 2
HAS_NEXT: Final = 4
K_SEQ, K_PAR, K_XOR, K_MATCH, K_FOLD, K_FOLD_STREAM, K_NEW = 0, 1, 2, 3, 4, 5, 6

OP_END, OP_NULL, OP_NEVER, OP_SEQ, OP_SEQ_THEN = int(Op.END), int(Op.NULL), int(Op.NEVER), int(Op.SEQ), int(Op.SEQ_THEN)
OP_PAR, OP_PAR_RIGHT, OP_PAR_END = int(Op.PAR), int(Op.PAR_RIGHT), int(Op.PAR_END)
OP_XOR, OP_XOR_LEFT_END, OP_XOR_END = int(Op.XOR), int(Op.XOR_LEFT_END), int(Op.XOR_END)
OP_CALL, OP_AP, OP_AP_STREAM, OP_AP_MAP = int(Op.CALL), int(Op.AP), int(Op.AP_STREAM), int(Op.AP_MAP)
OP_CANON, OP_CANON_MAP, OP_CANON_SCALAR = int(Op.CANON), int(Op.CANON_MAP), int(Op.CANON_SCALAR)
OP_MATCH, OP_MISMATCH, OP_FOLD, OP_FOLD_STREAM = int(Op.MATCH), int(Op.MISMATCH), int(Op.FOLD), int(Op.FOLD_STREAM)
OP_NEXT, OP_RETURN, OP_NEW, OP_NEW_STREAM = int(Op.NEXT), int(Op.RETURN), int(Op.NEW), int(Op.NEW_STREAM)
OP_NEW_END, OP_FAIL_LITERAL, OP_FAIL = int(Op.NEW_END), int(Op.FAIL_LITERAL), int(Op.FAIL)

STREAMS: Final = t.STREAM | t.STREAM_MAP
NAMED: Final = (
    t.SCALAR | t.SCALAR_LENS | t.CANON_STREAM | t.CANON_STREAM_LENS | t.CANON_STREAM_MAP | t.CANON_STREAM_MAP_LENS
)
"""Kinds of operands that read a variable."""

T_BOOLEAN, T_CANON_STREAM, T_CANON_STREAM_LENS = t.BOOLEAN, t.CANON_STREAM, t.CANON_STREAM_LENS
T_CANON_STREAM_MAP, T_CANON_STREAM_MAP_LENS = t.CANON_STREAM_MAP, t.CANON_STREAM_MAP_LENS
T_ERROR, T_ERROR_LENS, T_LAST_ERROR, T_LAST_ERROR_LENS = t.ERROR, t.ERROR_LENS, t.LAST_ERROR, t.LAST_ERROR_LENS
T_F64, T_I64, T_INIT_PEER_ID, T_LITERAL, T_OPEN_SQUARE = t.F64, t.I64, t.INIT_PEER_ID, t.LITERAL, t.OPEN_SQUARE
T_SCALAR, T_SCALAR_LENS, T_STREAM, T_STREAM_MAP = t.SCALAR, t.SCALAR_LENS, t.STREAM, t.STREAM_MAP
T_TTL, T_TIMESTAMP = t.TTL, t.TIMESTAMP

LARGEST: Final = b"9223372036854775807"
KEYWORDS: Final = b" ap call canon fail fold match mismatch never new next null par seq xor "
QUOTE, SEMICOLON, NEWLINE, DOT, MINUS, PLUS = ord('"'), ord(";"), ord("\n"), ord("."), ord("-"), ord("+")
OPEN, CLOSE, OPEN_SQUARE, CLOSE_SQUARE = ord("("), ord(")"), ord("["), ord("]")
DOLLAR, PERCENT, HASH, COLON, BANG, ZERO = ord("$"), ord("%"), ord("#"), ord(":"), ord("!"), ord("0")
BLANK, LETTER_T = ord(" "), ord("t")

# Classes of bytes.
C_BLANK, C_DIGIT, C_LETTER, C_MINUS, C_WORD, C_OPEN, C_CLOSE = 1, 2, 4, 8, 16, 32, 64
CLASSES: Final = bytes(
    (C_BLANK if chr(c) in " \t\n\v\f\r" else 0)
    | (C_DIGIT if 48 <= c <= 57 else 0)
    | (C_LETTER if c < 128 and (chr(c).isalpha() or chr(c) == "_") else 0)
    | (C_MINUS if chr(c) == "-" else 0)
    | (C_WORD if c < 128 and (chr(c).isalnum() or chr(c) in "_-+.$#%:!") else 0)
    | (C_OPEN if chr(c) == "[" else 0)
    | (C_CLOSE if chr(c) == "]" else 0)
    for c in range(256)
)
NAME_CHARACTER: Final = C_DIGIT | C_LETTER | C_MINUS


def read_air(
    text: Bytes,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """Read a whole script. The hash table `table` has a power of two; registers are zero but for the seed."""
    for k in range(len(table)):
        table[k] = 0
    registers[R_ON] = 1
    size = len(text)
    roots = 0
    i = 0
    while True:
        # blanks and comments between instructions
        while i < size:
            c = text[i]
            if CLASSES[c] & C_BLANK:
                i += 1
            elif c == SEMICOLON:
                while i < size and text[i] != NEWLINE:
                    i += 1
            else:
                break
        if i == size:
            break
        c = text[i]
        depth = registers[R_DEPTH]
        if c == CLOSE:
            if depth == 0:
                return UNUSUAL
            i += 1
            code = close(text, i, ops, starts, first, second, table, names, frames, pending, registers)
            if code < 0:
                return code
            continue
        if c != OPEN:
            return UNUSUAL
        if depth == 0:
            if roots:
                return UNUSUAL
            roots = 1
        else:
            frame = (depth - 1) * FRAME
            kind = frames[frame + F_KIND]
            most = 1 if kind == K_MATCH or kind == K_NEW else 2
            if frames[frame + F_COUNT] >= most:
                return UNUSUAL
        if (depth + 1) * FRAME > len(frames):
            return FRAMES_FULL
        if registers[R_OPERATIONS] + 4 > len(ops):
            return OPERATIONS_FULL
        i = instruction(text, i, ops, starts, first, second, table, names, frames, pending, registers)
        if i < 0:
            return i
    if registers[R_DEPTH] != 0 or roots == 0 or registers[R_WRONG]:
        return UNUSUAL
    for k in range(registers[R_NAMES]):
        name = k * NAME
        used = names[name + N_USED]
        if used >= 0 and names[name + N_DEFINED] >= used and names[name + N_FOLD] >= used:
            return UNUSUAL
    emit(OP_END, size, ops, starts, first, second, registers)
    return registers[R_OPERATIONS]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def blanks(text: Bytes, i: int) -> int:
    """Behind blanks."""
    while i < len(text) and CLASSES[text[i]] & C_BLANK:
        i += 1
    return i


def operand_end(text: Bytes, i: int) -> int:
    """Behind the word, literal or `[]` at `i`, or UNUSUAL."""
    size = len(text)
    if i >= size:
        return UNUSUAL
    c = text[i]
    if c == QUOTE:
        i += 1
        while i < size and text[i] != QUOTE:
            i += 1
        return i + 1 if i < size else UNUSUAL
    if c == OPEN_SQUARE:
        i = blanks(text, i + 1)
        return i + 1 if i < size and text[i] == CLOSE_SQUARE else UNUSUAL
    start = i
    inside = 0
    while i < size:
        kind = CLASSES[text[i]]
        if kind & C_OPEN:
            if inside:
                return UNUSUAL
            inside = 1
        elif kind & C_CLOSE:
            if inside == 0:
                break
            inside = 0
        elif not kind & C_WORD:
            break
        i += 1
    if i == start or inside or i == size:
        return UNUSUAL
    c = text[i]
    return i if CLASSES[c] & C_BLANK or c == CLOSE or c == CLOSE_SQUARE else UNUSUAL


def equal(text: Bytes, start: int, end: int, other: Bytes) -> bool:
    """Whether a part of the text is another text."""
    if end - start != len(other):
        return False
    for k in range(len(other)):
        if text[start + k] != other[k]:
            return False
    return True


def keyword(text: Bytes, start: int, end: int) -> bool:
    """Whether a word names an instruction, or is `true` or `false`, which are no names."""
    size = end - start
    if size < 2 or size > 8:
        return False
    if equal(text, start, end, b"true") or equal(text, start, end, b"false"):
        return True
    k = 0
    while k + size + 1 < len(KEYWORDS):
        if (
            KEYWORDS[k] == BLANK
            and KEYWORDS[k + size + 1] == BLANK
            and equal(text, start, end, KEYWORDS[k + 1 : k + 1 + size])
        ):
            return True
        k += 1
    return False


def name_end(text: Bytes, start: int, end: int) -> int:
    """Behind the tag and name of a variable whose word this is: at its lens, at its end, or UNUSUAL. A name has a letter."""
    i = start
    if i < end:
        c = text[i]
        if c == HASH:
            i += 1
            if i < end and (text[i] == DOLLAR or text[i] == PERCENT):
                i += 1
        elif c == DOLLAR or c == PERCENT:
            i += 1
    letters = 0
    while i < end and CLASSES[text[i]] & NAME_CHARACTER:
        letters |= CLASSES[text[i]] & C_LETTER
        i += 1
    if letters == 0 or (i < end and text[i] != DOT):
        return UNUSUAL
    return i


def lens(text: Bytes, start: int, end: int) -> bool:
    """Whether this is a lens."""
    if equal(text, start, end, b".length"):
        return True
    if end - start < 4 or text[start] != DOT or text[start + 1] != DOLLAR:
        return False
    i = start + 2
    while i < end:
        # an accessor: `.name`, `[…]` or `.[…]`
        if text[i] == DOT:
            i += 1
            if i == end:
                return False
            if text[i] != OPEN_SQUARE:
                if not CLASSES[text[i]] & (C_LETTER | C_MINUS):
                    return False
                while i < end and CLASSES[text[i]] & NAME_CHARACTER:
                    i += 1
                if i < end and text[i] == BANG:
                    return i + 1 == end
                continue
        if text[i] != OPEN_SQUARE:
            return False
        i += 1
        digits = i
        while i < end and CLASSES[text[i]] & C_DIGIT:
            i += 1
        if i == digits:
            while i < end and CLASSES[text[i]] & NAME_CHARACTER:
                i += 1
        elif i - digits > 9:
            return False
        if i == digits or i == end or text[i] != CLOSE_SQUARE:
            return False
        i += 1
        if i < end and text[i] == BANG:
            return i + 1 == end
    return True


def number(text: Bytes, start: int, end: int) -> int:
    """Kind of a number, 0 for anything else."""
    i = start
    if text[i] == MINUS or text[i] == PLUS:
        i += 1
    digits = i
    while i < end and CLASSES[text[i]] & C_DIGIT:
        i += 1
    if i == digits:
        return 0
    if i == end:
        if i - digits < 19:
            return T_I64
        if i - digits > 19:
            return 0
        for k in range(19):
            last = LARGEST[k] + (1 if k == 18 and text[start] == MINUS else 0)
            if text[digits + k] != last:
                return T_I64 if text[digits + k] < last else 0
        return T_I64
    if text[i] != DOT or end - start > FLOAT_BYTES_MAX:
        return 0
    i += 1
    while i < end and CLASSES[text[i]] & C_DIGIT:
        i += 1
    return T_F64 if i == end else 0


def kind_of(text: Bytes, start: int, end: int) -> int:
    """Kind of an operand, 0 for none."""
    c = text[start]
    if c == QUOTE:
        return T_LITERAL
    if c == OPEN_SQUARE:
        return T_OPEN_SQUARE
    if c == COLON:
        if end - start < 7 or not equal(text, start, start + 7, b":error:"):
            return 0
        if end - start == 7:
            return T_ERROR
        return T_ERROR_LENS if lens(text, start + 7, end) else 0
    at = name_end(text, start, end)
    if at < 0:
        if c != PERCENT:
            return number(text, start, end)
        if equal(text, start, end, b"%init_peer_id%"):
            return T_INIT_PEER_ID
        if equal(text, start, end, b"%timestamp%"):
            return T_TIMESTAMP
        if equal(text, start, end, b"%ttl%"):
            return T_TTL
        if end - start < 12 or not equal(text, start, start + 12, b"%last_error%"):
            return 0
        if end - start == 12:
            return T_LAST_ERROR
        return T_LAST_ERROR_LENS if lens(text, start + 12, end) else 0
    plain = at == end
    if not plain and not lens(text, at, end):
        return 0
    if c == HASH:
        if not plain and at - start < 3:
            return 0
        if text[start + 1] == PERCENT:
            return T_CANON_STREAM_MAP if plain else T_CANON_STREAM_MAP_LENS
        return T_CANON_STREAM if plain else T_CANON_STREAM_LENS
    if c == DOLLAR:
        return T_STREAM if plain else 0
    if c == PERCENT:
        return T_STREAM_MAP if plain else 0
    if plain:
        if keyword(text, start, end):
            # of the words it knows, only `true` begins with t
            return T_BOOLEAN if text[start] == LETTER_T or equal(text, start, end, b"false") else 0
        return T_SCALAR
    return T_SCALAR_LENS


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def intern(text: Bytes, start: int, end: int, table: Words, names: Longs, registers: Longs) -> int:
    """Offset of a name's entry, made if it is new; or negative."""
    h = registers[R_SEED]
    for i in range(start, end):
        h = ((h ^ text[i]) * 16777619) & 0xFFFFFFFF
    h = (h ^ (h >> 15)) & 0xFFFFFFFF
    mask = len(table) - 1
    at = h & mask
    for _ in range(PROBES_MAX):
        found = table[at]
        if found == 0:
            count = registers[R_NAMES]
            if count * 2 >= mask or (count + 1) * NAME > len(names):
                return NAMES_FULL
            table[at] = count + 1
            registers[R_NAMES] = count + 1
            name = count * NAME
            names[name + N_START] = start
            names[name + N_LENGTH] = end - start
            names[name + N_HASH] = h
            names[name + N_DEFINED] = NEVER
            names[name + N_FOLD] = NEVER
            names[name + N_USED] = -1
            names[name + N_OPEN] = 0
            names[name + N_FLAGS] = 0
            return name
        name = (found - 1) * NAME
        if names[name + N_HASH] == h and names[name + N_LENGTH] == end - start:
            other = names[name + N_START]
            if equal(text, start, end, text[other : other + end - start]):
                return name
        at = (at + 1) & mask
    return UNUSUAL


def define(text: Bytes, start: int, end: int, at: int, table: Words, names: Longs, registers: Longs) -> int:
    """The instruction at `at` writes a variable. Returns its name's offset or a negative code."""
    name = intern(text, start, end, table, names, registers)
    if name >= 0 and at < names[name + N_DEFINED]:
        names[name + N_DEFINED] = at
    return name


@inline
def use(text: Bytes, start: int, end: int, at: int, table: Words, names: Longs, registers: Longs) -> int:
    """The instruction at `at` reads a variable."""
    name = intern(text, start, end, table, names, registers)
    if name < 0:
        return name
    if names[name + N_USED] < 0 and names[name + N_DEFINED] >= at and names[name + N_FOLD] >= at:
        names[name + N_USED] = at
    return 0


@inline
def uses(text: Bytes, start: int, end: int, at: int, table: Words, names: Longs, registers: Longs) -> int:
    """The instruction at `at` reads the names of an operand."""
    kind = kind_of(text, start, end)
    if not kind & NAMED:
        return 0
    i = name_end(text, start, end)
    code = use(text, start, i, at, table, names, registers)
    while i < end and code >= 0:
        # variables in a lens
        if text[i] == OPEN_SQUARE:
            i += 1
            if not CLASSES[text[i]] & C_DIGIT:
                first = i
                while text[i] != CLOSE_SQUARE:
                    i += 1
                code = use(text, first, i, at, table, names, registers)
        i += 1
    return code


# ── operations ───────────────────────────────────────────────────────────────────────────────────────────────────────


def emit(op: int, start: int, ops: Octets, starts: Words, first: Words, second: Words, registers: Longs) -> int:
    """Append an operation of the instruction at `start`."""
    pc = registers[R_OPERATIONS]
    ops[pc] = op
    starts[pc] = start
    first[pc] = 0
    second[pc] = 0
    registers[R_OPERATIONS] = pc + 1
    return pc


def done(
    bare_next: bool,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    frames: Longs,
    registers: Longs,
) -> None:
    """An instruction ended: what stands between the parts of the one around it."""
    depth = registers[R_DEPTH]
    if depth == 0:
        return
    frame = (depth - 1) * FRAME
    kind = frames[frame + F_KIND]
    start = frames[frame + F_START]
    count = frames[frame + F_COUNT] + 1
    frames[frame + F_COUNT] = count
    if count > 1:
        if bare_next:
            frames[frame + F_FLAGS] |= BARE_RIGHT
        return
    if kind == K_SEQ:
        frames[frame + F_MARK] = emit(OP_SEQ_THEN, start, ops, starts, first, second, registers)
    elif kind == K_PAR:
        if bare_next:
            frames[frame + F_FLAGS] |= BARE_LEFT
        frames[frame + F_MARK] = emit(OP_PAR_RIGHT, start, ops, starts, first, second, registers)
    elif kind == K_XOR:
        frames[frame + F_MARK] = emit(OP_XOR_LEFT_END, start, ops, starts, first, second, registers)
        first[frames[frame + F_PC]] = registers[R_OPERATIONS]
    elif kind == K_FOLD or kind == K_FOLD_STREAM:
        emit(OP_RETURN, start, ops, starts, first, second, registers)
        frames[frame + F_MARK] = registers[R_OPERATIONS]


def close(
    text: Bytes,
    end: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """The final bracket of an instruction with inner ones."""
    if registers[R_OPERATIONS] + 4 > len(ops):
        return OPERATIONS_FULL
    depth = registers[R_DEPTH] - 1
    registers[R_DEPTH] = depth
    frame = depth * FRAME
    kind = frames[frame + F_KIND]
    start = frames[frame + F_START]
    pc = frames[frame + F_PC]
    count = frames[frame + F_COUNT]
    if count < (2 if kind <= K_XOR else 1):
        return UNUSUAL
    code = 0
    if kind == K_SEQ:
        first[frames[frame + F_MARK]] = registers[R_OPERATIONS]
        merge(pending, names, registers)
    elif kind == K_PAR:
        emit(OP_PAR_END, start, ops, starts, first, second, registers)
        flags = frames[frame + F_FLAGS]
        first[pc] = frames[frame + F_MARK]
        second[pc] = (
            registers[R_OPERATIONS]
            | (LEFT_BARE if flags & BARE_LEFT else 0)
            | (RIGHT_BARE if flags & BARE_RIGHT else 0)
        )
        merge(pending, names, registers)
    elif kind == K_XOR:
        emit(OP_XOR_END, start, ops, starts, first, second, registers)
        first[frames[frame + F_MARK]] = registers[R_OPERATIONS]
        either(pending, registers)
    elif kind == K_MATCH:
        first[pc] = registers[R_OPERATIONS]
        i = frames[frame + F_OPERAND]
        j = operand_end(text, i)
        code = uses(text, i, j, start, table, names, registers)
        if code < 0:
            return code
        i = blanks(text, j)
        code = uses(text, i, operand_end(text, i), start, table, names, registers)
        if registers[R_PENDING] == 0:
            registers[R_ON] = 0
    elif kind == K_NEW:
        emit(OP_NEW_END, start, ops, starts, first, second, registers)
        if ops[pc] == OP_NEW_STREAM:
            first[pc] = end
        i = frames[frame + F_OPERAND]
        code = define(text, i, operand_end(text, i), start, table, names, registers)
        if registers[R_PENDING] == 0:
            registers[R_ON] = 0
    else:
        code = close_fold(text, frame, ops, starts, first, second, table, names, frames, pending, registers)
    if code < 0:
        return code
    done(False, ops, starts, first, second, frames, registers)
    return 0


def close_fold(
    text: Bytes,
    frame: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """The final bracket of a fold."""
    start = frames[frame + F_START]
    pc = frames[frame + F_PC]
    has_last = frames[frame + F_COUNT] > 1
    if has_last:
        emit(OP_RETURN, start, ops, starts, first, second, registers)
    first[pc] = frames[frame + F_MARK] if has_last else NO_LAST
    end = registers[R_OPERATIONS]
    second[pc] = end
    # the last operation of a fold holds how many are its own; those of folds inside were taken off when they ended
    first[end - 1] = end - pc - frames[frame + F_STEPS]
    around = frame - FRAME
    while around >= 0:
        kind = frames[around + F_KIND]
        if kind == K_FOLD or kind == K_FOLD_STREAM:
            frames[around + F_STEPS] += end - pc
            break
        around = frames[around + F_STEPS]
    i = frames[frame + F_OPERAND]
    stream = frames[frame + F_KIND] == K_FOLD_STREAM
    name = frames[frame + F_NAME]
    if stream:
        code = use(text, i, operand_end(text, i), start, table, names, registers)
    else:
        code = uses(text, i, operand_end(text, i), start, table, names, registers)
    if code < 0:
        return code
    names[name + N_OPEN] = 0
    if start < names[name + N_FOLD]:
        names[name + N_FOLD] = start
    if registers[R_ON] == 0:
        return 0
    count = registers[R_PENDING]
    if not stream:
        count = max(0, count - (2 if has_last else 1))
        pending[count] = -1
        registers[R_PENDING] = count + 1
        return 0
    if has_last and count:
        count -= 1
    if count == 0:
        registers[R_PENDING] = 0
        registers[R_ON] = 0
        return 0
    if names[name + N_FLAGS] & SUSPECT:
        registers[R_WRONG] = 1
    if pending[count - 1] == name:
        names[name + N_FLAGS] &= ~SUSPECT
        pending[count - 1] = -1
    registers[R_PENDING] = count
    return 0


def push(entry: int, pending: Longs, registers: Longs) -> None:
    """A leaf ended; `next` gives its name."""
    if registers[R_ON]:
        count = registers[R_PENDING]
        pending[count] = entry
        registers[R_PENDING] = count + 1


@inline
def merge(pending: Longs, names: Longs, registers: Longs) -> None:
    """A `seq` or `par` ended."""
    count = registers[R_PENDING]
    if registers[R_ON] == 0 or count < 2:
        registers[R_ON] = 0
        return
    right = pending[count - 1]
    left = pending[count - 2]
    registers[R_PENDING] = count - 1
    if left < 0:
        pending[count - 2] = right
    elif left != right:
        names[left + N_FLAGS] |= SUSPECT
        pending[count - 2] = -1


def either(pending: Longs, registers: Longs) -> None:
    """An `xor` ended."""
    count = registers[R_PENDING]
    if registers[R_ON] == 0 or count < 2:
        registers[R_ON] = 0
        return
    right = pending[count - 1]
    left = pending[count - 2]
    registers[R_PENDING] = count - 1
    if left >= 0 and right >= 0:
        registers[R_ON] = 0
    elif left < 0:
        pending[count - 2] = right


# ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def enter(kind: int, start: int, pc: int, operand: int, name: int, frames: Longs, registers: Longs) -> None:
    """Open an instruction with inner ones. The steps of one that is no fold are the frame of the nearest fold around it."""
    depth = registers[R_DEPTH]
    registers[R_DEPTH] = depth + 1
    frame = depth * FRAME
    frames[frame + F_KIND] = kind
    frames[frame + F_START] = start
    frames[frame + F_PC] = pc
    frames[frame + F_COUNT] = 0
    frames[frame + F_MARK] = 0
    frames[frame + F_NAME] = name
    frames[frame + F_FLAGS] = 0
    frames[frame + F_OPERAND] = operand
    if kind == K_FOLD or kind == K_FOLD_STREAM:
        frames[frame + F_STEPS] = 0
    elif depth == 0:
        frames[frame + F_STEPS] = -1
    else:
        around = frame - FRAME
        kind_around = frames[around + F_KIND]
        if kind_around == K_FOLD or kind_around == K_FOLD_STREAM:
            frames[frame + F_STEPS] = around
        else:
            frames[frame + F_STEPS] = frames[around + F_STEPS]


def instruction(
    text: Bytes,
    start: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """The instruction at `start`, or its part before the first inner one. Returns the position behind, or a negative code."""
    size = len(text)
    word = start + 1
    i = word
    while i < size and CLASSES[text[i]] & C_LETTER:
        i += 1
    if i == size:
        return UNUSUAL
    at = blanks(text, i)
    if at == size:
        return UNUSUAL
    if i - word == 4 and equal(text, word, i, b"call"):
        if at == i:
            return UNUSUAL
        return call(text, start, at, ops, starts, first, second, table, names, frames, pending, registers)
    if i - word == 4 and (equal(text, word, i, b"null")):
        if text[at] != CLOSE:
            return UNUSUAL
        emit(OP_NULL, start, ops, starts, first, second, registers)
        push(-1, pending, registers)
        done(False, ops, starts, first, second, frames, registers)
        return at + 1
    if equal(text, word, i, b"never"):
        if text[at] != CLOSE:
            return UNUSUAL
        emit(OP_NEVER, start, ops, starts, first, second, registers)
        push(-1, pending, registers)
        done(False, ops, starts, first, second, frames, registers)
        return at + 1
    if at == i:
        return UNUSUAL
    if equal(text, word, i, b"seq"):
        enter(K_SEQ, start, emit(OP_SEQ, start, ops, starts, first, second, registers), 0, 0, frames, registers)
        return i
    if equal(text, word, i, b"par"):
        enter(K_PAR, start, emit(OP_PAR, start, ops, starts, first, second, registers), 0, 0, frames, registers)
        return i
    if equal(text, word, i, b"xor"):
        enter(K_XOR, start, emit(OP_XOR, start, ops, starts, first, second, registers), 0, 0, frames, registers)
        return i
    if equal(text, word, i, b"ap"):
        return ap(text, start, at, ops, starts, first, second, table, names, frames, pending, registers)
    end = operand_end(text, at)
    if end < 0:
        return UNUSUAL
    kind = kind_of(text, at, end)
    if equal(text, word, i, b"next"):
        i = blanks(text, end)
        if kind != T_SCALAR or i == size or text[i] != CLOSE:
            return UNUSUAL
        name = intern(text, at, end, table, names, registers)
        if name < 0:
            return name
        fold = names[name + N_OPEN]
        if fold == 0:
            # only the first one of a name must be inside of a fold over it
            if not names[name + N_FLAGS] & NEXT_MET:
                return UNUSUAL
        else:
            if frames[fold - 1 + F_FLAGS] & HAS_NEXT:
                return UNUSUAL
            frames[fold - 1 + F_FLAGS] |= HAS_NEXT
        names[name + N_FLAGS] |= NEXT_MET
        emit(OP_NEXT, start, ops, starts, first, second, registers)
        push(name, pending, registers)
        done(True, ops, starts, first, second, frames, registers)
        return i + 1
    if equal(text, word, i, b"new"):
        if not kind & VARIABLE:
            return UNUSUAL
        name = intern(text, at, end, table, names, registers)
        if name < 0:
            return name
        if names[name + N_OPEN]:
            return UNUSUAL
        op = OP_NEW_STREAM if kind & STREAMS else OP_NEW
        enter(K_NEW, start, emit(op, start, ops, starts, first, second, registers), at, 0, frames, registers)
        return end
    second_at = blanks(text, end)
    if equal(text, word, i, b"fail"):
        return fail(text, start, at, end, kind, ops, starts, first, second, frames, pending, registers)
    second_end = operand_end(text, second_at)
    if second_end < 0:
        return UNUSUAL
    second_kind = kind_of(text, second_at, second_end)
    if equal(text, word, i, b"match") or equal(text, word, i, b"mismatch"):
        if not kind & VALUE or not second_kind & VALUE:
            return UNUSUAL
        op = OP_MATCH if i - word == 5 else OP_MISMATCH
        enter(K_MATCH, start, emit(op, start, ops, starts, first, second, registers), at, 0, frames, registers)
        return second_end
    if equal(text, word, i, b"fold"):
        if not kind & (SCALAR_ITERABLE | STREAMS) or second_kind != T_SCALAR:
            return UNUSUAL
        name = intern(text, second_at, second_end, table, names, registers)
        if name < 0:
            return name
        if names[name + N_OPEN]:
            return UNUSUAL
        names[name + N_OPEN] = registers[R_DEPTH] * FRAME + 1
        if kind & STREAMS:
            pc = emit(OP_FOLD_STREAM, start, ops, starts, first, second, registers)
            enter(K_FOLD_STREAM, start, pc, at, name, frames, registers)
        else:
            pc = emit(OP_FOLD, start, ops, starts, first, second, registers)
            enter(K_FOLD, start, pc, at, name, frames, registers)
        return second_end
    if equal(text, word, i, b"canon"):
        third_at = blanks(text, second_end)
        third_end = operand_end(text, third_at)
        if third_end < 0:
            return UNUSUAL
        i = blanks(text, third_end)
        if i == size or text[i] != CLOSE or not kind & PEER or not second_kind & STREAMS:
            return UNUSUAL
        third_kind = kind_of(text, third_at, third_end)
        op = OP_CANON
        if second_kind == T_STREAM:
            if third_kind != T_CANON_STREAM:
                return UNUSUAL
        elif third_kind == T_CANON_STREAM_MAP:
            op = OP_CANON_MAP
        elif third_kind == T_SCALAR:
            op = OP_CANON_SCALAR
        else:
            return UNUSUAL
        emit(op, start, ops, starts, first, second, registers)
        code = define(text, third_at, third_end, start, table, names, registers)
        if code < 0:
            return code
        push(-1, pending, registers)
        done(False, ops, starts, first, second, frames, registers)
        return i + 1
    return UNUSUAL


def fail(
    text: Bytes,
    start: int,
    at: int,
    end: int,
    kind: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """`fail`: a code other than 0 and a message, or an error object."""
    size = len(text)
    i = blanks(text, end)
    if i == size or not kind & FAIL_VALUE:
        return UNUSUAL
    if kind == T_I64:
        zero = True
        for k in range(at, end):
            if CLASSES[text[k]] & C_DIGIT and text[k] != ZERO:
                zero = False
        if zero or text[i] != QUOTE:
            return UNUSUAL
        i = operand_end(text, i)
        if i < 0:
            return UNUSUAL
        i = blanks(text, i)
        if i == size:
            return UNUSUAL
    if text[i] != CLOSE:
        return UNUSUAL
    emit(OP_FAIL_LITERAL if kind == T_I64 else OP_FAIL, start, ops, starts, first, second, registers)
    push(-1, pending, registers)
    done(False, ops, starts, first, second, frames, registers)
    return i + 1


def ap(
    text: Bytes,
    start: int,
    at: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """`ap`, both forms; of a pair only the key is looked at, as the validator does."""
    size = len(text)
    pair = text[at] == OPEN
    if pair:
        at = blanks(text, at + 1)
    end = operand_end(text, at)
    if end < 0:
        return UNUSUAL
    i = blanks(text, end)
    legal = AP_VALUE
    if pair:
        legal = MAP_KEY
        value_end = operand_end(text, i)
        if value_end < 0 or not kind_of(text, i, value_end) & AP_VALUE:
            return UNUSUAL
        i = blanks(text, value_end)
        if i == size or text[i] != CLOSE:
            return UNUSUAL
        i = blanks(text, i + 1)
    if not kind_of(text, at, end) & legal:
        return UNUSUAL
    result_end = operand_end(text, i)
    if result_end < 0:
        return UNUSUAL
    kind = kind_of(text, i, result_end)
    after = blanks(text, result_end)
    if after == size or text[after] != CLOSE:
        return UNUSUAL
    if pair:
        if kind != T_STREAM_MAP:
            return UNUSUAL
        emit(OP_AP_MAP, start, ops, starts, first, second, registers)
    else:
        if not kind & OUTPUT:
            return UNUSUAL
        emit(OP_AP if kind == T_SCALAR else OP_AP_STREAM, start, ops, starts, first, second, registers)
    code = uses(text, at, end, start, table, names, registers)
    if code < 0:
        return code
    code = define(text, i, result_end, start, table, names, registers)
    if code < 0:
        return code
    push(-1, pending, registers)
    done(False, ops, starts, first, second, frames, registers)
    return after + 1


def call(
    text: Bytes,
    start: int,
    at: int,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    table: Words,
    names: Longs,
    frames: Longs,
    pending: Longs,
    registers: Longs,
) -> int:
    """`call`."""
    size = len(text)
    i = at
    for part in range(3):
        if part == 1:
            if i == size or text[i] != OPEN:
                return UNUSUAL
            i = blanks(text, i + 1)
        end = operand_end(text, i)
        if end < 0:
            return UNUSUAL
        kind = kind_of(text, i, end)
        if not kind & (PEER if part == 0 else STRING):
            return UNUSUAL
        if kind & NAMED:
            code = uses(text, i, end, start, table, names, registers)
            if code < 0:
                return code
        i = blanks(text, end)
    if i == size or text[i] != CLOSE:
        return UNUSUAL
    i = blanks(text, i + 1)
    if i == size or text[i] != OPEN_SQUARE:
        return UNUSUAL
    i = blanks(text, i + 1)
    while i < size and text[i] != CLOSE_SQUARE:
        end = operand_end(text, i)
        if end < 0:
            return UNUSUAL
        kind = kind_of(text, i, end)
        if not kind & VALUE:
            return UNUSUAL
        if kind & NAMED:
            code = uses(text, i, end, start, table, names, registers)
            if code < 0:
                return code
        i = blanks(text, end)
    if i == size:
        return UNUSUAL
    i = blanks(text, i + 1)
    if i == size:
        return UNUSUAL
    emit(OP_CALL, start, ops, starts, first, second, registers)
    if text[i] != CLOSE:
        end = operand_end(text, i)
        if end < 0 or not kind_of(text, i, end) & OUTPUT:
            return UNUSUAL
        code = define(text, i, end, start, table, names, registers)
        if code < 0:
            return code
        i = blanks(text, end)
        if i == size or text[i] != CLOSE:
            return UNUSUAL
    push(-1, pending, registers)
    done(False, ops, starts, first, second, frames, registers)
    return i + 1
