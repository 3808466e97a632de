"""Rows of JSON in, answers out: the form of the conformance files, so that other programs can drive a service.

A row with `modules` makes the service of its set, and so does one with `service`, the path of a configuration or packed service; the rows
after it run in that instance. Answers are
`{"set", "seq", "result" | "error", "error_class", "logs"}`; of a row that only creates a service `{"set", "loads", …}`.
Errors: none; a row that cannot be used is answered with class `row`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .call_parameters import from_json
from .config import DEFAULT_LOGGING_MASK, ConfigError, ModuleConfig, ServiceConfig, checked_mask, checked_texts
from .errors import MarineError
from .files import service_config
from .host import Engine, LogRecord, Service

if TYPE_CHECKING:
    from collections.abc import Callable


_NO_SET: Final = object()


class RowError(ValueError):
    """A row that is not in the form, or whose module is not here."""


class RowRunner:
    """Answers rows one after the other. One service is alive at a time.

    root: where `file` of a module starts. references: folders with `node_modules`, and with `<blob>.wasm` for git modules. engine: how
    adapters run.
    """

    def __init__(self, root: Path, references: tuple[Path, ...] = (), *, engine: Engine = "auto") -> None:
        """Start without a service."""
        self._root = root
        self._references = references
        self._engine: Engine = engine
        self._set: Any = _NO_SET
        self._service: Service | None = None
        self._problem = ""
        self._logs: list[list[str]] = []

    def answer(self, line: str) -> dict[str, Any]:
        """The answer to one line."""
        row: Any = None
        try:
            row = json.loads(line, parse_constant=_no_number)
            if not isinstance(row, dict):
                raise RowError("expected an object")
            return self._answer(row)
        except (ValueError, RecursionError) as error:
            named = row if isinstance(row, dict) else {}
            return _named(named) | {"error": str(error), "error_class": "row"}

    def _answer(self, row: dict[str, Any]) -> dict[str, Any]:
        head = _named(row)
        if "modules" in row or "service" in row:
            self._open(row)
            if "fn" not in row:
                if self._service is None:
                    return head | {"loads": False, "error": self._problem}
                return head | {"loads": True, "logs": self._taken_logs()}
            self._taken_logs()
        if "fn" not in row:
            raise RowError("expected `modules`, `service` or `fn`")
        if row.get("set") != self._set:
            raise RowError("no earlier row has the modules of this set")
        if self._service is None:
            return head | {"error": self._problem, "error_class": "load", "logs": []}
        try:
            text = self._service.call_text(
                _text(row, "fn"), _text(row, "args_json"), from_json(row.get("call_parameters", {})),
                module=None if row.get("module") is None else _text(row, "module"),
            )  # fmt: skip
        except MarineError as error:
            return head | {"error": str(error), "error_class": error.error_class.value, "logs": self._taken_logs()}
        return head | {"result": json.loads(text), "logs": self._taken_logs()}

    def _taken_logs(self) -> list[list[str]]:
        logs = list(self._logs)
        self._logs.clear()
        return logs

    def _log(self, record: LogRecord) -> None:
        if record.level != "output":
            self._logs.append(list(record))

    def _open(self, row: dict[str, Any]) -> None:
        if self._service is not None:
            self._service.close()
        self._service, self._set, self._problem = (
            None,
            row.get("set"),
            "the row with the modules of this set is unusable",
        )
        self._logs.clear()
        if "service" in row:
            self._start(lambda: service_config([str(self._root / _text(row, "service"))]), None)
            return
        configs, files = [], {}
        for module in _list(row["modules"]):
            name = _text(module, "name")
            files[name] = self._file(module.get("wasm"))
            configs.append(
                ModuleConfig(
                    name,
                    envs=checked_texts(module.get("envs"), "envs") or {"WASM_LOG": "off"},
                    mapped_dirs={
                        k: Path(v) for k, v in checked_texts(module.get("mapped_dirs"), "mapped_dirs").items()
                    },
                    logger_enabled=module.get("logger_enabled", True) is True,
                    logging_mask=checked_mask(module.get("logging_mask", DEFAULT_LOGGING_MASK), "logging_mask"),
                )
            )
        self._start(lambda: ServiceConfig(tuple(configs)), files)

    def _start(self, config: Callable[[], ServiceConfig], files: dict[str, bytes] | None) -> None:
        try:
            self._service = Service(config(), files, log=self._log, engine=self._engine)
        except (MarineError, ConfigError) as error:
            self._problem = str(error)

    def _file(self, wasm: Any) -> bytes:
        """The bytes of a module named by file, npm package or git blob."""
        if isinstance(wasm, str):
            wasm = {"file": wasm}
        if not isinstance(wasm, dict):
            raise RowError("`wasm`: expected an object")
        for place in self._places(wasm):
            try:
                data = place.read_bytes()
            except OSError:
                continue
            if "sha256" not in wasm or hashlib.sha256(data).hexdigest() == wasm["sha256"]:
                return data
        raise RowError(f"module not found: {json.dumps(wasm)[:300]}")

    def _places(self, wasm: dict[str, Any]) -> list[Path]:
        if "file" in wasm:
            return [self._root / _text(wasm, "file")]
        if "npm" in wasm:
            name, _, version = _text(wasm, "npm").rpartition("@")
            path = _text(wasm, "path")
            return [
                place
                for folder in (self._root, *self._references)
                for place in (releases(folder, name, version) / path, folder / "node_modules" / name / path)
            ]
        blob = _text(wasm, "blob")
        return [folder / "marine-blobs" / f"{blob}.wasm" for folder in (self._root, *self._references)]


def releases(folder: Path, name: str, version: str) -> Path:
    """Where a reference folder has one release of a package beside others: `avm-versions/node_modules/avm-0.59.0`."""
    short = name.rpartition("/")[2]
    return folder / f"{short}-versions" / "node_modules" / f"{short}-{version}"


def reference_folders() -> tuple[Path, ...]:
    """Where reference packages may be: `$AQUA_REFERENCE` (or its parent, when it names node_modules) and `.reference`."""
    found = []
    named = os.environ.get("AQUA_REFERENCE")
    if named:
        path = Path(named)
        found += [path.parent, path] if path.name == "node_modules" else [path]
    return (*found, Path(".reference"))


def _no_number(text: str) -> None:
    raise RowError(f"{text} is no JSON")


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("set", "seq") if key in row}


def _text(row: Any, key: str) -> str:
    value = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, str):
        raise RowError(f"`{key}`: expected a string")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise RowError("`modules`: expected an array of modules")
    return value
