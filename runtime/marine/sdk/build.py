"""From a source file to a Marine module.

Output: the module with its interface and version sections, or diagnostics. The same source gives the same bytes.
Errors: InternalError when LLVM or the linker refuse what the compiler made: a bug of the compiler.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aquac.diagnostics import Diagnostic, Note, has_errors
from runtime.marine.interface_types import InterfaceError
from runtime.marine.wasm_sections import INTERFACE_TYPES, SDK_VERSION, with_custom_section

from . import codes
from .check import check
from .emit import TRIPLE, emit
from .helpers import HELPERS
from .linker import LinkError, link

if TYPE_CHECKING:
    from aquac.source import SourceFile

    from .check import Checked

VERSION: Final = b"0.14.0"
"""Version of the reference's SDK whose host functions modules use."""

FEATURES: Final = "+bulk-memory,+bulk-memory-opt,+mutable-globals,+nontrapping-fptoint,+sign-ext"


_RECURSION: Final = 20_000


class InternalError(Exception):
    """The compiler made something it should not have."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to build. logging: import the host's log, which a host with logging turned off does not have. names: keep names of functions for traces."""

    logging: bool = True
    names: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """wasm: the module; None when there are errors. interface: as `interface_emit` takes it."""

    wasm: bytes | None
    interface: dict[str, Any]
    diagnostics: list[Diagnostic]


def build(file: SourceFile, options: Options = Options()) -> Built:
    """Compile a file. Raises InternalError."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))  # statements in statements: a long chain of `elif` is one
    try:
        return _build(file, options)
    finally:
        sys.setrecursionlimit(limit)


def _build(file: SourceFile, options: Options) -> Built:
    checked = check(file, logging=options.logging)
    if checked.support is None or has_errors(checked.diagnostics):
        return Built(None, {}, checked.diagnostics)
    from runtime.marine.interface_emit import emit as emit_interface

    try:
        interface = emit_interface(checked.interface)
    except InterfaceError as error:
        return Built(None, {}, [*checked.diagnostics, _refused(file, checked, error)])
    made = emit(checked.program, checked.support)
    try:
        wasm = link(_object(made.text + HELPERS), made.exports, names=options.names)
    except LinkError as error:
        raise InternalError(f"linking failed: {error}") from error
    wasm = with_custom_section(with_custom_section(wasm, INTERFACE_TYPES, interface), SDK_VERSION, VERSION)
    return Built(wasm, checked.interface, checked.diagnostics)


def _refused(file: SourceFile, checked: Checked, error: InterfaceError) -> Diagnostic:
    """The finding about an interface that cannot be written, at the function it is about if there is one."""
    from runtime.marine.interface_emit import emit as emit_interface

    place = None
    for entry in checked.interface["functions"]:
        try:
            emit_interface(checked.interface | {"functions": [entry], "imports": []})
        except InterfaceError:
            place = checked.places[entry["name"]]
            break
    note = Note("give functions fewer arguments, or a dataclass of them; names have at most 255 bytes")
    return Diagnostic(codes.INTERFACE, f"the interface cannot be written: {error}", file, place, (note,))


def _object(text: str) -> bytes:
    """LLVM's object of assembly."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        parsed = llvm.parse_assembly(text)
        parsed.verify()
    except RuntimeError as error:
        raise InternalError(f"LLVM refused the module: {error}") from error
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="mvp", features=FEATURES, opt=2)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    builder.getModulePassManager().run(parsed, builder)
    return bytes(machine.emit_object(parsed))
