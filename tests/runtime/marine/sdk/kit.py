"""Modules of the SDK for tests: built once, and run by our host, by marine-js, and as plain Python."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
import types
import typing
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from aquac.render import render_text
from aquac.source import SourceFile
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError
from runtime.marine.host import LogRecord, Service
from runtime.marine.rows import reference_folders
from runtime.marine.sdk import prelude
from runtime.marine.sdk.build import Built, Options, build

HERE = Path(__file__).parent
MODULES = HERE / "modules"
SIZES = {getattr(prelude, f"{sign}{bits}"): (sign, bits) for sign in "su" for bits in (8, 16, 32, 64)}


def source(text: str, name: str = "module.py") -> SourceFile:
    """A file of the module language."""
    return SourceFile(name, text)


def built(text: str, name: str = "module.py", **options: bool) -> Built:
    """What a text becomes."""
    return build(source(text, name), Options(**options))


def wasm_of(text: str, name: str = "module.py", **options: bool) -> bytes:
    """The module of a text that is right."""
    made = built(text, name, **options)
    assert made.wasm is not None, render_text(made.diagnostics)
    return made.wasm


@lru_cache(maxsize=64)
def module(name: str) -> bytes:
    """A module of the folder `modules`."""
    return wasm_of((MODULES / f"{name}.py").read_text(encoding="utf-8"), f"{name}.py")


@lru_cache(maxsize=64)
def python(name: str) -> types.ModuleType:
    """The same file as plain Python."""
    spec = importlib.util.spec_from_file_location(f"sdk_module_{name}", MODULES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Ours:
    """A service in our host, and its messages."""

    def __init__(self, modules: dict[str, bytes], *, envs: dict[str, str] | None = None, **config: Any) -> None:
        self.logs: list[list[str]] = []
        settings = {"envs": envs or {}} | config.pop("settings", {})
        modules_config = tuple(ModuleConfig(name, **settings) for name in modules)
        self.service = Service(ServiceConfig(modules_config, **config), modules, log=self._log)

    def _log(self, record: LogRecord) -> None:
        self.logs.append([record.level, record.message])

    def call(self, function: str, *arguments: Any) -> Any:
        """A JSON value, or `Failed` with the messages."""
        self.logs.clear()
        try:
            return self.service.call(function, list(arguments))
        except CallError as error:
            return Failed(str(error), [list(entry) for entry in self.logs])

    def pages(self) -> int:
        """Memory of all modules."""
        return sum(entry["memory_size_bytes"] for entry in self.service.memory_stats()) >> 16


@dataclasses.dataclass
class Failed:
    """A call that ended with an error."""

    text: str
    logs: list[list[str]]

    @property
    def kind(self) -> str:
        """Name of the Python error in the last message; how the host says it otherwise."""
        for level, message in reversed(self.logs):
            found = re.search(r"\b[A-Z]\w*Error\b", message)
            if level == "error" and found:
                return found[0]
        return self.text


@lru_cache(maxsize=1)
def _package() -> Path | None:
    for folder in reference_folders():
        package = folder / "node_modules" / "@fluencelabs" / "marine-js"
        if package.is_dir() and shutil.which("node"):
            return package
    return None


class Theirs:
    """marine-js in a node process; one service at a time."""

    def __init__(self) -> None:
        package = _package()
        if package is None:
            pytest.skip("marine-js or node is not installed (python3 tasks.py reference)")
        self._process = subprocess.Popen(
            ["node", str(HERE / "marine.mjs"), str(package)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.logs: list[list[str]] = []

    def load(self, modules: dict[str, bytes], folder: Path, *, envs: dict[str, str] | None = None) -> str | None:
        """Make a service; an error text when it does not load."""
        files = []
        for name, data in modules.items():
            path = folder / f"{name}.wasm"
            path.write_bytes(data)
            files.append([name, str(path)])
        answer = self._ask({"modules": files, "envs": envs or {}})
        self.logs = answer["logs"]
        return answer.get("error")

    def call(self, function: str, *arguments: Any, parameters: dict[str, Any] | None = None) -> Any:
        """As `Ours.call`."""
        answer = self._ask({"fn": function, "args": json.dumps(list(arguments)), "parameters": parameters})
        self.logs = answer["logs"]
        if "error" in answer:
            return Failed(answer["error"], answer["logs"])
        return json.loads(answer["result"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End node."""
        self._process.communicate()


