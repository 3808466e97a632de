"""The page `docs/vm-errors.md`: every error code of the VM, with a conformance case that reaches it.

    python -m tests.avm.error_table        search the corpora and write the page

A row's case is the one that meets the fewest rows, so that it shows just that error; rows that no case meets have a run of
`provoked_rows`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avm import Avm, Outcome, errors, farewell, prepare
from avm.errors import TABLE, ErrorKind
from tests.avm.provoked_rows import PROVOKED
from tests.conformance.areas import avm as scenarios
from tests.conformance.areas import interpreter_data
from tests.conformance.runner import default_files, read_cases

PAGE = Path(__file__).parents[2] / "docs" / "vm-errors.md"
NAMES = {id(row): name for name, row in vars(errors).items() if isinstance(row, ErrorKind)}
"""Constant of `avm.errors` by row."""

START = {
    prepare.AIR_PARSE: "air can't be parsed: … (the report of the parser)",
    prepare.DATA_DECODING: "an error occurred while data deserialization: Data(Validation(…)) …",
    prepare.ENVELOPE_DECODING: "an error occurred while envelope deserialization: Envelope(…) …",
    prepare.ENVELOPE_DECODING_WITH_VERSIONS: (
        "an error occurred while data deserialization: Envelope(…) … Supplied data version is …"
    ),
    prepare.CALL_RESULTS_DECODING: "error occurred while deserialize call results: …",
    prepare.UNSUPPORTED_VERSION: (
        "supplied data was produced by `{version}` version of interpreter, but minimum `{minimum}` version is required"
    ),
    prepare.MALFORMED_KEY: "malformed keypair format: …",
    prepare.CID_STORE: 'Value mismatch in the "{store}" store for CID "{cid}", and other texts',
    prepare.SIGNATURES: 'signature mismatch for "{peer_id}": …, and other texts',
    prepare.SIZE_LIMIT: "{what}: {size} bytes is bigger than the limit allowed: {limit} bytes",
}
END = {
    farewell.UNPROCESSED_CALL_RESULTS: (
        "after finishing execution of supplied AIR, there are some unprocessed call results: `{results}`, …"
    )
}
_CONSTANTS = {
    value: name
    for module in (farewell, prepare)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, int) and value in START.keys() | END.keys()
}

UNREACHED = {
    "COMPACTION_NO_POSITION": "no script or data is known that leads here",
    "COMPACTION_NO_GENERATION": "no script or data is known that leads here",
    "FOLD_STATE_NOT_FOUND": "such scripts are refused when they are parsed",
    "SCALARS_CORRUPTED": "no script or data is known that leads here",
}
"""Why nothing reaches a row."""

_PROVOKED = "tests/avm/provoked_rows.py:"


Reached = dict[str, str]
"""Constant, or code of a preparation or farewell error as text → case id with its area."""


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collects what is met: constants of rows whose errors are made, codes of preparation and farewell errors."""
    met: set[str] = set()
    originals = {name: getattr(ErrorKind, name) for name in ("error", "trace_error")}

    def watch(original: Callable[..., Any]) -> Callable[..., Any]:
        def make(row: ErrorKind, **fields: object) -> Any:
            met.add(NAMES[id(row)])
            return original(row, **fields)

        return make

    invoke = Avm.invoke

    def watched_invoke(self: Avm, *args: Any) -> Outcome:
        outcome = invoke(self, *args)
        if outcome.ret_code in _CONSTANTS:
            met.add(str(outcome.ret_code))
        return outcome

    for name, original in originals.items():
        setattr(ErrorKind, name, watch(original))
    Avm.invoke = watched_invoke  # type: ignore[method-assign,assignment]
    native = Avm._native_outcome
    Avm._native_outcome = lambda *_: None  # type: ignore[method-assign]  # native code makes no errors
    try:
        yield met
    finally:
        for name, original in originals.items():
            setattr(ErrorKind, name, original)
        Avm.invoke = invoke  # type: ignore[method-assign]
        Avm._native_outcome = native  # type: ignore[method-assign]


