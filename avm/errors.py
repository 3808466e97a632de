"""The VM's table of execution errors: number → kind → message template → catchable. Numbers are written out, never counted.

Preparation errors (1–10) and the farewell's 30000 belong to `avm.prepare` and `avm.farewell`; this file holds what a running
script can raise. Numbers and texts reach the wire: they are part of error objects, which scripts pass on as call arguments.
Source: aquavm:air/src/execution_step/errors/, aquavm:air/src/execution_step/lambda_applier/errors.rs,
aquavm:crates/air-lib/trace-handler/src/ (merger, data_keeper, state_automata: errors.rs)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from avm.data.interpreter_data import Tetraplet

UNCATCHABLE_MIN: Final = 20000
"""Codes below are catchable, codes from here on end the run with the previous data."""

UNDEFINED_VARIABLE_CODE: Final = 10003
"""The only code that makes an instruction wait instead of failing."""


class VmError(Exception):
    """One execution error. Catchable ones are caught by `xor`, `par` and stream folds; the others end the run.

    tetraplet: that of the call which failed, once its triplet was resolved; part of the error object's origin.
    """

    def __init__(self, code: int, message: str, *, catchable: bool) -> None:
        """Keep code and message; equal errors of different instructions are different objects."""
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.catchable = catchable
        self.tetraplet: Tetraplet | None = None


class TraceError(Exception):
    """A trace that does not fit the script. The machine turns it into error 20000 with the instruction's text."""


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table. A number has several rows when the reference words one kind differently.

    traps: the reference has no answer at all here, it panics. The error ends the run whatever its number says, so that
    no script can depend on it.
    """

    number: int
    kind: str
    template: str
    traps: bool = False

    @property
    def catchable(self) -> bool:
        """Whether errors of this kind can be handled by the script."""
        return self.number < UNCATCHABLE_MIN and not self.traps

    def error(self, **fields: object) -> VmError:
        """The error with the template's fields filled in."""
        return VmError(self.number, self.template.format(**fields), catchable=self.catchable)

    def trace_error(self, **fields: object) -> TraceError:
        """The part of a trace error's message that the trace handler knows; for rows of number 20000."""
        return TraceError(self.template.format(**fields))


# ── catchable ────────────────────────────────────────────────────────────────────────────────────────────────────────

LOCAL_SERVICE_ERROR: Final = ErrorKind(
    10000, "LocalServiceError", "Local service error, ret_code is {ret_code}, error message is '{message}'"
)
MATCH_VALUES_NOT_EQUAL: Final = ErrorKind(10001, "MatchValuesNotEqual", "compared values do not match")
MISMATCH_VALUES_EQUAL: Final = ErrorKind(10002, "MismatchValuesEqual", "compared values do not mismatch")
VARIABLE_NOT_FOUND: Final = ErrorKind(
    UNDEFINED_VARIABLE_CODE, "VariableNotFound", "variable with name '{name}' wasn't defined during script execution"
)
FOLD_OVER_NON_ARRAY: Final = ErrorKind(
    10005, "FoldIteratesOverNonArray", "expression '{expression}' returned non-array value '{value}' for fold iterable"
)
USER_ERROR: Final = ErrorKind(10006, "UserError", "fail with '{error}' is used without corresponding xor")

_LENS = "LambdaApplierError"
LENS_NOT_ARRAY: Final = ErrorKind(
    10007, _LENS, "value '{value}' is not an array-type to match array accessor with idx = '{idx}'"
)
LENS_NO_INDEX: Final = ErrorKind(10007, _LENS, "value '{value}' does not contain element for idx = '{idx}'")
LENS_NOT_OBJECT: Final = ErrorKind(
    10007, _LENS, "value '{value}' is not an map-type to match field accessor with field_name = '{field}'"
)
LENS_NO_FIELD: Final = ErrorKind(10007, _LENS, "value '{value}' does not contain element with field name = '{field}'")
LENS_INDEX_NOT_U32: Final = ErrorKind(10007, _LENS, "index accessor `{value} can't be converted to u32`")
LENS_SCALAR_TYPE: Final = ErrorKind(10007, _LENS, "scalar accessor `{value}` should has number or string type")
LENS_STREAM_SHORT: Final = ErrorKind(
    10007, _LENS, "lambda is applied to a stream that have only '{size}' elements, but '{idx}' requested"
)
LENS_STREAM_FIELD: Final = ErrorKind(
    10007, _LENS, "field accessor (with field name = '{field}') can't be applied to a stream"
)
LENS_STREAM_TYPE: Final = ErrorKind(10007, _LENS, "stream accessor `{value}` should has number (u32) type")
LENS_MAP_TYPE: Final = ErrorKind(10007, _LENS, "canon stream map accessor `{value}` should be either string or number")
LENS_MAP_ITERATOR: Final = ErrorKind(10007, _LENS, "canon stream map accessor must not be iterable")