# ── values by type ───────────────────────────────────────────────────────────────────────────────────────────────────


def arguments(function: Any, *, short: bool = False) -> st.SearchStrategy[list[Any]]:
    """Arguments for a function, as JSON values. `short`: floats of few digits, which marine-js reads exactly."""
    hints = typing.get_type_hints(function)
    hints.pop("return")
    made = st.tuples(*(values(kind, scalar=True) for kind in hints.values())).map(list)
    return made.map(_shortened) if short else made


def _shortened(value: Any) -> Any:
    if isinstance(value, float):
        return max(-(2.0**40), min(2.0**40, round(value * 8) / 8 if abs(value) < 2.0**40 else value))
    if isinstance(value, list):
        return [_shortened(part) for part in value]
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    return value


INTS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-20, 20)
    | st.sampled_from([2**63 - 1, -(2**63), 2**31, -(2**31), 2**32, 0, 1, -1])
)
TEXTS = st.text("ab,. \n\té\u2003ß€😀Z09_-+", max_size=12) | st.text(max_size=8)


def values(kind: Any, *, scalar: bool = False) -> st.SearchStrategy[Any]:
    """JSON values of a type. A scalar u32 or u64 with its highest bit set is refused by Marine, so none is made."""
    if kind is int:
        return INTS
    if kind in SIZES:
        sign, bits = SIZES[kind]
        most = 2 ** (bits - (1 if sign == "s" or (scalar and bits >= 32) else 0)) - 1
        least = -(2 ** (bits - 1)) if sign == "s" else 0
        return st.integers(least, most) | st.integers(max(least, -9), 9)
    if kind in (float, prelude.f32):
        width = 32 if kind is prelude.f32 else 64
        return st.floats(allow_nan=False, allow_infinity=False, width=width) | st.integers(-1000, 1000).map(
            lambda n: n / 8
        )
    if kind is bool:
        return st.booleans()
    if kind is str:
        return TEXTS
    if kind is bytes:
        return st.binary(max_size=10).map(list) | st.text("ab, ", max_size=8).map(lambda t: list(t.encode()))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.fixed_dictionaries({f.name: values(hints[f.name]) for f in dataclasses.fields(kind)})
    if typing.get_origin(kind) is list:
        return st.lists(values(typing.get_args(kind)[0]), max_size=6)
    inner = next(part for part in typing.get_args(kind) if part is not type(None))
    return st.lists(values(inner), max_size=1)


def from_json(kind: Any, value: Any) -> Any:
    """A Python value of a JSON one."""
    if kind is bytes:
        return bytes(value)
    if kind in (float, prelude.f32):
        return float(value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_json(hints[name], part) for name, part in value.items()})
    if typing.get_origin(kind) is list:
        return [from_json(typing.get_args(kind)[0], part) for part in value]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = next(part for part in typing.get_args(kind) if part is not type(None))
        return from_json(inner, value[0]) if value else None
    return value


class Unfit(Exception):
    """A result that does not fit its type."""


def to_json(kind: Any, value: Any) -> Any:
    """The JSON value of a Python one. Raises Unfit."""
    if kind is type(None):
        return None
    if kind is int or kind in SIZES:
        sign, bits = SIZES.get(kind, ("s", 64))
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if sign == "s" else (0, 2**bits - 1)
        if not low <= value <= high:
            raise Unfit
        return int(value)
    if kind in (float, prelude.f32):
        if kind is prelude.f32:
            value = prelude.f32(value)
        return float(value) if math.isfinite(value) else None
    if kind is bytes:
        return list(value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {f.name: to_json(hints[f.name], getattr(value, f.name)) for f in dataclasses.fields(kind)}
    if typing.get_origin(kind) is list:
        return [to_json(typing.get_args(kind)[0], part) for part in value]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = next(part for part in typing.get_args(kind) if part is not type(None))
        return [] if value is None else [to_json(inner, value)]
    return value


def expected(function: Any, given: list[Any]) -> Any:
    """What Python makes of the arguments: a JSON value, or the name of an error."""
    hints = typing.get_type_hints(function)
    result = hints.pop("return")
    try:
        returned = function(*(from_json(kind, value) for kind, value in zip(hints.values(), given, strict=True)))
        return to_json(result, returned)
    except Unfit:
        return "OverflowError"
    except (ArithmeticError, LookupError, ValueError, TypeError, AssertionError, RuntimeError, MemoryError) as error:
        return type(error).__name__
