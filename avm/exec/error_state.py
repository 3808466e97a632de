"""`%last_error%` and `:error:`: what they hold and when they may change.

Both are global to the run; `fold` and `new` do not scope them. Each has a flag that says whether the next error may replace
it. Only the innermost instruction an error passes has an effect, so the machine records an error once, where it is raised.
Source: aquavm:air/src/execution_step/execution_context/instruction_error/, context.rs (set_errors)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.interpreter_data import LITERAL
from avm.errors import MATCH_VALUES_NOT_EQUAL, MISMATCH_VALUES_EQUAL

from .values import Json

if TYPE_CHECKING:
    from avm.data.interpreter_data import Provenance, Tetraplet
    from avm.errors import VmError

_MATCH_CODES: Final = frozenset({MATCH_VALUES_NOT_EQUAL.number, MISMATCH_VALUES_EQUAL.number})


class ErrorValue:
    """An error object and where it comes from; `tetraplet` None stands for a literal of the init peer."""

    __slots__ = ("json", "original", "provenance", "tetraplet")

    def __init__(self, json: Json, tetraplet: Tetraplet | None, provenance: Provenance) -> None:
        """`original`, the error itself, is known only inside of the xor that caught it."""
        self.json = json
        self.tetraplet = tetraplet
        self.provenance = provenance
        self.original: VmError | None = None


def no_error() -> ErrorValue:
    """What both hold before anything fails."""
    return ErrorValue(Json({"error_code": 0, "message": ""}), None, LITERAL)


class ErrorState:
    """Both error variables of a run."""

    __slots__ = ("error", "error_settable", "last_error", "last_error_settable")

    def __init__(self) -> None:
        """No error yet."""
        self.last_error = no_error()
        self.error = no_error()
        self.last_error_settable = True
        self.error_settable = True

    def record(self, error: VmError, instruction: str, current_peer_id: str, *, with_peer: bool) -> None:
        """Note a catchable error where it is raised. `with_peer`: the error belongs to a peer (calls and canons)."""
        tetraplet = error.tetraplet
        peer = tetraplet.peer_pk if tetraplet is not None and with_peer else current_peer_id
        common: dict[str, Any] = {"error_code": error.code, "message": error.message, "instruction": instruction}
        if self.last_error_settable and error.code not in _MATCH_CODES:
            self.last_error = ErrorValue(Json({**common, "peer_id": peer}), tetraplet, LITERAL)
            self.last_error_settable = False
        if self.error_settable:
            content = {**common, "peer_id": peer} if with_peer else common
            self.error = ErrorValue(Json(content), tetraplet, LITERAL)
        self.error_settable = False

    def needs_text(self, error: VmError) -> bool:
        """Whether `record` would keep the instruction's text, which costs time to render."""
        return self.error_settable or (self.last_error_settable and error.code not in _MATCH_CODES)

    def raise_object(self, json: Json, tetraplet: Tetraplet | None, provenance: Provenance) -> None:
        """A `fail` raises this object: it becomes the last error, whatever the flag says."""
        self.last_error = ErrorValue(json, tetraplet, provenance)
        self.last_error_settable = False

    def caught(self, error: VmError) -> None:
        """The right branch of a xor starts."""
        self.last_error_settable = True
        self.error.original = error
        self.error_settable = True

    def handled(self) -> None:
        """The right branch of a xor ended without an error."""
        if self.error_settable:
            self.error = no_error()
        self.error_settable = True