def cases() -> Iterator[tuple[str, Callable[[dict[str, Any]], str | None], dict[str, Any]]]:
    """All cases with their ids: scenarios, single invocations, then the runs made for rows that those do not meet."""
    for area, module in (("avm", scenarios), ("interpreter-data", interpreter_data)):
        for path in default_files(area):
            if path.name.startswith("network-runs"):
                continue
            for case in read_cases(path):
                if "air" in case:
                    yield f"{area}/{case['id']}", module.check, case
    for row in PROVOKED:
        yield _PROVOKED + row, _provoke, {"row": row}


def _provoke(case: dict[str, Any]) -> str | None:
    """Run it; the outcome has the row's code and its words, and keeps the data."""
    row = getattr(errors, case["row"])
    outcome = PROVOKED[case["row"]](Avm("python"))
    words = max(re.split(r"\{[a-z_]+\}", row.template), key=len)
    good = outcome.ret_code == row.number and words in outcome.error_message and not outcome.call_requests
    return None if good else f"{outcome.ret_code}: {outcome.error_message}"


def search() -> Reached:
    """The most specific case of each row."""
    best: dict[str, tuple[int, str]] = {}
    with watched() as met:
        for name, check, case in cases():
            met.clear()
            check(case)
            for row in met:
                provoked = name.startswith(_PROVOKED)
                if row not in best or (len(met) < best[row][0] and not provoked):
                    best[row] = (len(met), name)
    return {row: name for row, (_, name) in best.items()}


def render(reached: Reached) -> str:
    """The page."""
    lines = [
        "<!-- Generated by `python -m tests.avm.error_table`; a test compares. -->",
        "# Error codes of the virtual machine",
        "",
        "Code 0 is success. Codes 1 to 10 end a run before the script starts, 10000 to 19999 come from the script and can",
        "be caught by `xor`, `par` and folds over streams, 20000 and above end the run; both 1 to 10 and 20000 to 29999",
        "leave the data as they were. *traps*: the reference interpreter panics or does not end there, here the run ends",
        "with this error.",
        "The last column names a case of the conformance corpora that meets the error, or a run made for it.",
        "",
        "| code | kind | message | catchable | case |",
        "|---|---|---|---|---|",
    ]
    for code, message in START.items():
        lines.append(_line(code, _CONSTANTS[code], message, "no", _case(reached, str(code))))
    for row in sorted(TABLE, key=lambda row: row.number):
        catchable = "yes" if row.catchable else "no, traps" if row.traps else "no"
        constant = NAMES[id(row)]
        lines.append(_line(row.number, f"{row.kind}: {constant}", row.template, catchable, _case(reached, constant)))
    for code, message in END.items():
        lines.append(_line(code, _CONSTANTS[code], message, "no, data are new", _case(reached, str(code))))
    return "\n".join(lines) + "\n"


def _case(reached: Reached, row: str) -> str:
    name = reached.get(row)
    return f"`{name}`" if name else UNREACHED[row]


def _line(code: int, kind: str, message: str, catchable: str, case: str) -> str:
    text = message.replace("|", "\\|").replace("\n", " ")
    # a code span with backticks inside needs two around it
    text = f"`` {text} ``" if "`" in text else f"`{text}`"
    return f"| {code} | {kind} | {text} | {catchable} | {case} |"


def read_page() -> Reached:
    """The cases that the page names."""
    reached: Reached = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and line.endswith("` |"):
            code, kind = (cell.strip() for cell in line.split("|")[1:3])
            row = code if int(code) in _CONSTANTS else kind.partition(": ")[2]
            reached[row] = line.rpartition("| `")[2].removesuffix("` |")
    return reached


if __name__ == "__main__":
    PAGE.write_text(render(search()), encoding="utf-8")
