"""Modules for tests, from WAT and an interface description; services of them; the own modules of the conformance corpus."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pytest
import wasmtime

from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.host import Service
from runtime.marine.interface_emit import emit
from runtime.marine.wasm_sections import INTERFACE_TYPES, SDK_VERSION, with_custom_section

ENGINES: Final[dict[str, dict[str, Any]]] = {name: {"engine": name} for name in ("native", "translated", "interpreted")}
"""How a `Service` is told its engine."""
on_every_engine: Final = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
ENGINE: Any = os.environ.get("MARINE_ENGINE", "native")
CORPUS = Path(__file__).resolve().parents[2] / "conformance" / "data" / "marine"

ABI = """
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const 1024)) (global $ptr (mut i32) (i32.const 0)) (global $size (mut i32) (i32.const 0))
  (func $allocate (export "allocate") (param i32 i32) (result i32)
    (local $p i32)
    (local.set $p (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get 0)))
    (local.get $p))
  (func (export "release_objects") (global.set $heap (i32.const 1024)))
  (func (export "get_result_ptr") (result i32) (global.get $ptr))
  (func (export "get_result_size") (result i32) (global.get $size))
  (func $set_ptr (export "set_result_ptr") (param i32) (global.set $ptr (local.get 0)))
  (func $set_size (export "set_result_size") (param i32) (global.set $size (local.get 0)))
"""


def with_sections(core: bytes, section: bytes, sdk: bytes = b"0.14.0") -> bytes:
    """A core module with the two sections Marine wants."""
    return with_custom_section(with_custom_section(core, INTERFACE_TYPES, section), SDK_VERSION, sdk)


@lru_cache(maxsize=256)
def core(body: str, pages: str = "1", imports: str = "") -> bytes:
    """A core module with the functions every Marine module has, and `body`."""
    return bytes(wasmtime.wat2wasm(f"(module {imports} {ABI.format(pages=pages)} {body})"))


def module(body: str, interface: dict[str, Any] | None = None, *, pages: str = "1", imports: str = "") -> bytes:
    """A whole module."""
    return with_sections(core(body, pages, imports), emit(interface or {}))


def function(name: str, args: str = "", ret: str | None = None) -> dict[str, Any]:
    """`function("f", "a: string, b: u8", "u64")`."""
    pairs = [part.split(": ") for part in args.split(", ")] if args else []
    return {"name": name, "args": pairs, "ret": ret}


def own(name: str) -> bytes:
    """A module of the corpus."""
    return (CORPUS / "modules" / f"{name}.wasm").read_bytes()


def service(modules: dict[str, bytes], *, settings: dict[str, Any] | None = None, **config: Any) -> Service:
    """A service of modules in this order; `settings` are for each module, `config` for the service."""
    extra = {"engine": ENGINE} | {key: config.pop(key) for key in ("log", "cache", "engine") if key in config}
    modules_config = tuple(ModuleConfig(name, **(settings or {})) for name in modules)
    return Service(ServiceConfig(modules_config, **config), modules, **extra)
