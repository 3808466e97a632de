"""Cases of `marine_mutation` on marine-js as well: whether the modules load, and every answer.

Values must be equal bit for bit, errors in their words as far as no engine's own are in them. Where the reference panics, which loses it its
instance, nothing is compared; where we differ on purpose, `EXPLAINED` says why.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Final

from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError, LoadError
from runtime.marine.host import Service
from runtime.marine.interface_types import InterfaceError, decode
from runtime.marine.wasm_sections import INTERFACE_TYPES, custom_sections
from tests.conformance.areas.marine import bits, comparable, reference_folders
from tests.fuzz import marine_modules as made
from tests.fuzz.marine_mutation import Call, Case

TIMEOUT_MS: Final = 10_000
ANSWER_S_MAX: Final = 10.0
LIFT_BYTES_MAX: Final = 16 << 20


class MarineJs:
    """A node process, and the next one when that hangs or dies; a service for every case."""

    def __init__(self, package: Path) -> None:
        script = Path(__file__).with_name("marine_reference.mjs")
        self._command = ["node", str(script), str(package)]
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def answers(self, case: Case) -> dict[str, Any] | None:
        """See `marine_reference.mjs`; None when there is no answer in time."""
        facade = next(reversed(case.modules))
        request = {
            "modules": [[name, base64.b64encode(wasm).decode()] for name, wasm in case.modules.items()],
            "calls": [[call.module or facade, call.function, json.dumps(call.arguments)] for call in case.calls],
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        timer = threading.Timer(ANSWER_S_MAX, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            self.close()
            self._process = self._start()
            return None
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End node."""
        self._process.kill()
        self._process.communicate()


def marine_js() -> MarineJs | None:
    """marine-js, where it is installed."""
    for folder in reference_folders():
        for package in (folder / "node_modules" / "@fluencelabs" / "marine-js", folder / "@fluencelabs" / "marine-js"):
            if package.is_dir() and shutil.which("node"):
                return MarineJs(package)
    return None


def comparable_case(case: Case) -> bool:
    """Whether the reference can be given it: an endless loop never ends there, and of two functions of a name it takes any."""
    for wasm in case.modules.values():
        try:
            tables = decode(custom_sections(wasm, INTERFACE_TYPES)[0])
        except InterfaceError:
            continue
        names = [export.name for export in tables.exports]
        cores = [pair.core_type for pair in tables.implementations]
        if len(set(names)) < len(names) or len(set(cores)) < len(cores):
            return False
    return not any(call.function == "poke" and call.arguments[:1] == [made.LOOPS] for call in case.calls)


EXPLAINED: Final = {
    "types incompatible": "functions of JavaScript have no type, so that an import of another one links",
    "an import adapter of": "JavaScript drops results of an import that are too many",
    "defined twice": "in an object of JavaScript, the last of two imports of a name stays",
    "Out-of-bound Wasm memory write": "JavaScript drops what is written beyond the end of a memory",
    "contains more recursion level": "records that contain themselves are refused where no exported function has them, too",
    "the call copied more": "the reference has no budget",
    "sign of zero": "between two modules, it loses the sign of zero",
    "after an access": "then other memory may have been written before the error",
    "allocate func doesn't": "we look at the type of `allocate` before we call it",
    "place of an access": "we look at a whole array before its elements, so that another access is told",
}
"""What is in our error → why we differ on purpose."""


class Different(Exception):
    """Ours differs from the reference."""


def compare(case: Case, theirs: dict[str, Any] | None, counts: Counter[str]) -> str | None:
    """How ours differs from the reference."""
    if theirs is None:
        counts["no answer of the reference"] += 1
        return None
    try:
        _compare(case, theirs, counts)
    except Different as different:
        return str(different)
    return None


def _compare(case: Case, theirs: dict[str, Any], counts: Counter[str]) -> None:
    modules = tuple(ModuleConfig(name) for name in case.modules)
    config = ServiceConfig(modules, timeout_ms=TIMEOUT_MS, lift_bytes_max=LIFT_BYTES_MAX)
    answers = theirs.get("answers", [])
    try:
        service = Service(config, case.modules)
    except LoadError as error:
        if "refused" in theirs:
            same = str(error).startswith(comparable(theirs["refused"]))
            counts["refused" if same else "refused for another reason"] += 1
        elif answers and "panic" in answers[0]:
            counts["panic of the reference"] += 1
        elif not _explained(str(error), counts):
            raise Different(f"does not load: {error!s:.500}") from error
        return
    with service:
        if "refused" in theirs:
            raise Different(f"loads; reference: {theirs['refused']:.500}")
        strayed = False
        for number, (call, answer) in enumerate(zip(case.calls, answers, strict=False)):
            if "panic" in answer:
                counts["panic of the reference"] += 1
                return
            ours = _answer(service, call)
            if not _agree(ours, answer):
                if _explained("after an access" if strayed else _difference(ours, answer), counts):
                    return  # the state of the modules may differ from here on
                shown = answer.get("value") or answer.get("error")
                raise Different(f"call {number} {call!r:.400}: {ours!r:.500}\n  reference: {shown:.500}")
            strayed = strayed or "Out-of-bound Wasm memory" in ours.get("error", "")
            counts["value" if "value" in answer else "error"] += 1


def _answer(service: Service, call: Call) -> dict[str, str]:
    """An answer of ours in the form of the reference's."""
    try:
        return {"value": service.call_text(call.function, json.dumps(call.arguments), module=call.module)}
    except CallError as error:
        return {"error": str(error)}


def _agree(ours: dict[str, str], theirs: dict[str, Any]) -> bool:
    if "error" in ours:
        return "error" in theirs and ours["error"].startswith(comparable(theirs["error"]))
    return "value" in theirs and bits(json.loads(ours["value"])) == bits(json.loads(theirs["value"]))


def _difference(ours: dict[str, str], theirs: dict[str, Any]) -> str:
    """Our error, or a word for how values differ."""
    access = "Out-of-bound Wasm memory access"
    if "error" in ours:
        both = access in ours["error"] and access in theirs.get("error", "")
        return "place of an access" if both else ours["error"]
    signs = re.compile(r"-0\.0\b")
    if "value" not in theirs:
        return ""
    one, other = (bits(json.loads(signs.sub("0.0", text))) for text in (ours["value"], theirs["value"]))
    return "sign of zero" if one == other else ""


def _explained(difference: str, counts: Counter[str]) -> bool:
    for words in EXPLAINED:
        if words in difference:
            counts[f"explained: {words}"] += 1
            return True
    return False