_ERROR_OBJECT = "InvalidErrorObjectError"
ERROR_NOT_OBJECT: Final = ErrorKind(
    10008,
    _ERROR_OBJECT,
    "scalar should have an object type to be converted into error object, but '{value}' doesn't have",
)
ERROR_FIELD_MISSING: Final = ErrorKind(10008, _ERROR_OBJECT, "scalar '{value}' must have field with name '{field}'")
ERROR_FIELD_TYPE: Final = ErrorKind(10008, _ERROR_OBJECT, "{field} of scalar '{value}' must have {expected} type")
ERROR_CODE_BEYOND_I64: Final = ErrorKind(
    10008, _ERROR_OBJECT, "error_code of scalar '{value}' must have integer type", traps=True
)
ERROR_CODE_ZERO: Final = ErrorKind(10008, _ERROR_OBJECT, "error code must be non-zero, but it is zero")

VARIABLE_CLEARED: Final = ErrorKind(
    10009, "VariableWasNotInitializedAfterNew", "variable with name '{name}' was cleared by new and then wasn't set"
)
LENGTH_OF_NON_ARRAY: Final = ErrorKind(
    10010,
    "LengthFunctorAppliedToNotArray",
    "the length functor could applied only to an array-like value, but it's applied to '{value}'",
)
TRIPLET_NOT_STRING: Final = ErrorKind(
    10011,
    "NonStringValueInTripletResolution",
    "call cannot resolve non-String triplet variable part `{name}` with value '{value}'",
)
MAP_KEY_TYPE: Final = ErrorKind(10012, "StreamMapError", "unsupported type for {name} map's key")

# ── uncatchable ──────────────────────────────────────────────────────────────────────────────────────────────────────

TRACE_ERROR: Final = ErrorKind(
    20000, "TraceError", "on instruction '{instruction}' trace handler encountered an error: {error}"
)
COMPACTION_NO_POSITION: Final = ErrorKind(
    20001, "GenerationCompactificationError", "trying to change generation of an invalid trace position {position}"
)
COMPACTION_NO_GENERATION: Final = ErrorKind(
    20001,
    "GenerationCompactificationError",
    "trying to change generation of a state {state} on {position} position, the state doesn't contain generation",
)
FOLD_STATE_NOT_FOUND: Final = ErrorKind(20003, "FoldStateNotFound", "fold state not found for this iterable '{name}'")
REQUEST_IDS_EXHAUSTED: Final = ErrorKind(
    20002,
    "IntConversion",
    "trying to cast integer types, there is an error out of range: request id {id}",
    traps=True,
)
ITERATOR_SHADOWED: Final = ErrorKind(
    20004,
    "IterableShadowing",
    "variable with name '{name}' can't be shadowed, shadowing isn't supported for iterables",
)
ITERATOR_AND_SCALAR: Final = ErrorKind(
    20004,
    "IterableShadowing",
    "variable with name '{name}' can't be shadowed, shadowing isn't supported for iterables",
    traps=True,
)
ITERATOR_ACTIVE: Final = ErrorKind(
    20005, "MultipleIterableValues", "multiple iterable values found for iterable name '{name}'"
)
RESULT_KIND: Final = ErrorKind(
    20006, "CallResultNotCorrespondToInstr", "call result value {value} doesn't match with corresponding instruction"
)
SHADOWING: Final = ErrorKind(
    20007,
    "ShadowingIsNotAllowed",
    "trying to shadow variable '{name}', but shadowing is allowed only inside fold blocks",
)
SCALARS_CORRUPTED: Final = ErrorKind(
    20008,
    "ScalarsStateCorrupted",
    "new end block tries to pop up a variable '{name}' that wasn't defined at depth {depth}",
)
STREAM_REPLACED: Final = ErrorKind(
    20008,
    "ScalarsStateCorrupted",
    "new end block tries to drop stream '{name}', but a write outside of the block has replaced it",
    traps=True,
)
TEXT_EXHAUSTED: Final = ErrorKind(
    20009,
    "CidError",
    "failed to calculate value's CID: the values of this run take more than {limit} characters",
    traps=True,
)
CID_NOT_FOUND: Final = ErrorKind(20010, "ValueForCidNotFound", "{store} for CID {cid} not found")
VALUE_NOT_JSON: Final = ErrorKind(
    20010, "ValueForCidNotFound", 'value for CID "{cid}" is not JSON: {error}', traps=True
)
GENERATION_IMPOSSIBLE: Final = ErrorKind(
    20011,
    "StreamDontHaveSuchGeneration",
    "stream doesn't have generation with number {generation}, supplied to the interpreter data is corrupted",
    traps=True,
)
MALFORMED_FAILURE: Final = ErrorKind(
    20012, "MalformedCallServiceFailed", "failed to deserialize to CallServiceFailed: {error}"
)
STREAM_SIZE: Final = ErrorKind(20013, "StreamSizeLimitExceeded", "stream size goes over the allowed limit of {limit}")
MAP_PAIR_KEY: Final = ErrorKind(20014, "StreamMapKeyError", "unsupported kvpair object or map key type")
MAP_PAIR_VALUE: Final = ErrorKind(20014, "StreamMapKeyError", 'there must be a "value" field in kvpair object')
CANON_MAP_EMPTY: Final = ErrorKind(20016, "CanonStreamMapError", "can not find JValue to produce scalar from")
PARAMETERS_MISMATCH: Final = ErrorKind(
    20017,
    "InstructionParametersMismatch",
    "{parameter} doesn't match expected parameters: expected {expected}, got {got} ",
)
UNRESOLVED_ARGUMENTS: Final = ErrorKind(
    20017,
    "InstructionParametersMismatch",
    "call argument_hash doesn't match expected parameters: the state has arguments that are unresolved here ",
    traps=True,
)
STEPS_EXHAUSTED: Final = ErrorKind(
    20021, "StepsExhausted", "the folds of this run take more than {limit} steps", traps=True
)

# ── details of 20000 ─────────────────────────────────────────────────────────────────────────────────────────────────

_TRACE = "TraceError"
MERGE_INCOMPATIBLE: Final = ErrorKind(
    20000, _TRACE, "previous and current data have incompatible states: '{previous}' '{current}'"
)
MERGE_UNEXPECTED: Final = ErrorKind(
    20000, _TRACE, "state from {side} `{state}` is incompatible with expected {expected}"
)
MERGE_VALUES: Final = ErrorKind(20000, _TRACE, "values in call results are not equal: {previous} != {current}")
MERGE_CALLS: Final = ErrorKind(
    20000, _TRACE, "previous and current call results are incompatible: '{previous}' '{current}'"
)
MERGE_AP: Final = ErrorKind(20000, _TRACE, "{state} ap result contains inappropriate generation count in destination")
MERGE_CANON: Final = ErrorKind(
    20000, _TRACE, "canon results {previous} {current} points to incompatible execution states"
)
SLIDER_LEN: Final = ErrorKind(
    20000,
    _TRACE,
    "executed trace has {total} elements and current position is {position}, but tried to set {length} subtrace_len",
)
SLIDER_POSITION: Final = ErrorKind(
    20000, _TRACE, "executed trace has {total} elements, but tried to set {length} subtrace_len and {position} position"
)
SLIDER_NO_STATE: Final = ErrorKind(
    20000, _TRACE, "requested an element at position '{position}', but executed trace contains only '{total}' elements"
)
SLIDER_NO_GENERATION: Final = ErrorKind(
    20000, _TRACE, "expected a state of CallResult(Value::Stream) or Ap types but '{state}' obtained"
)
PAR_UNDERFLOW: Final = ErrorKind(
    20000,
    _TRACE,
    "underflow is occurred while calculating the new position of a current slider for resolved par {par} "
    "and current subtrace len {length}'",
)
PAR_SIZE_OVERFLOW: Final = ErrorKind(
    20000,
    _TRACE,
    "overflow is occurred while calculating the entire len occupied by executed states corresponded to current par: "
    "'{par}'",
)
PAR_POSITION_OVERFLOW: Final = ErrorKind(
    20000,
    _TRACE,
    "overflow is occurred while calculating the new position of a previous slider for resolved par {par} "
    "and current position {position}'",
)
FOLD_DESCRIPTORS: Final = ErrorKind(20000, _TRACE, "fold contains {count} sublore descriptors, but 2 is expected")
FOLD_REPEATED: Final = ErrorKind(20000, _TRACE, "{fold} contains several subtraces with the same value_pos {position}")
FOLD_SIZE_OVERFLOW: Final = ErrorKind(
    20000, _TRACE, "the first {count} subtrace descriptors lens of fold {fold} overflows"
)
FOLD_POSITION_OVERFLOW: Final = ErrorKind(
    20000,
    _TRACE,
    "overflow is occurred while calculating the new position of a {side} slider for resolved fold {fold} "
    "and current position {position}'",
)
FOLD_UNDERFLOW: Final = ErrorKind(
    20000,
    _TRACE,
    "underflow is occurred while calculating the new position of a {side} slider for resolved fold {fold} "
    "and current subtrace len {position}'",
)
FOLD_NEXT_BEHIND: Final = ErrorKind(
    20000, _TRACE, "the fold's iterations are all left, but its next is met once more", traps=True
)

TABLE: Final[tuple[ErrorKind, ...]] = tuple(row for row in list(globals().values()) if isinstance(row, ErrorKind))
"""All rows, in order of definition."""
